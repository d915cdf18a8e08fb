"""`silt eval --gradients`: slopes of the loss that it prints, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensors, float_tensor, read_safetensors, write_safetensors
from models import bert, llama, token_data, write_tiny
from program import CANNOT_CREATE, ROOT, USAGE, Silt
from pruning import values

DATA = ROOT / "Tests" / "Data" / "eval" / "foods-small.safetensors"


def array(tensors: Tensors, name: str) -> np.ndarray:
    """A tensor in binary64."""
    return values(tensors[name]).astype(np.float64).reshape(tensors[name].shape)


@pytest.mark.parametrize("make", [bert, llama])
def test_they_are_slopes(silt: Silt, tmp_path: Path, make: Callable[[np.random.Generator], tuple[dict, Tensors]]) -> None:
    """A small step along the gradient adds its length times the gradient's to the loss."""
    rng = np.random.default_rng(3)
    config, weights = make(rng)
    data = write_safetensors(tmp_path / "data", token_data(rng))
    model = write_tiny(tmp_path / "model", config, weights)
    silt.ok("eval", model, data, "--gradients", tmp_path / "out")
    gradients = read_safetensors(tmp_path / "out")
    assert gradients.keys() == weights.keys()
    assert all(gradients[name].shape == weights[name].shape and gradients[name].dtype == "F32" for name in weights)
    length = sum((array(gradients, name) ** 2).sum() for name in weights)
    losses = []
    for step in (1e-3 / length, -1e-3 / length):
        moved = {name: float_tensor(array(weights, name) + step * array(gradients, name), "F32") for name in weights}
        write_tiny(tmp_path / "moved", config, moved)
        losses.append(silt.json("eval", tmp_path / "moved", data, "--gradients", tmp_path / "other", "--force")["loss"])
    assert losses[0] - losses[1] == pytest.approx(2e-3, rel=0.02)


def test_of_a_real_model(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The bias of the classifier has the mean of probability minus label; threads do not matter, and metrics stay."""
    _, fine = real_pair
    plain = silt.json("eval", fine, DATA, "--logits", tmp_path / "logits")
    for threads in (1, 2):
        report = silt.json("eval", fine, DATA, "--gradients", tmp_path / f"{threads}", "--threads", threads)
        assert report["accuracy"] == plain["accuracy"]
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    logits = array(read_safetensors(tmp_path / "logits"), "logits")
    labels = np.frombuffer(read_safetensors(DATA)["labels"].data, "<i4")
    odds = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = odds / odds.sum(1, keepdims=True)
    assert report["loss"] == pytest.approx(-np.log(probabilities[np.arange(len(labels)), labels]).mean(), rel=1e-6)
    found = array(read_safetensors(tmp_path / "1"), "classifier.bias")
    assert found == pytest.approx((probabilities - np.eye(2)[labels]).mean(0), rel=1e-4)


def test_refusals(silt: Silt, tmp_path: Path) -> None:
    """No labels, a name that is taken, one name for two files; nothing is left behind."""
    rng = np.random.default_rng(4)
    model = write_tiny(tmp_path / "model", *bert(rng))
    tensors = token_data(rng)
    data = write_safetensors(tmp_path / "data", tensors)
    bare = write_safetensors(tmp_path / "bare", {name: tensors[name] for name in tensors if name != "labels"})
    words = ("--gradients", tmp_path / "out", "--logits", tmp_path / "logits")
    assert "labels" in silt.exits(USAGE, "eval", model, bare, *words).stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "logits").exists()
    silt.exits(USAGE, "eval", model, data, "--gradients", tmp_path / "out", "--logits", tmp_path / "out")
    silt.exits(USAGE, "eval", model, "--evaluator", "echo {model}", "--gradients", tmp_path / "out")
    taken = tmp_path / "taken"
    taken.write_text("mine")
    assert "--force" in silt.exits(CANNOT_CREATE, "eval", model, data, "--gradients", taken).stderr
    assert taken.read_text() == "mine"
    silt.ok("eval", model, data, "--gradients", taken, "--force")
    assert "classifier.weight" in read_safetensors(taken)
    silt.exits(CANNOT_CREATE, "eval", model, data, "--gradients", model / "model.safetensors", "--force")
