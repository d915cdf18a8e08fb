"""`verify --eval`: the rebuilt model's metrics against those that the file recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from program import DIFFERS, ROOT, Silt, chunks_of, manifest_of
from silt_seal import Draft, seal

pytestmark = pytest.mark.slow

DATA = ROOT / "Tests" / "Data" / "eval" / "foods-small.safetensors"
BASE, FINE = (ROOT / "Tests" / "Data" / name for name in ("small-base", "small-foods"))


@pytest.fixture(scope="module")
def packed(silt: Silt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with two evaluations, on 16 examples."""
    path = tmp_path_factory.mktemp("eval") / "model.silt"
    silt.ok("pack", BASE, FINE, "-o", path, "--method", "random", "--drop", "0.95", "--calibration", DATA,
            "--examples", "16", "--prediction", "none", "--codec", "lz4")  # fmt: skip
    return path


def test_as_recorded(silt: Silt, packed: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = silt.json("verify", BASE, packed, "--against", FINE, "--eval", DATA, "--report", page)
    assert {(entry["metric"], entry["use"]) for entry in found["metrics"]} == {
        ("kl", "calibration"), ("accuracy", "calibration" if len(found["metrics"]) == 1 else "validation")}  # fmt: skip
    assert all(entry["as_recorded"] is True and entry["examples"] == 16 for entry in found["metrics"])
    text = page.read_text()
    assert "accuracy" in text and DATA.name in text
    assert str(DATA.parent) not in text


def test_other_than_recorded(silt: Silt, packed: Path, tmp_path: Path) -> None:
    """A number that the rebuilt model does not have is a difference."""
    manifest = manifest_of(packed)
    (entry,) = [entry for entry in manifest["evaluations"] if entry["metric"] == "accuracy"]
    entry["rebuilt"] = entry["rebuilt"] - 0.25
    changed = tmp_path / "changed.silt"
    changed.write_bytes(seal(Draft(manifest, chunks_of(packed), contract="lossy")))
    result = silt.run("verify", BASE, changed, "--eval", DATA, "--json")
    assert result.returncode == DIFFERS, result.stderr
    metrics = {entry["metric"]: entry for entry in json.loads(result.stdout)["metrics"]}
    assert metrics["accuracy"]["as_recorded"] is False


def test_not_recorded(silt: Silt, packed: Path, tmp_path: Path) -> None:
    """After rescale nothing is recorded: the metric is shown, and is no difference."""
    changed = tmp_path / "changed.silt"
    changed.write_bytes(packed.read_bytes())
    silt.ok("rescale", changed, "--q", "0.06", "--base", BASE, "--against", FINE)
    (entry,) = silt.json("verify", BASE, changed, "--eval", DATA)["metrics"]
    assert entry["use"] == "not recorded" and entry["as_recorded"] is None
    assert entry["rebuilt"] == silt.json("eval", changed, DATA, "--base", BASE)["accuracy"]


def test_evaluator(silt: Silt, packed: Path) -> None:
    (entry,) = silt.json("verify", BASE, packed, "--evaluator", "test -d {model} && echo 0.5")["metrics"]
    assert entry["rebuilt"] == 0.5
