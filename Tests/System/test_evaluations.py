"""Evaluations: metrics that a lossy file has in its manifest. The files are vectors of the format."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from program import ROOT, Silt, manifest_of

VECTORS = ROOT / "Formats" / "Vectors"
BASE = VECTORS / "bases" / "tiny.safetensors"
COUNTS = {
    "lossy-evaluation": 1,
    "lossy-evaluations": 7,
    "lossy-evaluations-most": 64,
    "lossy-dropped": 0,
    "exact-bf16": 0,
}


def vector(name: str) -> Path:
    return VECTORS / "valid" / f"{name}.silt"


def rows(silt: Silt, path: Path) -> list[list[str]]:
    """The table of evaluations that `inspect` prints, without its titles; empty if it prints none."""
    lines = [line.split() for line in silt.ok("inspect", path).stdout.splitlines()]
    begins = [number for number, words in enumerate(lines) if words[:1] == ["metric"]]
    if not begins:
        return []
    (begin,) = begins
    assert lines[begin][1:6] == ["use", "examples", "base", "fine-tuned", "rebuilt"]
    return lines[begin + 1 : lines.index([], begin)]


@pytest.mark.parametrize("name", COUNTS)
def test_inspect(silt: Silt, name: str) -> None:
    """--json has the manifest's objects, the table a row for each."""
    wanted = []
    for entry in manifest_of(vector(name)).get("evaluations", []):
        numbers = {key: float(entry[key]) for key in ("base", "finetuned", "rebuilt") if key in entry}
        named = {key: entry[key] for key in ("data", "use", "metric", "examples")}
        wanted.append({"base": None} | named | numbers)
    found = silt.json("inspect", vector(name))["evaluations"]
    assert found == wanted and len(found) == COUNTS[name]
    table = rows(silt, vector(name))
    assert len(table) == len(wanted)
    for row, entry in zip(table, wanted, strict=True):
        assert entry["metric"].endswith(row[0].removeprefix("…")) and row[1] == entry["use"]
        assert int(row[2].replace(",", "")) == entry["examples"]
        for text, value in zip(row[3:6], (entry["base"], entry["finetuned"], entry["rebuilt"]), strict=True):
            if value is None:
                assert text == "-"
            else:
                assert float(text) == pytest.approx(value, rel=1e-2, abs=1e-300)


def test_data_sets_are_named_where_they_differ(silt: Silt) -> None:
    """One data set needs no column; of several, each row has its own's first digits."""
    assert {len(row) for row in rows(silt, vector("lossy-evaluations-most"))} == {6}
    digits = [entry["data"][:8] for entry in manifest_of(vector("lossy-evaluations"))["evaluations"]]
    assert [row[6] for row in rows(silt, vector("lossy-evaluations"))] == digits
    assert len(set(digits)) == 2


@pytest.mark.parametrize("options", [(), ("--base", BASE)], ids=["alone", "base"])
def test_rescale_removes_them(silt: Silt, tmp_path: Path, options: tuple[object, ...]) -> None:
    """They are of the old result. `rescale` says so, once, and `verify --update` brings none back."""
    file, other = tmp_path / "m.silt", tmp_path / "n.silt"
    for copy in (file, other):
        shutil.copyfile(vector("lossy-evaluations"), copy)
    assert "evaluations removed: 7" in silt.ok("rescale", file, "--q", "0.5", *options).stdout
    assert silt.json("rescale", other, "--q", "0.5", *options)["removed_evaluations"] == 7
    silt.ok("verify", BASE, file, "--update")
    assert silt.json("inspect", file)["evaluations"] == [] and rows(silt, file) == []
    assert "evaluations" not in manifest_of(file)
    assert "evaluations" not in silt.ok("rescale", file, "--q", "0.25").stdout
    assert silt.json("rescale", file, "--q", "0.5")["removed_evaluations"] == 0


def test_update_leaves_them(silt: Silt, tmp_path: Path) -> None:
    """A file whose digests are known is not changed."""
    file = tmp_path / "m.silt"
    shutil.copyfile(vector("lossy-evaluations"), file)
    silt.ok("verify", BASE, file, "--update")
    assert file.read_bytes() == vector("lossy-evaluations").read_bytes()
