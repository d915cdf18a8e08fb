"""`silt plan --calibration`: the paper's pipeline, node by node, and what its branches give."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensors, float_tensor, read_safetensors, write_safetensors
from models import bert, llama, token_data, write_tiny
from program import MISSING, ROOT, USAGE, Silt, flags, listing

pytestmark = pytest.mark.slow

DATA = ROOT / "Tests" / "Data" / "eval" / "foods-small.safetensors"
FAST = ("--examples", "8")
Pair = tuple[Path, Path]


def without_labels(source: Path, target: Path) -> Path:
    """A copy of a data set that has none."""
    return write_safetensors(target, {k: v for k, v in read_safetensors(source).items() if k != "labels"})


def moved(tensors: Tensors, size: float, stretch: float = 1.0) -> Tensors:
    """Matrices with noise of this size (embeddings and heads too), vectors times a factor."""
    rng = np.random.default_rng(5)
    changed = {}
    for name, tensor in tensors.items():
        values = np.frombuffer(tensor.data, "<f4").reshape(tensor.shape)
        noise = size * rng.standard_normal(tensor.shape)
        changed[name] = float_tensor(values * stretch if len(tensor.shape) == 1 else values + noise, "F32")
    return changed


def pair_of(work: Path, config: dict, tensors: Tensors, size: float, stretch: float = 1.0) -> Pair:
    """A tiny base and its fine-tune."""
    return (
        write_tiny(work / "base", config, tensors),
        write_tiny(work / "fine", config, moved(tensors, size, stretch)),
    )


def plan(silt: Silt, *words: object) -> dict:
    """The plan as JSON. It runs models a hundred times and more: slow machines need long."""
    return json.loads(silt.ok("plan", *words, "--json", timeout=900).stdout)


def answers(report: dict) -> dict[str, str]:
    """The answer of each node, in order."""
    return {step["node"]: step["answer"] for step in report["pipeline"]}


def step(report: dict, node: str) -> dict:
    """One node."""
    (only,) = [step for step in report["pipeline"] if step["node"] == node]
    return only


def check(report: dict) -> None:
    """What holds of every walk."""
    for entry in report["pipeline"]:
        assert list(entry) == ["node", "question", "answer", "evidence", "numbers", "leads_to"]
        assert entry["question"].endswith("?") and entry["evidence"] and entry["leads_to"]
    ways = report["measured"]
    assert all(list(way) == ["name", "options", "bytes", "kl", "metric"] for way in ways)
    exact, choice, other = ways[0], report["choice"], report["alternative"]
    assert (exact["options"], exact["kl"]) == (None, 0)
    assert choice in ways and (other is None or other in ways)
    if other is not None:
        assert other["bytes"] <= choice["bytes"]
    if exact["bytes"] <= choice["bytes"]:
        wanted = "exact"
    else:
        wanted = "alternative" if other is not None and other["kl"] < choice["kl"] else "choice"
    assert report["recommended"] == wanted


@pytest.fixture(scope="module")
def labelled(silt: Silt, real_pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The committed pair; labels are in the validation data only."""
    data = without_labels(DATA, tmp_path_factory.mktemp("pipeline") / "it's data.safetensors")
    return plan(silt, *real_pair, "--calibration", data, "--validation", DATA, *FAST) | {"calibration": data}


@pytest.fixture(scope="module")
def large(silt: Silt, tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Path, dict]:
    """A tiny encoder whose delta is noise, which no random mask survives; it can be trained again."""
    work = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(3)
    pair = pair_of(work, *bert(rng), 0.15)
    data = write_safetensors(work / "data.safetensors", token_data(rng, 24))
    return pair, data, plan(silt, *pair, "--calibration", data, "--trainable")


def test_encoder_with_labels(labelled: dict) -> None:
    """Random drop survives p = .9: q by label, tensor by tensor."""
    check(labelled)
    assert list(answers(labelled).values()) == ["no", "no", "no", "yes", "encoder", "not known"]
    numbers = step(labelled, "delta")["numbers"]
    assert numbers["kl_share"] == pytest.approx(numbers["kl"] / numbers["kl_without_delta"])
    assert numbers["kl_share"] < numbers["threshold"] == 0.1
    assert "10 %" in step(labelled, "delta")["evidence"]
    assert labelled["choice"]["name"] == "DAREx-q per tensor"
    options = labelled["choice"]["options"]
    assert (options["rule"], options["per"]) == ("labelled", "tensor")
    names = {way["name"] for way in labelled["measured"]}
    assert names >= {"exact", "DARE", "DAREx-q labelled", "DAREx-q unlabelled", "DAREx-q kl"}
    assert names >= {"magnitude, fitted", "WANDA, fitted", "transform"}
    reference = labelled["reference"]
    assert reference["metric"] == "accuracy" and reference["examples"] == 8
    assert reference["kl_without_delta"] == numbers["kl_without_delta"]


@pytest.mark.parametrize("name", ["DAREx-q per tensor", "DAREx-q kl", "WANDA, fitted", "DAREx-q, columns", "transform"])
def test_measured_is_what_pack_writes(
    silt: Silt, real_pair: Pair, labelled: dict, tmp_path: Path, name: str
) -> None:
    """The options, given to `silt pack`, make a file of that size, with that divergence and metric."""
    way = next(way for way in labelled["measured"] if way["name"] == name)
    path = tmp_path / "m.silt"
    report = silt.json("pack", *real_pair, "-o", path, *flags(way["options"], labelled["calibration"], DATA, FAST[1]))
    assert way["bytes"] == pytest.approx(report["bytes"], rel=0.04)
    for entry in report["evaluations"]:
        if entry["metric"] == "kl":
            assert entry["rebuilt"] == pytest.approx(way["kl"], rel=1e-6)
    assert silt.json("eval", path, DATA, "--base", real_pair[0], *FAST)["value"] == way["metric"]


def test_encoder_without_labels(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """q by output change, and no metric anywhere. The page for people says the same."""
    data = without_labels(DATA, tmp_path / "data.safetensors")
    before = listing(tmp_path)
    report = plan(silt, *real_pair, "--calibration", data, "--examples", "4")
    check(report)
    assert answers(report)["labels"] == "no" and report["choice"]["name"] == "DAREx-q per tensor"
    options = report["choice"]["options"]
    assert (options["rule"], options["per"]) == ("unlabelled", "tensor")
    assert all(way["metric"] is None for way in report["measured"])
    assert report["reference"]["metric"] is None and report["reference"]["finetuned"] is None
    assert listing(tmp_path) == before


def test_large_delta(large: tuple[Pair, Path, dict]) -> None:
    """Noise at three times its size: importance pruning, by whichever is nearer, at p = .9."""
    _, _, report = large
    check(report)
    assert list(answers(report)) == ["training", "adapter", "delta", "importance", "hardware"]
    assert answers(report)["delta"] == "yes"
    numbers = step(report, "delta")["numbers"]
    assert numbers["kl"] > 0.1 * numbers["kl_without_delta"]
    found = step(report, "importance")["numbers"]
    nearer = "WANDA, fitted" if found["kl_wanda"] <= found["kl_magnitude"] else "magnitude, fitted"
    assert report["choice"]["name"] == nearer and report["choice"]["options"]["drop"] == 0.9
    assert report["choice"]["kl"] == min(found["kl_wanda"], found["kl_magnitude"]) < found["kl_dare"]


def test_trainable(large: tuple[Pair, Path, dict]) -> None:
    """Advice to train with a pull towards the base, and the rest of the walk all the same."""
    _, _, report = large
    first = report["pipeline"][0]
    assert (first["node"], first["answer"]) == ("training", "yes")
    assert "DAREx-L2" in first["leads_to"]
    assert report["advice"][0] == {"kind": "train"}


def test_lines(silt: Silt, large: tuple[Pair, Path, dict], tmp_path: Path) -> None:
    """For people: the nodes, what was measured, and the command at the end; nothing beyond 80 columns but that."""
    pair, data, report = large
    lines = silt.ok("plan", *pair, "--calibration", data, "--trainable", timeout=900).stdout.splitlines()
    best = {"exact": report["measured"][0], "choice": report["choice"], "alternative": report["alternative"]}
    command = shlex.split(lines[-1])
    assert command[:4] == ["silt", "pack", *map(str, pair)]
    given = silt.json(*command[1:5], tmp_path / "m.silt", *command[6:])
    assert given["bytes"] == pytest.approx(best[report["recommended"]]["bytes"], rel=0.04)
    assert "silt finetune --optimizer adamr" in " ".join(" ".join(lines).split())
    start = lines.index("The pipeline of the DAREx paper")
    assert lines[start + 1].startswith("1. training: Can the model be trained again? yes")
    assert any("led to" in line and report["choice"]["name"] in line for line in lines[start + 1 :])
    assert max(map(len, lines[start:-1])) <= 80


def test_decoder(silt: Silt, tmp_path: Path) -> None:
    """What follows in the text are labels; one q for all."""
    rng = np.random.default_rng(4)
    pair = pair_of(tmp_path, *llama(rng), 1e-4, stretch=1.3)
    ids = {"input_ids": token_data(rng, 24)["input_ids"]}
    data = write_safetensors(tmp_path / "data.safetensors", ids)
    report = plan(silt, *pair, "--calibration", data)
    check(report)
    assert list(answers(report).values()) == ["no", "no", "no", "yes", "decoder", "not known"]
    assert report["reference"]["metric"] == "loss"
    options = report["choice"]["options"]
    assert (options["rule"], options["per"]) == ("labelled", "global")
    assert report["choice"]["name"] == "DAREx-q labelled"
    assert "DAREx-q per tensor" not in {way["name"] for way in report["measured"]}


def test_nothing_moved(silt: Silt, real_pair: Pair) -> None:
    """A model that is its own base: exact, and no branch."""
    report = plan(silt, real_pair[1], real_pair[1], "--calibration", DATA, *FAST)
    check(report)
    assert answers(report)["delta"] == "nothing changed" and report["recommended"] == "exact"
    assert [way["name"] for way in report["measured"]] == ["exact"]


def test_without_data_nothing_is_run(silt: Silt, pairs: dict[str, Pair]) -> None:
    """The plan is as ever: its pairs need no architecture that Silt runs."""
    report = plan(silt, *pairs["BF16"])
    assert not {"pipeline", "choice", "measured"} & set(report)


@pytest.mark.parametrize("words", [["--trainable"], ["--validation", DATA], ["--examples", "4"]])
def test_options_need_data(silt: Silt, real_pair: Pair, words: list) -> None:
    """Without --calibration they would do nothing."""
    result = silt.exits(USAGE, "plan", *real_pair, *words)
    assert "--calibration" in result.stderr


def test_refusals(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """Data that are missing, have no labels, are for another model; an adapter."""
    silt.exits(MISSING, "plan", *real_pair, "--calibration", tmp_path / "none")
    silt.exits(USAGE, "plan", *real_pair, "--calibration", DATA, "--examples", "0")
    bare = without_labels(DATA, tmp_path / "bare.safetensors")
    result = silt.exits(USAGE, "plan", *real_pair, "--calibration", DATA, "--validation", bare, *FAST)
    assert "labels" in result.stderr
    tiny = pair_of(tmp_path, *bert(np.random.default_rng(6)), 0.1)
    silt.exits(USAGE, "plan", *tiny, "--calibration", DATA)
    (tiny[1] / "adapter_config.json").write_text("{}")
    result = silt.exits(USAGE, "plan", *tiny, "--calibration", DATA)
    assert "adapter" in result.stderr and "--lora" in result.stderr
