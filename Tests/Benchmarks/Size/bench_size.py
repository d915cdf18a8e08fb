"""Sizes of exact deltas: Silt beside its rivals and the entropy bound, for every pair.

usage: bench_size.py [--data DIR]... [--pair BASE FINETUNED]... [--csv FILE] [--markdown FILE]

The pair in the project is always measured, and every pair found below DIR: `STEM-base` with each `STEM-TASK`
of the same dtype. Only the model's safetensors files count, for every tool. Each rival's file is decoded and
compared byte for byte. Silt is the program in the environment variable SILT, else the release build; it is
always run again, rivals only when inputs or versions changed (their rows are kept in .build/bench-size).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import bound
import report
import rivals
from pairs import Pair, checkpoint, find_pairs

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".build" / "bench-size"


@dataclass(frozen=True)
class Limits:
    """What the user allows."""

    seconds: float
    tools: list[str]
    refresh: bool


def run(words: list[str], seconds: float) -> tuple[int | None, str, str]:
    """Runs a program in its own process group; the exit code is missing when the time was up."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, "", ""
    return process.returncode, out, err


def last_line(text: str, default: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else default


def measure_rival(pair: Pair, tool: str, limits: Limits, renamed: bool) -> report.Row | None:
    """One row, from the cache or measured now; nothing where there is nothing to measure."""
    title = rivals.TOOLS[tool].title + (", base renamed" if renamed else "")
    version = rivals.version(tool)
    if version is None:
        return report.Row(title, "", {"refused": "not installed"})
    revision = rivals.TOOLS[tool].revision
    stem = f"{pair.key()}-{tool}{'-renamed' if renamed else ''}-{version}-r{revision}"
    stored = CACHE / "rows" / f"{stem}.json"
    if stored.exists() and not limits.refresh:
        row = json.loads(stored.read_text())
        if row.get("seconds_allowed", limits.seconds) >= limits.seconds:
            return report.Row(title, version, row)
    try:
        shards = pair.shards()
    except ValueError as error:
        return report.Row(title, version, {"refused": f"one file at a time: {error}"})
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        if renamed:
            copies = [Path(work) / f"base-{index}.safetensors" for index in range(len(shards))]
            done = [rivals.rename_base(*shard, copy) for shard, copy in zip(shards, copies, strict=True)]
            if not all(done):
                return None
            shards = [(copy, fine) for copy, (_, fine) in zip(copies, shards, strict=True)]
        script = str(Path(rivals.__file__).resolve())
        files = [*(str(base) for base, _ in shards), "--", *(str(fine) for _, fine in shards)]
        code, out, err = run([sys.executable, script, tool, work, *files], limits.seconds)
    if code is None:
        row = {"refused": f"not done after {limits.seconds:g} s", "seconds_allowed": limits.seconds}
    elif code != 0:
        row = {"refused": f"exit {code}: {last_line(err, 'no message')}"[:300]}
    else:
        row = json.loads(last_line(out, "{}"))
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(row))
    return report.Row(title, version, row)


def measure_silt(pair: Pair, program: Path, seconds: float) -> report.Row:
    """Packs, unpacks and compares with Silt."""
    if not program.exists():
        return report.Row("Silt", "", {"refused": f"{program.name} is not built: swift build -c release"})
    version = last_line(run([str(program), "--version"], 60)[1], "").removeprefix("silt").strip()
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        base = str(pair.base.stage(Path(work) / "base"))
        fine = str(pair.fine.stage(Path(work) / "fine"))
        packed, output = Path(work) / "model.silt", Path(work) / "output"
        begin = time.perf_counter()
        code, out, err = run([str(program), "pack", base, fine, "-o", str(packed), "--json"], seconds)
        middle = time.perf_counter()
        if code != 0:
            failure = f"pack: exit {code}: {last_line(err, 'no message')}"
            return report.Row("Silt", version, {"refused": failure})
        code, _, err = run([str(program), "unpack", base, str(packed), "-o", str(output)], seconds)
        end = time.perf_counter()
        if code != 0:
            failure = f"unpack: exit {code}: {last_line(err, 'no message')}"
            return report.Row("Silt", version, {"refused": failure})
        verdict = "identical"
        for path in pair.fine.files:
            restored = output / path.name if output.is_dir() else output
            verdict = rivals.compare(path, restored) if verdict == "identical" else verdict
        row = {
            "bytes": packed.stat().st_size,
            "encode_seconds": middle - begin,
            "decode_seconds": end - middle,
            "result": verdict,
            "encodings": json.loads(out)["encodings"],
        }
        return report.Row("Silt", version, row)


def measure_pair(pair: Pair, limits: Limits, program: Path) -> report.Table:
    """All rows of one pair."""
    rows = [measure_silt(pair, program, limits.seconds)]
    for tool in limits.tools:
        for renamed in (False, True) if rivals.TOOLS[tool].by_name else (False,):
            print(f"  {pair.name}: {rivals.TOOLS[tool].title} …", file=sys.stderr, flush=True)
            row = measure_rival(pair, tool, limits, renamed)
            if row is not None:
                rows.append(row)
    return report.Table(pair, bound.pair_bounds(pair), rows)


def collect_pairs(directories: list[Path], named: list[list[str]]) -> list[Pair]:
    """The project's pair, those of the directories and those named, each content once."""
    data = ROOT / "Tests" / "Data"
    found = find_pairs(data) if data.is_dir() else []
    for directory in directories:
        found += find_pairs(directory)
    found += [Pair(checkpoint(Path(base)), checkpoint(Path(fine))) for base, fine in named]
    return list({pair.key(): pair for pair in reversed(found)}.values())[::-1]


def main() -> int:
    """Measures, prints and writes. Exit 1: Silt failed, or with --strict missed a target."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, action="append", default=[], metavar="DIR", help="more pairs")
    parser.add_argument("--pair", nargs=2, action="append", default=[], metavar=("BASE", "FINETUNED"))
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every row")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a table for a page")
    parser.add_argument("--timeout", type=float, default=600, metavar="S", help="for a tool and pair: 600 s")
    parser.add_argument("--skip", action="append", default=[], choices=rivals.TOOLS, metavar="TOOL")
    parser.add_argument("--only-tools", default="", metavar="A,B", help=f"of {', '.join(rivals.TOOLS)}")
    parser.add_argument("--refresh", action="store_true", help="measure rivals again")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a target is missed")
    options = parser.parse_args()
    chosen = [name for name in options.only_tools.split(",") if name] or list(rivals.TOOLS)
    unknown = set(chosen) - rivals.TOOLS.keys()
    if unknown:
        parser.error(f"unknown tool: {', '.join(sorted(unknown))}")
    tools = [name for name in chosen if name not in options.skip]
    CACHE.mkdir(parents=True, exist_ok=True)
    pairs = collect_pairs(options.data, options.pair)
    if not pairs:
        parser.error("no pair: Tests/Data is empty and neither --data nor --pair names one")
    program = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()
    limits = Limits(options.timeout, tools, options.refresh)
    tables = []
    for pair in pairs:
        tables.append(measure_pair(pair, limits, program))
        print(tables[-1].text(), flush=True)
    print(report.summary(tables))
    if options.csv:
        report.write_csv(options.csv, tables)
    if options.markdown:
        options.markdown.write_text(report.markdown(tables))
    broken = any(not table.silt_is_exact for table in tables)
    missed = options.strict and any(table.misses for table in tables)
    return 1 if broken or missed else 0


if __name__ == "__main__":
    sys.exit(main())
