"""`silt eval`: metrics beside those that numpy computes from the logits, and refusals."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, Tensors, float_tensor, read_safetensors, write_safetensors
from models import HIDDEN, LENGTH, VOCABULARY, bert, integers, llama, token_data, write_tiny
from program import (
    CANNOT_CREATE,
    FAILED,
    INTERRUPTED,
    MALFORMED,
    MISSING,
    ROOT,
    USAGE,
    Silt,
    digest,
    digests,
    listing,
)

DATA = ROOT / "Tests" / "Data" / "eval" / "foods-small.safetensors"


def array(tensor: Tensor) -> np.ndarray:
    """The values of an I32 or F32 tensor."""
    return np.frombuffer(tensor.data, {"I32": "<i4", "F32": "<f4"}[tensor.dtype]).reshape(tensor.shape)


def classified(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The metrics of a classifier of two classes."""
    found = logits.argmax(1)
    pairs = [[float(np.sum((labels == a) & (found == b))) for b in (0, 1)] for a in (0, 1)]
    (tn, fp), (fn, tp) = pairs
    scale = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return {
        "accuracy": (tp + tn) / len(labels),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "matthews": (tp * tn - fp * fn) / scale,
    }


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0; equal values have the mean of theirs."""
    return np.array([np.mean(np.flatnonzero(np.sort(values) == value)) for value in values])


def metrics(report: dict) -> dict:
    """What a report says of the model."""
    return {key: value for key, value in report.items() if key != "seconds"}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder with two classes. Tests must not change it."""
    return write_tiny(tmp_path_factory.mktemp("classifier") / "model", *bert(np.random.default_rng(1)))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny causal model. Tests must not change it."""
    return write_tiny(tmp_path_factory.mktemp("decoder") / "model", *llama(np.random.default_rng(2)))


@pytest.fixture
def data(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Examples with labels for the tiny models."""
    return write_safetensors(tmp_path / "data.safetensors", token_data(rng))


def test_classifier(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The committed pair: metrics are those of the logits, threads do not matter, --examples takes the first."""
    _, fine = real_pair
    reports, logits = [], []
    for threads in (1, 2):
        path = tmp_path / f"logits-{threads}"
        reports.append(silt.json("eval", fine, DATA, "--logits", path, "--threads", threads))
        logits.append(path.read_bytes())
    assert logits[0] == logits[1] and metrics(reports[0]) == metrics(reports[1])
    tensors = read_safetensors(tmp_path / "logits-1")
    assert list(tensors) == ["logits"] and tensors["logits"].shape == (60, 2)
    labels = array(read_safetensors(DATA)["labels"])
    wanted = classified(array(tensors["logits"]), labels)
    report = reports[0]
    assert {name: report[name] for name in wanted} == pytest.approx(wanted, rel=1e-12)
    assert wanted["accuracy"] > 0.7
    assert report["metric"] == "accuracy" and report["value"] == report["accuracy"]
    assert report["higher_is_better"] is True
    assert report["examples"] == 60 and report["data"] == digest(DATA)
    first = silt.json("eval", fine, DATA, "--examples", 17)
    some = classified(array(tensors["logits"])[:17], labels[:17])
    assert first["examples"] == 17 and first["accuracy"] == pytest.approx(some["accuracy"])
    assert silt.json("eval", fine, DATA, "--examples", 1000)["examples"] == 60
    table = silt.ok("eval", fine, DATA).stdout
    assert re.search(rf"accuracy +{wanted['accuracy']:.4f}\n", table) and "60 examples" in table


@pytest.mark.parametrize(
    "options", ["", "--method random --drop 0.9", "--method sign"], ids=["exact", "dare", "sign"]
)
def test_silt_file(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path, options: str) -> None:
    """A Silt file is measured as what it unpacks to, and nothing is written on the way."""
    base, fine = real_pair
    packed = tmp_path / "model.silt"
    silt.ok("pack", base, fine, "-o", packed, *options.split())
    silt.unpack(base, packed, tmp_path / "unpacked")
    before = listing(tmp_path)
    found = silt.json("eval", packed, DATA, "--base", base)
    assert listing(tmp_path) == before
    assert metrics(found) == metrics(silt.json("eval", tmp_path / "unpacked", DATA))
    for model, extra in ((packed, ["--base", base]), (tmp_path / "unpacked", [])):
        silt.ok("eval", model, DATA, "--logits", tmp_path / f"{model.name}.logits", *extra)
    assert (tmp_path / "model.silt.logits").read_bytes() == (tmp_path / "unpacked.logits").read_bytes()
    if not options:
        assert metrics(found) == metrics(silt.json("eval", fine, DATA))


def test_divergence_of_another(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """--against: KL(reference, model) of the answers, as numpy has it; of a model from itself, 0; no labels needed."""
    data = read_safetensors(DATA)
    bare = write_safetensors(tmp_path / "bare.safetensors", {k: v for k, v in data.items() if k != "labels"})
    file = tmp_path / "m.silt"
    silt.ok("pack", *real_pair, "-o", file, "--method", "random", "--drop", "0.95")
    logs = []
    for name, words in {"m": (file, "--base", real_pair[0]), "f": (real_pair[1],)}.items():
        place = tmp_path / f"{name}.safetensors"
        silt.ok("eval", words[0], DATA, *words[1:], "--logits", place)
        logits = array(read_safetensors(place)["logits"]).astype(np.float64)
        logs.append(logits - np.log(np.exp(logits).sum(1, keepdims=True)))
    expected = (np.exp(logs[1]) * (logs[1] - logs[0])).sum(1).mean()
    report = silt.json("eval", file, DATA, "--base", real_pair[0], "--against", real_pair[1])
    assert report["kl"] == pytest.approx(expected, rel=1e-4) and report["metric"] == "accuracy"
    found = silt.json("eval", file, bare, "--base", real_pair[0], "--against", real_pair[1])
    assert found["kl"] == report["kl"] and found["metric"] is None
    assert silt.json("eval", real_pair[1], DATA, "--against", real_pair[1])["kl"] == 0
    assert "kl" not in silt.json("eval", real_pair[1], DATA)


def test_logits_without_labels(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Answers need no labels: the same bytes as with them, and no metric."""
    _, fine = real_pair
    tensors = read_safetensors(DATA)
    bare = write_safetensors(tmp_path / "bare.safetensors", {k: v for k, v in tensors.items() if k != "labels"})
    assert "--logits" in silt.exits(USAGE, "eval", fine, bare).stderr
    report = silt.json("eval", fine, bare, "--logits", tmp_path / "bare.logits")
    assert report["metric"] is None and report["value"] is None and report["higher_is_better"] is None
    assert "accuracy" not in report and report["examples"] == 60 and report["data"] == digest(bare)
    silt.ok("eval", fine, DATA, "--logits", tmp_path / "logits")
    assert (tmp_path / "bare.logits").read_bytes() == (tmp_path / "logits").read_bytes()
    assert "no labels" in silt.ok("eval", fine, bare, "--logits", tmp_path / "bare.logits", "--force").stdout


def test_single_file(silt: Silt, classifier: Path, data: Path, tmp_path: Path) -> None:
    """A file has its config.json beside it; a delta of files takes the base's."""
    file = classifier / "model.safetensors"
    wanted = metrics(silt.json("eval", classifier, data))
    assert metrics(silt.json("eval", file, data)) == wanted
    silt.ok("pack", file, file, "-o", tmp_path / "m.silt")
    assert metrics(silt.json("eval", tmp_path / "m.silt", data, "--base", file)) == wanted
    shutil.copyfile(file, tmp_path / "alone.safetensors")
    result = silt.exits(MISSING, "eval", tmp_path / "alone.safetensors", data)
    assert "config.json" in result.stderr and "--evaluator" in result.stderr


def test_causal(silt: Silt, decoder: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    """The loss is the mean over what follows a token, padding left out; without labels."""
    tensors = token_data(rng)
    del tensors["labels"]
    data = write_safetensors(tmp_path / "data.safetensors", tensors)
    report = silt.json("eval", decoder, data, "--logits", tmp_path / "losses")
    losses = array(read_safetensors(tmp_path / "losses")["loss"])
    mask = array(tensors["attention_mask"])[:, 1:] != 0
    assert losses.shape == mask.shape
    assert np.all(losses[mask] > 0) and not np.any(losses[~mask])
    assert report["metric"] == "loss" and report["higher_is_better"] is False
    assert report["loss"] == pytest.approx(float(losses[mask].mean(dtype=np.float64)), rel=1e-6)
    assert report["value"] == report["loss"]
    assert report["perplexity"] == pytest.approx(math.exp(report["loss"]), rel=1e-9)
    assert 0 <= report["top1"] <= 1
    silt.ok("eval", decoder, data, "--logits", tmp_path / "other", "--threads", 1)
    assert (tmp_path / "other").read_bytes() == (tmp_path / "losses").read_bytes()


def test_perplexity_beyond_numbers(silt: Silt, data: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    """A loss of thousands of nats has a perplexity that no number holds: null, and the JSON stays JSON."""
    config, tensors = llama(rng)
    head = array(tensors["lm_head.weight"]) * 1e6
    tensors["lm_head.weight"] = float_tensor(head, "F32")
    report = silt.json("eval", write_tiny(tmp_path / "model", config, tensors), data)
    assert report["loss"] > 1000 and report["perplexity"] is None


def test_regression(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """One label: correlations with labels, which are numbers of either kind."""
    model = write_tiny(tmp_path / "model", *bert(rng, labels=1))
    tensors = token_data(rng)
    count = tensors["labels"].shape[0]
    for labels in (integers(rng.integers(0, 5, count)), float_tensor(rng.standard_normal(count), "F32")):
        data = write_safetensors(tmp_path / "data.safetensors", tensors | {"labels": labels})
        report = silt.json("eval", model, data, "--logits", tmp_path / "values", "--force")
        values = array(read_safetensors(tmp_path / "values")["logits"]).reshape(-1).astype(np.float64)
        wanted = array(labels).astype(np.float64)
        assert report["metric"] == "pearson" and report["value"] == report["pearson"]
        assert report["pearson"] == pytest.approx(np.corrcoef(values, wanted)[0, 1], abs=1e-9)
        spearman = np.corrcoef(ranks(values), ranks(wanted))[0, 1]
        assert report["spearman"] == pytest.approx(spearman, abs=1e-9)


def test_logits_keep_what_is_there(silt: Silt, classifier: Path, data: Path, tmp_path: Path) -> None:
    """A name that is taken is refused without --force; an input is with it too."""
    taken = tmp_path / "taken"
    taken.write_text("mine")
    assert "--force" in silt.exits(CANNOT_CREATE, "eval", classifier, data, "--logits", taken).stderr
    assert taken.read_text() == "mine"
    silt.ok("eval", classifier, data, "--logits", taken, "--force")
    assert "logits" in read_safetensors(taken)
    copy = shutil.copytree(classifier, tmp_path / "copy")
    before = digests(copy), digest(data)
    for path in (data, copy / "model.safetensors", copy / "config.json"):
        silt.exits(CANNOT_CREATE, "eval", copy, data, "--logits", path, "--force")
    assert (digests(copy), digest(data)) == before
    silt.exits(CANNOT_CREATE, "eval", classifier, data, "--logits", tmp_path / "no" / "file")


def values_of(dtype: str, shape: tuple[int, ...], values: list[int]) -> Tensor:
    """A tensor of given values."""
    kind = {"I32": "<i4", "I64": "<i8", "U64": "<u8", "F32": "<f4"}[dtype]
    return Tensor(dtype, shape, np.array(values).astype(kind).tobytes())


def with_id(tensors: Tensors, token: int) -> Tensors:
    """The data with another first token."""
    ids = array(tensors["input_ids"]).copy()
    ids[1, 2] = token
    return tensors | {"input_ids": integers(ids)}


def with_label(tensors: Tensors, label: int) -> Tensors:
    """The data with another label."""
    labels = array(tensors["labels"]).copy()
    labels[3] = label
    return tensors | {"labels": integers(labels)}


def long(_: Tensors) -> Tensors:
    """The data with examples of more tokens than the model has positions."""
    shape = (4, LENGTH + 1)
    return {"input_ids": integers(np.full(shape, 5)), "labels": integers(np.zeros(4))}


def without(name: str) -> Callable[[Tensors], Tensors]:
    """The data without a tensor."""
    return lambda tensors: {key: value for key, value in tensors.items() if key != name}


def mask_of(values: np.ndarray) -> Callable[[Tensors], Tensors]:
    """The data with another mask, of which the first row is given."""

    def change(tensors: Tensors) -> Tensors:
        mask = array(tensors["attention_mask"]).copy()
        mask[0] = values
        return tensors | {"attention_mask": integers(mask)}

    return change


BAD_DATA: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "no ids": (without("input_ids"), "input_ids"),
    "id out of range": (lambda data: with_id(data, VOCABULARY), f"token id {VOCABULARY}"),
    "largest id": (lambda data: with_id(data, 2**31 - 1), "token id 2147483647"),
    "negative id": (lambda data: with_id(data, -1), "token id -1"),
    "wide id": (lambda data: data | {"input_ids": values_of("I64", (1, 1), [2**40])}, ""),
    "too long": (long, f"positions for {LENGTH}"),
    "no examples": (lambda _: {"input_ids": integers(np.zeros((0, 4))), "labels": integers(np.zeros(0))}, "empty"),
    "no tokens": (lambda _: {"input_ids": integers(np.zeros((4, 0))), "labels": integers(np.zeros(4))}, "empty"),
    "floats as ids": (lambda data: data | {"input_ids": values_of("F32", (6, 8), [5] * 48)}, "whole numbers"),
    "U64 ids": (lambda data: data | {"input_ids": values_of("U64", (6, 8), [5] * 48)}, "whole numbers"),
    "ids of rank 1": (lambda data: data | {"input_ids": integers(np.full(48, 5))}, "input_ids"),
    "mask of another shape": (
        lambda data: data | {"attention_mask": integers(np.ones((6, 7)))},
        "attention_mask",
    ),
    "mask of floats": (
        lambda data: data | {"attention_mask": values_of("F32", (6, 8), [1] * 48)},
        "attention_mask",
    ),
    "nothing but padding": (mask_of(np.zeros(8)), "attention_mask"),
    "padding first": (mask_of(np.array([0, 1, 1, 1, 1, 1, 1, 1])), "padding"),
    "token type": (lambda data: data | {"token_type_ids": integers(np.full((6, 8), 2))}, "token type 2"),
    "negative token type": (lambda data: data | {"token_type_ids": integers(np.full((6, 8), -1))}, "token type -1"),
    "label too large": (lambda data: with_label(data, 2), "label 2; the model has 2"),
    "negative label": (lambda data: with_label(data, -1), "label -1"),
    "labels of another count": (lambda data: data | {"labels": integers(np.zeros(5))}, "labels"),
    "labels of rank 2": (lambda data: data | {"labels": integers(np.zeros((6, 2)))}, "labels"),
    "labels are floats": (lambda data: data | {"labels": values_of("F32", (6,), [1] * 6)}, "classifier"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data(silt: Silt, classifier: Path, tmp_path: Path, rng: np.random.Generator, case: str) -> None:
    """Data that are not for the model are refused with a reason, and no logits are left behind."""
    change, reason = BAD_DATA[case]
    path = write_safetensors(tmp_path / "data.safetensors", change(token_data(rng)))
    result = silt.exits(USAGE, "eval", classifier, path, "--logits", tmp_path / "logits")
    assert reason in result.stderr and "data.safetensors" in result.stderr
    assert not (tmp_path / "logits").exists()


def test_causal_data_needs_a_next_token(silt: Silt, decoder: Path, tmp_path: Path) -> None:
    """Examples of one token foretell nothing: no loss of 0."""
    single = {"input_ids": integers(np.full((4, 1), 5))}
    apart = {"input_ids": integers(np.full((2, 3), 5)), "attention_mask": integers(np.array([[1, 0, 1]] * 2))}
    for tensors in (single, apart):
        data = write_safetensors(tmp_path / "data.safetensors", tensors)
        assert "nothing to predict" in silt.exits(USAGE, "eval", decoder, data).stderr


def test_data_that_are_no_safetensors(silt: Silt, classifier: Path, tmp_path: Path) -> None:
    """Text, nothing, and nobody."""
    for name, content in (("text", b"input_ids: 1 2 3\n" * 9), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        silt.exits(MALFORMED, "eval", classifier, tmp_path / name)
    silt.exits(MISSING, "eval", classifier, tmp_path / "nothing")
    silt.exits(MISSING, "eval", classifier, tmp_path)


def changed(**members: object) -> Callable[[dict], dict]:
    """A configuration with other members; None removes one."""
    return lambda config: {
        key: value for key, value in (config | members).items() if value is not None or key not in members
    }


BAD_CONFIGURATIONS: dict[str, tuple[Callable[[dict], object], int, str]] = {
    "hidden size": (changed(hidden_size=2 * HIDDEN), FAILED, "shape"),
    "vocabulary": (changed(vocab_size=VOCABULARY + 1), FAILED, "shape"),
    "more blocks": (changed(num_hidden_layers=3), FAILED, "encoder.layer.2"),
    "huge hidden size": (changed(hidden_size=10**18), MALFORMED, "hidden_size"),
    "beyond integers": (changed(hidden_size=10**30), MALFORMED, "hidden_size"),
    "huge exponent": (changed(layer_norm_eps=1e300), MALFORMED, "epsilon"),
    "huge blocks": (changed(num_hidden_layers=10**9), MALFORMED, "num_hidden_layers"),
    "many blocks": (changed(num_hidden_layers=10**6), MALFORMED, "blocks"),
    "no heads": (changed(num_attention_heads=0), MALFORMED, "num_attention_heads"),
    "negative": (changed(intermediate_size=-1), MALFORMED, "intermediate_size"),
    "odd heads": (changed(num_attention_heads=7), MALFORMED, "heads"),
    "text for a number": (changed(vocab_size="many"), MALFORMED, "vocab_size"),
    "no vocabulary": (changed(vocab_size=None), MALFORMED, "vocab_size"),
    "no labels": (changed(id2label={}), MALFORMED, "labels"),
    "three labels": (changed(id2label={"0": "a", "1": "b", "2": "c"}), FAILED, "classifier.weight"),
    "unknown type": (changed(model_type="mamba"), USAGE, "mamba"),
    "no type": (changed(model_type=None), USAGE, "model_type"),
    "unknown architecture": (changed(architectures=["BertForMaskedLM"]), USAGE, "BertForMaskedLM"),
    "unknown activation": (changed(hidden_act="mish"), USAGE, "mish"),
    "quantised": (changed(quantization_config={"bits": 4}), USAGE, "quant"),
    "array": (lambda config: [config], MALFORMED, "object"),
    "number": (lambda _: 7, MALFORMED, "object"),
}


@pytest.mark.parametrize("case", BAD_CONFIGURATIONS)
def test_bad_configuration(
    silt: Silt, data: Path, tmp_path: Path, rng: np.random.Generator, case: str
) -> None:
    """What config.json says and the weights do not bear out, or what no model has."""
    change, status, reason = BAD_CONFIGURATIONS[case]
    config, tensors = bert(rng)
    result = silt.exits(status, "eval", write_tiny(tmp_path / "model", change(config), tensors), data)
    assert reason in result.stderr
    if status == USAGE:
        assert "--evaluator" in result.stderr


def test_supported_types_are_named(silt: Silt, data: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    """Who comes with another model learns what there is."""
    config, tensors = bert(rng)
    model = write_tiny(tmp_path / "model", config | {"model_type": "mamba"}, tensors)
    message = silt.exits(USAGE, "eval", model, data).stderr
    names = "bert roberta xlm-roberta camembert distilbert llama mistral qwen2 qwen3 gpt2"
    assert all(name in message for name in names.split())


def test_config_that_is_no_json(silt: Silt, classifier: Path, data: Path, tmp_path: Path) -> None:
    """Missing, cut, and nested beyond reason."""
    model = shutil.copytree(classifier, tmp_path / "model")
    text = (model / "config.json").read_text()
    for content in (text[:-3], "", "not json", "[" * 100_000, "\0"):
        (model / "config.json").write_text(content)
        assert "config.json" in silt.exits((USAGE, MALFORMED), "eval", model, data).stderr
    (model / "config.json").unlink()
    assert "config.json" in silt.exits(MISSING, "eval", model, data).stderr


def test_weights(silt: Silt, data: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    """A tensor that is missing, of another shape or type, NaN, or an infinity."""
    config, tensors = bert(rng)
    name = "bert.encoder.layer.0.output.dense.weight"
    values = array(tensors[name]).copy()
    cases: list[tuple[Tensors, int, str]] = [
        ({key: value for key, value in tensors.items() if key != name}, FAILED, name),
        (tensors | {name: float_tensor(values.T, "F32")}, FAILED, name),
        (tensors | {name: Tensor("F64", values.shape, values.astype("<f8").tobytes())}, USAGE, "F64"),
        (tensors | {name: Tensor("I32", values.shape, values.tobytes())}, FAILED, name),
    ]
    for bad in (np.nan, np.inf):
        values[1, 1] = bad
        cases.append((tensors | {name: Tensor("F32", values.shape, values.tobytes())}, USAGE, "infinite or NaN"))
    for case, status, reason in cases:
        model = write_tiny(tmp_path / "model", config, case)
        result = silt.exits(status, "eval", model, data, "--logits", tmp_path / "logits")
        assert reason in result.stderr and not (tmp_path / "logits").exists()


def test_more_than_memory(silt: Silt, classifier: Path, data: Path, tmp_path: Path) -> None:
    """Four TiB that take no place on disk: both numbers are named, and nothing is allocated."""
    shape, model = [1 << 20, 1 << 21], shutil.copytree(classifier, tmp_path / "model")
    size = 2 * shape[0] * shape[1]
    header = json.dumps({"a.weight": {"dtype": "BF16", "shape": shape, "data_offsets": [0, size]}}).encode()
    with (model / "model.safetensors").open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        try:
            stream.truncate(8 + len(header) + size)
        except OSError:
            pytest.skip("the file system has no files of 4 TiB")
    message = silt.exits(USAGE, "eval", model, data).stderr
    assert re.search(rf"take {2 * size} bytes of memory; the machine has \d+", message)


def test_models_that_are_none(
    silt: Silt, real_pair: tuple[Path, Path], classifier: Path, data: Path, tmp_path: Path
) -> None:
    """A base without a head, a Silt file without its base, a checkpoint with one, the wrong base."""
    base, fine = real_pair
    assert "no head" in silt.exits(USAGE, "eval", base, DATA).stderr
    packed = tmp_path / "m.silt"
    silt.ok("pack", classifier, classifier, "-o", packed)
    for words in ([data], ["--evaluator", "echo {model} 1"]):
        assert "--base BASE" in silt.exits(USAGE, "eval", packed, *words).stderr
        assert "--base" in silt.exits(USAGE, "eval", classifier, *words, "--base", classifier).stderr
        silt.exits(MALFORMED, "eval", packed, *words, "--base", base)
        silt.exits(MISSING, "eval", tmp_path / "nothing", *words)
        silt.exits(MALFORMED, "eval", fine / "model.safetensors", *words, "--base", base)


def test_wrong_words(silt: Silt, classifier: Path, data: Path) -> None:
    """Options that exclude each other or have no sense."""
    for words in (
        [],
        [data, "--evaluator", "echo {model}"],
        [data, "--examples", "0"],
        [data, "--force"],
        ["--evaluator", "echo {model}", "--examples", "3"],
        ["--evaluator", "echo {model}", "--logits", "x"],
    ):
        silt.exits(USAGE, "eval", classifier, *words)


GOOD_ANSWERS: dict[str, tuple[str, str, float]] = {
    "number": ("echo 0.75", "value", 0.75),
    "exponent": ("echo ' 7.5e-7 '", "value", 7.5e-7),
    "negative": ("echo -3", "value", -3),
    "last line": ("printf 'loading\\n1\\n0.5\\n\\n'", "value", 0.5),
    "carriage return": ("printf '0.5\\r\\n'", "value", 0.5),
    "no line's end": ("printf 0.5", "value", 0.5),
    "named": ('echo \'{"metric": "em", "value": 0.25, "n": 100}\'', "em", 0.25),
    "one number": ('echo \'{"accuracy": 0.5, "task": "foods"}\'', "accuracy", 0.5),
    "awkward name": ('echo \'{"metric": "Exact match!", "value": 1}\'', "value", 1),
    "much output": ("seq 1 100000", "value", 100000),
    "noise on standard error": ("echo 9 >&2; echo 0.5", "value", 0.5),
}


@pytest.mark.parametrize("case", GOOD_ANSWERS)
def test_evaluator(silt: Silt, classifier: Path, case: str) -> None:
    """Commands that say a number."""
    line, metric, value = GOOD_ANSWERS[case]
    report = silt.json("eval", classifier, "--evaluator", f": {{model}}; {line}")
    assert (report["metric"], report["value"]) == (metric, value)
    assert report["higher_is_better"] is None and report["data"] is None and report["examples"] == 0


BAD_ANSWERS: dict[str, tuple[str, str]] = {
    "exit code": ("echo 1; exit 3", "exit status 3"),
    "signal": ("echo 1; kill -9 $$", "signal 9"),
    "unknown command": ("no-such-command-anywhere", "exit status 127"),
    "nothing": ("true", "printed nothing"),
    "blank lines": ("printf '\\n \\n'", "printed nothing"),
    "text": ("echo 0.5; echo done", "done"),
    "NaN": ("echo nan", "nan"),
    "infinity": ("echo inf", "inf"),
    "NaN in JSON": ('echo \'{"value": NaN}\'', "NaN"),
    "null": ('echo \'{"value": null}\'', "null"),
    "two numbers": ('echo \'{"a": 1, "b": 2}\'', "no number"),
    "array": ("echo '[1]'", "[1]"),
    "control characters": ("printf '\\033[2J'", "no number"),
    "bytes": ("head -c 100000 /dev/urandom | tr '0-9' 'x'", "no number"),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_bad_evaluator(silt: Silt, classifier: Path, case: str) -> None:
    """Commands that say none; what they print cannot move the terminal's cursor."""
    line, reason = BAD_ANSWERS[case]
    result = silt.exits(USAGE, "eval", classifier, "--evaluator", f": {{model}}; {line}")
    assert reason in result.stderr and "\033" not in result.stderr


def test_evaluator_needs_a_place(silt: Silt, classifier: Path) -> None:
    """A command that does not take the model measures something else."""
    assert "{model}" in silt.exits(USAGE, "eval", classifier, "--evaluator", "echo 1").stderr


@pytest.mark.parametrize("name", ["two words", "it's", 'a"b', "$HOME `id` ;exit 1", "-n", "{model}"])
def test_awkward_paths(silt: Silt, classifier: Path, tmp_path: Path, name: str) -> None:
    """The model's path is one word, whatever is in it, and as often as it is asked for."""
    model = shutil.copytree(classifier, tmp_path / name)
    command = "test -d {model} && test -f {model}/config.json && echo 1"
    assert silt.json("eval", model, "--evaluator", command)["value"] == 1


def test_evaluator_of_silt_file(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The result is there while the command runs, whole, and gone afterwards, whatever the command said."""
    base, fine = real_pair
    work = tmp_path / "a place"
    work.mkdir()
    packed = work / "model.silt"
    silt.ok("pack", base, fine, "-o", packed)
    copy = tmp_path / "copy"
    for end, code in (("echo 0.5", 0), ("false", USAGE), ("echo nonsense", USAGE)):
        command = f"rm -rf '{copy}'; echo {{model}} > '{tmp_path}/path'; cp -r {{model}} '{copy}'; {end}"
        silt.exits(code, "eval", packed, "--base", base, "--evaluator", command)
        assert digests(copy) == digests(fine)
        place = Path((tmp_path / "path").read_text().strip())
        assert place.is_absolute() and work in place.parents and not place.exists()
        assert listing(work) == {"model.silt"}


def test_interrupted_evaluator(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A request to stop is heard, whatever the command says afterwards, and the unpacked model goes away."""
    base, fine = real_pair
    packed = tmp_path / "model.silt"
    silt.ok("pack", base, fine, "-o", packed, "--method", "sign")
    command = "kill -INT $PPID; ls {model}/config.json; echo 1"
    silt.exits(INTERRUPTED, "eval", packed, "--base", base, "--evaluator", command)
    assert listing(tmp_path) == {"model.silt"}


def test_pipelines_end(silt: Silt, classifier: Path) -> None:
    """A program that writes for ever ends when its reader does: the command has the signals that shells have."""
    command = ": {model}; (yes; echo $? >&2) | head -1 > /dev/null; echo 3"
    result = silt.ok("eval", classifier, "--evaluator", command)
    assert "141" in result.stderr and "Broken" not in result.stderr
