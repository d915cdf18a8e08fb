"""`silt sweep`: ways of packing, measured in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from program import ROOT, USAGE, Silt, flags

pytestmark = pytest.mark.slow

DATA = ROOT / "Tests" / "Data" / "eval" / "foods-small.safetensors"


@pytest.fixture(scope="module")
def found(silt: Silt, real_pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """The quick rows of the committed pair, and their page."""
    page = tmp_path_factory.mktemp("sweep") / "page.html"
    words = ["--validation", DATA, "--rows", "quick", "--drops", "0,0.99", "--seeds", "2", "--examples", "24"]
    return silt.json("sweep", *real_pair, *words, "--report", page), page


def row(report: dict, method: str, drop: float | None = None) -> dict:
    (only,) = [row for row in report["rows"] if (row["method"], row["drop"]) == (method, drop)]
    return only


def test_rows(found: tuple[dict, Path]) -> None:
    """Every family has its rows; random masks are measured once for each seed."""
    report, _ = found
    assert (report["metric"], report["examples"], report["seeds"]) == ("accuracy", 24, 2)
    methods = [(row["method"], row["drop"], row["metric"]["count"]) for row in report["rows"]]
    assert methods == [
        ("DARE", 0, 1),
        ("DARE", 0.99, 2),
        ("DAREx-q kl", 0.99, 2),
        ("magnitude, fitted", 0.99, 1),
        ("sign (as published)", None, 1),
        *[("low rank", None, 1)] * 5,
        *[("transform", None, 1)] * 5,
        *[("transform, curvature", None, 1)] * 2,
    ]


def test_ranks(found: tuple[dict, Path]) -> None:
    """Matrices that are smaller than a rank stay exact in its row, and the row says so."""
    report, _ = found
    ranks = {entry["options"]["rank"]: entry["options"] for entry in report["rows"] if entry["method"] == "low rank"}
    assert list(ranks) == [1, 2, 4, 8, 16]
    assert ["token_type" in ranks[rank].get("except", "") for rank in ranks] == [False, False, True, True, True]


def test_tuned_q_is_nearer(found: tuple[dict, Path]) -> None:
    """Where q is found and measured on the same data, no mask is farther than with q = 1 - p."""
    report, _ = found
    dare, tuned = row(report, "DARE", 0.99), row(report, "DAREx-q kl", 0.99)
    assert tuned["divergence"]["mean"] < dare["divergence"]["mean"]
    assert dare["q"]["mean"] == 0.01 and tuned["q"]["mean"] != 0.01


def test_fronts(found: tuple[dict, Path]) -> None:
    """The smallest row is on both fronts, and so are those with the best values."""
    report, _ = found
    rows = sorted(report["rows"], key=lambda row: row["bytes"]["mean"])
    best = 0.0
    for entry in rows:
        assert entry["best_metric"] == (entry["metric"]["mean"] > best)
        best = max(best, entry["metric"]["mean"])
    assert min(rows, key=lambda row: row["divergence"]["mean"])["best_divergence"]


def test_page(found: tuple[dict, Path]) -> None:
    """The page has every method."""
    report, page = found
    text = page.read_text()
    assert text.startswith(("<!DOCTYPE html>", "<!doctype html>"))
    assert all(entry["method"] in text for entry in report["rows"])


def test_sizes_are_those_of_pack(
    silt: Silt, found: tuple[dict, Path], real_pair: tuple[Path, Path], tmp_path: Path
) -> None:
    """A row's options make a file of its size, whose answers have its metric."""
    report, _ = found
    for entry in (row(report, "sign (as published)"), row(report, "DARE", 0)):
        path = tmp_path / f"{entry['values']}.silt"
        bytes_ = silt.json("pack", *real_pair, "-o", path, *flags(entry["options"]))["bytes"]
        assert abs(bytes_ - entry["bytes"]["mean"]) <= 0.02 * bytes_
        value = silt.json("eval", path, DATA, "--base", real_pair[0], "--examples", "24")["value"]
        assert value == entry["metric"]["mean"]


@pytest.mark.parametrize(
    "words",
    [
        ["--drops", "1"],
        ["--seeds", "0"],
        ["--examples", "0"],
        ["--rows", "some"],
        ["-f"],
        ["--methods", "none"],
        ["--methods", "("],
    ],
)
def test_usage(silt: Silt, real_pair: tuple[Path, Path], words: list[str]) -> None:
    """What makes no sense is refused."""
    silt.exits(USAGE, "sweep", *real_pair, "--validation", DATA, *words)


def test_methods(silt: Silt, real_pair: tuple[Path, Path]) -> None:
    """Only the methods that are asked for are tried."""
    words = ["--validation", DATA, "--rows", "quick", "--drops", "0.9", "--seeds", "1", "--examples", "8"]
    rows = silt.json("sweep", *real_pair, *words, "--methods", "^(DARE|sign.*)$")["rows"]
    assert [entry["method"] for entry in rows] == ["DARE", "sign (as published)"]
