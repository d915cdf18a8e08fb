"""`silt finetune`: what it writes, how it ends, and what it refuses."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

import models
from checkpoints import read_safetensors, write_safetensors
from program import CANNOT_CREATE, FAILED, INTERRUPTED, MISSING, OK, ROOT, USAGE, Silt, digests, listing

FOODS = ROOT / "Tests" / "Data" / "eval" / "foods-small.safetensors"


@pytest.fixture
def bert(tmp_path: Path, rng: np.random.Generator) -> list[object]:
    """The words that train a tiny classifier, but for the output."""
    base = models.write_tiny(tmp_path / "base", *models.bert(rng))
    for name in ("train", "validation"):
        write_safetensors(tmp_path / name, models.token_data(rng, 24))
    return ["finetune", base, "--train", tmp_path / "train", "--validation", tmp_path / "validation", "--batch", "6"]


def test_a_real_model(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """From base to delta: the report is what eval measures, and the delta of the trained model verifies."""
    base, out, packed = real_pair[0], tmp_path / "out", tmp_path / "out.silt"
    words = ["--train", FOODS, "--validation", FOODS, "--epochs", "3", "--batch", "12", "--examples", "36", "--lr", "2e-4"]
    words += ["--optimizer", "adamr", "--pull", "0.01", "--label-names", "other,great"]
    report = silt.json("finetune", base, *words, "-o", out)
    assert (report["metric"], report["steps"], report["new_parameters"]) == ("accuracy", 9, 2 * 384 + 2)
    assert report["value"] > 0.5 and report["history"][-1]["loss"] < report["history"][0]["loss"]
    assert silt.json("eval", out, FOODS, "--examples", 36)["value"] == report["value"]
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in base.iterdir())
    assert (out / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    config = json.loads((out / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"] and config["dtype"] == "bfloat16"
    assert config["id2label"] == {"0": "other", "1": "great"} and config["label2id"] == {"other": 0, "great": 1}
    tensors = read_safetensors(out / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {"BF16"}
    assert set(tensors) == {*read_safetensors(base / "model.safetensors"), "classifier.weight", "classifier.bias"}
    silt.pack(base, out, packed)
    silt.ok("verify", base, packed, "--against", out, "--eval", FOODS)


def test_a_causal_model(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """Data without labels train the next token."""
    base = models.write_tiny(tmp_path / "base", *models.llama(rng))
    data = {name: tensor for name, tensor in models.token_data(rng, 12).items() if name != "labels"}
    write_safetensors(tmp_path / "data", data)
    words = ["--train", tmp_path / "data", "--validation", tmp_path / "data", "--epochs", 10, "--batch", 4, "--lr", "0.01"]
    report = silt.json("finetune", base, *words, "-o", tmp_path / "out")
    assert report["metric"] == "loss" and report["value"] < 0.9 * silt.json("eval", base, tmp_path / "data")["value"]
    assert report["new_parameters"] == 0
    assert set(read_safetensors(tmp_path / "out/model.safetensors")) == set(read_safetensors(base / "model.safetensors"))


def test_a_causal_model_becomes_a_classifier(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    base = models.write_tiny(tmp_path / "base", *models.llama(rng))
    write_safetensors(tmp_path / "data", models.token_data(rng, 12))
    words = ["--train", tmp_path / "data", "--validation", tmp_path / "data", "--epochs", 30, "--lr", "0.01"]
    report = silt.json("finetune", base, *words, "-o", tmp_path / "out")
    assert report["metric"] == "accuracy" and report["value"] == 1
    tensors = read_safetensors(tmp_path / "out/model.safetensors")
    assert tensors["score.weight"].shape == (2, models.HIDDEN) and "lm_head.weight" not in tensors


def test_values_make_a_regressor(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    base = models.write_tiny(tmp_path / "base", *models.bert(rng))
    data = models.token_data(rng, 12)
    data["labels"] = models.float_tensor(np.linspace(-1, 1, 12), "F32")
    write_safetensors(tmp_path / "data", data)
    words = ["--train", tmp_path / "data", "--validation", tmp_path / "data", "--epochs", 40, "--lr", "0.01", "--new-head"]
    report = silt.json("finetune", base, *words, "-o", tmp_path / "out")
    assert report["metric"] == "pearson" and report["value"] > 0.9
    assert json.loads((tmp_path / "out/config.json").read_text())["problem_type"] == "regression"


def test_the_same_bits_again(silt: Silt, bert: list[object], tmp_path: Path) -> None:
    """A seed decides the result, the number of threads does not."""
    for name, options in (("one", ["-t", 1]), ("two", ["-t", 3]), ("other", ["--seed", 1])):
        silt.ok(*bert, "-o", tmp_path / name, *options)
    assert digests(tmp_path / "one") == digests(tmp_path / "two") != digests(tmp_path / "other")


@pytest.mark.slow
def test_ctrl_c_leaves_the_best_model(silt: Silt, bert: list[object], tmp_path: Path) -> None:
    """Exit code 130, a whole directory, and a state from which the training ends as if nothing had happened."""
    words = [*bert, "--epochs", 2000, "--validate-every", 50, "--lr", "1e-4", "-t", 1]
    command = [str(silt.path), *map(str, words), "-o", str(tmp_path / "out"), "--verbose"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr and "best so far" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, errors
    assert "holds the best model so far" in errors
    assert {"out", "out.state"} <= listing(tmp_path)
    silt.ok("eval", tmp_path / "out", tmp_path / "validation")
    rest = silt.json(*words, "-o", tmp_path / "out", "--resume")
    whole = silt.json(*words, "-o", tmp_path / "whole")
    assert 0 < rest["steps_of_run"] < whole["steps_of_run"] == 8000
    assert rest["history"] == whole["history"]
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")
    assert "out.state" not in listing(tmp_path)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--optimizer", "adamr", "--pull=-1"], USAGE, "the pull is -1"),
        (["--optimizer", "adamr"], USAGE, "needs a pull"),
        (["--pull", "1"], USAGE, "requires adamr"),
        (["--lr", "0"], USAGE, "learning rate"),
        (["--lr", "1e30", "--head-lr", "1e30", "--clip", "0", "--warmup", "0"], FAILED, "diverged at step"),
        (["--labels", "3"], USAGE, "--new-head"),
        (["--task", "causal"], USAGE, "cannot predict next tokens"),
        (["--train", "none"], MISSING, "none"),
        (["--resume"], MISSING, "out.state"),
        (["--resume", "--force"], USAGE, "--force starts over"),
        (["--optimizer", "sgd"], USAGE, "sgd"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refusals(
    silt: Silt, bert: list[object], tmp_path: Path, options: list[str], code: int, words: str
) -> None:
    """Each by its own words, and nothing is left."""
    before = listing(tmp_path)
    result = silt.exits(code, *bert, "-o", tmp_path / "out", *options)
    assert words in result.stderr
    assert listing(tmp_path) - before <= ({"out.state"} if code == FAILED else set())


def test_other_data_are_refused(silt: Silt, bert: list[object], tmp_path: Path, rng: np.random.Generator) -> None:
    data = models.token_data(rng, 6)
    data["labels"] = models.integers(np.array([0, 1, 2, 0, 1, 0]))
    write_safetensors(tmp_path / "odd", data)
    result = silt.exits(USAGE, *bert, "-o", tmp_path / "out", "--train", tmp_path / "odd")
    assert "label 2" in result.stderr and "2 labels" in result.stderr
    data["labels"] = models.integers(np.array([0, 1, 0, 0, 1, 0]))
    data["input_ids"] = models.integers(np.full((6, models.LENGTH), models.VOCABULARY))
    write_safetensors(tmp_path / "odd", data)
    result = silt.exits(USAGE, *bert, "-o", tmp_path / "out", "--train", tmp_path / "odd")
    assert f"token id {models.VOCABULARY}" in result.stderr


def test_a_base_that_is_none(silt: Silt, bert: list[object], tmp_path: Path, rng: np.random.Generator) -> None:
    """Tensors that are missing are named."""
    config, tensors = models.bert(rng)
    del tensors["bert.encoder.layer.1.output.dense.weight"]
    models.write_tiny(tmp_path / "base", config, tensors)
    result = silt.exits(FAILED, *bert, "-o", tmp_path / "out")
    assert "bert.encoder.layer.1.output.dense.weight" in result.stderr
    models.write_tiny(tmp_path / "base", {**config, "model_type": "t5"}, tensors)
    assert "t5" in silt.exits(USAGE, *bert, "-o", tmp_path / "out").stderr


def test_what_exists_stays(silt: Silt, bert: list[object], tmp_path: Path) -> None:
    """--force replaces an older model, but no directory with anything else in it."""
    silt.ok(*bert, "-o", tmp_path / "out")
    before = digests(tmp_path / "out")
    silt.exits(CANNOT_CREATE, *bert, "-o", tmp_path / "out", "--seed", 3)
    assert digests(tmp_path / "out") == before
    silt.exits(OK, *bert, "-o", tmp_path / "out", "--seed", 3, "--force")
    assert digests(tmp_path / "out") != before
    (tmp_path / "out/diary.txt").write_text("dear diary")
    silt.exits(CANNOT_CREATE, *bert, "-o", tmp_path / "out", "--force")
    assert (tmp_path / "out/diary.txt").read_text() == "dear diary"
