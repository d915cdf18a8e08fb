"""Accuracy per byte: `silt sweep` on real pairs, as a page of tables.

usage: bench_accuracy.py --data DIR [--pairs NAME,...] [--quick] [--seeds N] [--examples N] [--drops P,...]
                         [--results DIR [--kept]] [--markdown FILE]

A pair is swept in pieces, some methods at a time. What was measured is kept in DIR, and not measured again if it is there:
to measure a piece again, remove its file; with --kept, pieces that are not there are left out. Whatever is tuned is tuned on
calibration and validation data; the tables show test data. Silt is the program in the environment variable SILT, else the
release build.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

import accuracy_report as report
import front

ROOT = Path(__file__).resolve().parents[3]
# Base, data sets, and how many examples are tuned on if all would take hours.
PAIRS = {
    "small-foods": ("small-base", "foods-small", 100),
    "small-foods-adamr": ("small-base", "foods-small", 100),
    "minilm-foods": ("minilm-base", "foods", 48),
    "novels-wordnet": ("novels-base", "novels-wordnet", 12),
}
HALF = 32
# Methods that are swept together, as regular expressions of their names.
PIECES = {
    "dare": r"^DARE( \(as published\))?$",
    "directions": r"^(sign|low rank( \(as published\))?$|transform$)",
    "curvature": r"^transform, (curvature|gradient)",
    "importance": r"^(magnitude|WANDA|columns)",
    "sums": r"^low rank \d+ \+",
    "search": r"^DAREx-q (kl|labelled|unlabelled)( \(as published\))?$",
    "layers": r"^(DAREx-q analytic|closed form|least squares)",
    "per-tensor": r"^DAREx-q .*per tensor$",
    "gradient": r"^DAREx-q gradient",
}


def models(data: Path, name: str, work: Path) -> Path:
    """The checkpoint without what is not part of the model: links to its files."""
    place = work / name
    place.mkdir(exist_ok=True)
    for file in sorted((data / name).iterdir()):
        if not file.name.startswith("reference_"):
            (place / file.name).write_bytes(file.read_bytes())
    return place


def data_sets(data: Path, name: str, work: Path) -> tuple[Path, Path]:
    """What is tuned on, and what is measured."""
    place = data / "eval"
    if (place / f"{name}-test.safetensors").exists():
        return place / f"{name}-validation.safetensors", place / f"{name}-test.safetensors"
    tensors = load_file(place / f"{name}.safetensors")
    halves = []
    for part, rows in (("first", slice(None, HALF)), ("last", slice(-HALF, None))):
        halves.append(work / f"{name}-{part}-{HALF}.safetensors")
        save_file({key: np.ascontiguousarray(value[rows]) for key, value in tensors.items()}, halves[-1])
    return halves[0], halves[1]


def sweep(program: Path, data: Path, name: str, methods: str | None, options: argparse.Namespace) -> dict:
    """The report of one pair, of some methods or all."""
    base, task, enough = PAIRS[name]
    examples = options.examples or enough
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tuning, test = data_sets(data, task, work)
        words = [program, "sweep", models(data, base, work), models(data, name, work), "--json", "--verbose"]
        words += ["--validation", tuning, "--calibration", tuning, "--test", test, "--seeds", str(options.seeds)]
        words += ["--rows", "quick" if options.quick else "full"]
        if methods:
            words += ["--methods", methods]
        if examples:
            words += ["--examples", str(examples)]
        if options.drops:
            words += ["--drops", options.drops]
        found = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, check=True)
        return json.loads(found.stdout) | {"tuned": tuning.stem, "tuned_examples": examples}


def bounded(program: Path, data: Path, name: str, options: argparse.Namespace) -> dict:
    """What the searches for the smallest file within a bound find: bytes; metric and divergence on the test data."""
    base, task, _ = PAIRS[name]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tuning, test = data_sets(data, task, work)
        pair = [models(data, base, work), models(data, name, work)]
        goals = [("kl", ["--kl-within", "0.01", "--calibration", tuning])]
        if "labels" in load_file(tuning):
            goals.insert(0, ("accuracy", ["--accuracy-within", "1%", "--validation", tuning]))
        for goal, words in goals:
            file = work / f"{goal}.silt"
            run = [program, "pack", *pair, "-o", file, "--json", "--quiet", "--seeds", options.seeds, *words]
            subprocess.run([str(word) for word in run], stdout=subprocess.PIPE, check=True)
            run = [program, "eval", file, test, "--base", pair[0], "--against", pair[1], "--json", "--quiet"]
            measured = subprocess.run([str(word) for word in run], stdout=subprocess.PIPE, check=True)
            found = json.loads(measured.stdout)
            rows.append(
                {"goal": goal, "bytes": file.stat().st_size, "metric": found["value"], "divergence": found["kl"]}
            )
    return {"rows": rows}


def is_wanted(name: str, options: argparse.Namespace) -> bool:
    """Whether this is to be measured, or was."""
    return not options.kept or (options.results / f"{name}.json").exists()


def swept(program: Path, name: str, options: argparse.Namespace) -> dict:
    """The report of one pair: that of its pieces, with all their rows."""
    if options.quick:
        return kept(f"{name}-quick", options, lambda: sweep(program, options.data, name, None, options))
    reports = [
        kept(f"{name}-{piece}", options, partial(sweep, program, options.data, name, methods, options))
        for piece, methods in PIECES.items()
        if is_wanted(f"{name}-{piece}", options)
    ]
    rows = [row for report in reports for row in report["rows"]]
    front.mark(rows, reports[0]["higher_is_better"])
    return reports[0] | {"rows": rows, "seconds": sum(report["seconds"] for report in reports)}


def kept(name: str, options: argparse.Namespace, measure: Callable[[], dict]) -> dict:
    """What was measured before under this name, or is now."""
    place = options.results / f"{name}.json" if options.results else None
    if place and place.exists():
        return json.loads(place.read_text(encoding="utf-8"))
    print(f"{name} …", file=sys.stderr, flush=True)
    found = measure()
    if place:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def main() -> int:
    """Sweeps, and writes the page: whole, and only if every pair was measured."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="pairs, and eval/ with data sets")
    parser.add_argument("--pairs", default=",".join(PAIRS), metavar="NAME,...", help="which fine-tuned checkpoints")
    parser.add_argument("--quick", action="store_true", help="one way of packing of each family")
    parser.add_argument("--seeds", type=int, default=4, help="masks of each random choice (default: 4)")
    parser.add_argument("--examples", type=int, help="examples that are tuned on at most (default: each pair's own)")
    parser.add_argument("--drops", metavar="P,...", help="drop rates (default: silt sweep's)")
    parser.add_argument("--results", type=Path, metavar="DIR", help="where reports are kept (default: nowhere)")
    parser.add_argument("--kept", action="store_true", help="measure nothing: take what --results has")
    parser.add_argument("--markdown", type=Path, default=ROOT / "Docs" / "AccuracyTable.md", metavar="FILE")
    options = parser.parse_args()
    if options.kept and options.results is None:
        parser.error("--kept needs --results DIR")
    names = options.pairs.split(",")
    for name in names:
        if name not in PAIRS:
            parser.error(f"no pair {name}: there are {', '.join(PAIRS)}")
    program = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()
    tables = []
    for name in names:
        found: dict = {"rows": []}
        if is_wanted(f"{name}-bounded", options):
            found = kept(f"{name}-bounded", options, partial(bounded, program, options.data, name, options))
        tables.append(swept(program, name, options) | {"bounded": found["rows"]})
    text = report.markdown(tables, sys.argv[1:])
    options.markdown.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
