"""How time grows with size: cp, pack, verify and unpack of tiled pairs, and whether it is linear.

usage: growth.py --work DIR [--sizes 0.16,0.5,1,2,4,8] [--runs 3] [--csv FILE] [--svg FILE]

Sizes are GB (1e9 bytes) of the fine-tuned file, in steps of 0.17. Below 1 GB, where a run takes less than a second, there are
more runs: as many GB in all, at most five times as many runs. At most base, one file of the fine-tuned size and the delta
are there at a time (for unpacking the fine-tuned file's SHA-256 is kept, and the result's compared; cp copies what was
unpacked): 8 GB need 20 GB. Free memory is written first, as in bench_speed.py. Exit 1 when a time is more than 10 %
off the straight line through all of them.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import plot
from measure import digest, keep_free_pages, remove, run, touch_free_memory, warm

ROOT = Path(__file__).resolve().parents[3]
WORKS = ("cp", "pack", "verify", "unpack")
#: What runs the programs, for example: chrt -f 10.
PREFIX = os.environ.get("SPEED_PREFIX", "").split()


@dataclass(frozen=True)
class Point:
    """Seconds of one kind of work at one size."""

    work: str
    bytes: int
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median seconds."""
        return statistics.median(self.seconds)


def timed(words: list[str | Path], output: Path | None, size: int, runs: int) -> tuple[float, ...]:
    """Runs a program that writes at most `size` bytes so often after one run that warms up; the last output stays."""
    seconds = []
    for turn in range(runs + 1):
        if output:
            remove(output)
            touch_free_memory(size)
        os.sync()
        found = run([*PREFIX, *words]).seconds
        if turn > 0:
            seconds.append(found)
    return tuple(seconds)


def measure(work: Path, size: float, runs: int, threads: int, silt: Path) -> list[Point]:
    """All work at one size."""
    base, fine, packed, output = (work / f"{name}.safetensors" for name in ("base", "fine", "packed", "output"))
    data = ROOT / "Tests" / "Data"
    gib = str(size * 1e9 / (1 << 30))
    program: list[str | Path] = [sys.executable, Path(__file__).resolve().parent / "make_pair.py", "--gib", gib]
    subprocess.run([*program, data / "small-base", data / "small-foods", base, fine], check=True)
    for path in (base, fine):
        warm(path)
    common = ["--threads", str(threads), "--quiet"]
    length, wanted = fine.stat().st_size, digest(fine)
    runs *= max(1, min(5, round(1 / size)))
    pack = timed([silt, "pack", base, fine, "-o", packed, "--level", "1", *common], packed, length, runs)
    remove(fine)
    verify = timed([silt, "verify", base, packed, *common], None, length, runs)
    unpack = timed([silt, "unpack", base, packed, "-o", output, *common], output, length, runs)
    if digest(output) != wanted:
        raise ValueError(f"{length} bytes: the unpacked file differs")
    remove(base)
    remove(packed)
    copy = timed(["cp", output, fine], fine, length, runs)
    for path in (fine, output):
        remove(path)
    return [Point(name, length, found) for name, found in zip(WORKS, (copy, pack, verify, unpack), strict=True)]


def line(points: list[Point]) -> tuple[float, float]:
    """Seconds at size 0 and for each byte, by least squares of relative errors."""
    weights = [1 / point.median**2 for point in points]
    total = sum(weights)
    x = sum(w * point.bytes for w, point in zip(weights, points, strict=True)) / total
    y = sum(w * point.median for w, point in zip(weights, points, strict=True)) / total
    above = sum(w * (p.bytes - x) * (p.median - y) for w, p in zip(weights, points, strict=True))
    slope = above / sum(w * (p.bytes - x) ** 2 for w, p in zip(weights, points, strict=True))
    return y - slope * x, slope


def main() -> int:
    """Measures, prints and draws."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sizes", default="0.16,0.5,1,2,4,8")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()
    if len(set(options.sizes.split(","))) < 2:
        parser.error("a line needs two sizes")
    options.work.mkdir(parents=True, exist_ok=True)
    silt = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()
    held = keep_free_pages()
    points: list[Point] = []
    for size in map(float, options.sizes.split(",")):
        points += measure(options.work.resolve(), size, options.runs, options.threads, silt)
        texts = [f"{point.work} {point.median:.3f} s" for point in points[-len(WORKS) :]]
        print(f"{points[-1].bytes / 1e9:.2f} GB: {', '.join(texts)}", flush=True)
    if held is not None:
        os.close(held)
    good = True
    lines = {}
    for work in WORKS:
        own = [point for point in points if point.work == work]
        lines[work] = start, slope = line(own)
        errors = [100 * (point.median / (start + slope * point.bytes) - 1) for point in own]
        worst = max(errors, key=abs)
        good = good and (abs(worst) <= 10 or work == "cp")
        print(f"{work}: {start:.3f} s + {1e9 * slope:.3f} s for each GB, at most {worst:+.1f} % off")
    if options.csv:
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        with options.csv.open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["work", "bytes", "run", "seconds"])
            for point in points:
                for number, seconds in enumerate(point.seconds, 1):
                    writer.writerow([point.work, point.bytes, number, f"{seconds:.4f}"])
    if options.svg:
        curves = {work: [(p.bytes / 1e9, p.median) for p in points if p.work == work] for work in WORKS}
        options.svg.write_text(plot.svg(curves, "GB of the fine-tuned file", "seconds"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
