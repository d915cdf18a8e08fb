"""Speed of pack, unpack, verify and inspect beside `cp` and the rivals, on a tiled BF16 pair.

usage: bench_speed.py --work DIR [--gib 4] [--runs 5] [--threads 2] [--sets exact,lossy] [--slow-runs 1]
                      [--pair BASE FINETUNED] [--prefix CMD] [--csv F] [--markdown F]

Steps run in turn, A B C A B C …, so that drift of the machine hits all alike. Before each run its old output is removed and
the file system synchronised. Every unpacked file is compared byte for byte with the fine-tuned one, after every run; packed
and lossy files with those of the first run. The first round warms up and does not count. DIR should be on a file system whose
pages nobody writes back meanwhile (tmpfs): elsewhere the device decides. At first nearly all free memory is written and
given free in pieces that no host of a virtual machine takes back, and before each run that writes as much as it may need.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import table
from measure import Refusal, Samples, digest, equal, keep_free_pages, remove, run, touch_free_memory, warm
from steps import Place, Step, steps

ROOT = Path(__file__).resolve().parents[3]


def build_bitx(work: Path) -> Path:
    """Compiles the re-creation of BitX."""
    program = work / "bitx"
    source = Path(__file__).resolve().parent / "bitx.c"
    options = ["-O3", "-march=native", "-o", str(program), str(source), "-lzstd", "-lpthread"]
    subprocess.run([os.environ.get("CC", "cc"), *options], check=True)
    return program


def largest_tensor(path: Path) -> str:
    """The name of the first tensor of the largest size."""
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    return max(header, key=lambda name: header[name]["data_offsets"][1] - header[name]["data_offsets"][0])


def place_for(work: Path, pair: list[Path], gib: float, threads: int) -> Place:
    """Tiles the pair, unless that is there."""
    name = f"{pair[1].name}-{gib:g}.safetensors"
    base, fine = work / f"base-{name}", work / f"fine-{name}"
    if not fine.exists():
        unfinished = fine.with_suffix(".part")
        # In a process of its own: what this one has resident counts in the peaks of those that it starts.
        program: list[str | Path] = [sys.executable, Path(__file__).resolve().parent / "make_pair.py", "--gib", str(gib)]
        subprocess.run([*program, *pair, base, unfinished], check=True)
        unfinished.rename(fine)
    for path in (base, fine):
        warm(path)
    silt = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()
    return Place(base, fine, work, silt, build_bitx(work), threads, largest_tensor(fine))


def do(step: Step, place: Place, samples: Samples, counts: bool) -> None:
    """Runs a step once and compares what it wrote."""
    output = place.path(step.output) if step.output else None
    if output:
        remove(output)
        touch_free_memory(place.fine.stat().st_size)
    os.sync()
    try:
        result = run(step.words)
    except (Refusal, OSError) as error:
        samples.refused = str(error)
        return
    if output:
        samples.bytes = output.stat().st_size
        if step.check == "fine" and not equal(output, place.fine):
            samples.refused = "the output differs from the fine-tuned file"
            return
        if step.check == "same":
            found = digest(output)
            samples.digest = samples.digest or found
            if samples.digest != found:
                samples.refused = "runs differ"
                return
    if counts:
        samples.runs.append(result)


def measure(place: Place, chosen: list[Step], runs: int) -> list[Samples]:
    """All rounds."""
    results = [Samples() for _ in chosen]
    for turn in range(runs + 1):
        for step, samples in zip(chosen, results, strict=True):
            # Steps of few runs do without the warm-up.
            is_short = step.runs <= runs
            if samples.refused or turn > (step.runs - 1 if is_short else runs):
                continue
            print(f"  {turn}/{runs} {step.title}", end="\r\033[K", file=sys.stderr, flush=True)
            do(step, place, samples, is_short or turn > 0)
            remove_unused(place, chosen, step)
    return results


def remove_unused(place: Place, chosen: list[Step], step: Step) -> None:
    """Removes what was written up to `step` and no later step of the round reads: memory may be what holds it."""
    later = chosen[chosen.index(step) + 1 :]
    needed = {str(word) for other in later for word in other.words}
    for other in chosen[: chosen.index(step) + 1]:
        # What is not made again in every round stays for those to come.
        if other.output and other.runs == Step.runs and str(place.path(other.output)) not in needed:
            remove(place.path(other.output))


def main() -> int:
    """Measures and prints. Exit 1 when Silt refused something or a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="where everything is written")
    parser.add_argument("--gib", type=float, default=4, help="size of the fine-tuned file (4)")
    parser.add_argument("--pair", type=Path, nargs=2, metavar=("BASE", "FINETUNED"),
                        help="what is tiled, BF16 (the project's pair)",
                        default=[ROOT / "Tests" / "Data" / name for name in ("small-base", "small-foods")])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slow-runs", type=int, default=1, help="runs of tools that take minutes (1)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sets", default="exact,lossy,predicted,fast",
                        help="of exact, lossy, predicted, fast, rivals, slow; cp is always there")
    parser.add_argument("--prefix", default="", help="run every step by this, for example: chrt -f 10")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every run")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    held = keep_free_pages()
    place = place_for(options.work.resolve(), options.pair, options.gib, options.threads)
    chosen = [
        replace(step, words=[*options.prefix.split(), *step.words])
        for step in steps(place, options.sets.split(","), options.slow_runs)
    ]
    results = measure(place, chosen, options.runs)
    report = table.Table(place.fine.stat().st_size, options.threads, chosen, results)
    print(report.markdown())
    if options.csv:
        report.write_csv(options.csv)
    if options.markdown:
        options.markdown.write_text(report.markdown())
    if held is not None:
        os.close(held)
    failed = [step for step, samples in zip(chosen, results, strict=True) if samples.refused]
    for path in options.work.iterdir():
        if not path.name.startswith(("base-", "fine-")):
            remove(path)
    return 1 if any(step.title.startswith(("silt", "`cp`")) for step in failed) else 0


if __name__ == "__main__":
    sys.exit(main())
