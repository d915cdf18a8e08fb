"""Packs every pair of a directory by every method at every drop rate, and checks what comes back.

Too long for every test run: `make check-pairs DATA=DIR`. For each pair, method and rate: packing with 1 and 8 threads gives the
same file, unpacking with 1, 2 and 8 threads the same bytes, `verify --against` passes, and DARE (`random` with F32 values) is
what numpy makes of the seeded mask.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from checkpoints import read_safetensors
from pruning import dare

PAIRS = {
    "small-foods": "small-base",
    "small-foods-adamr": "small-base",
    "small-foods-fp32": "small-base-fp32",
    "minilm-foods": "minilm-base",
    "novels-wordnet": "novels-base",
}
RATES = (0.5, 0.9, 0.95, 0.99)
DROPPING = ("random", "magnitude", "columns", "rows", "lowrank+random", "lowrank+magnitude")
OTHERS = ("nm", "sign", "dense", "lowrank", "transform", "transform+sign")


def run(*words: object) -> None:
    """Runs silt and insists on success."""
    result = subprocess.run([os.environ["SILT"], *map(str, words)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"silt {' '.join(map(str, words))}: exit {result.returncode}\n{result.stdout}{result.stderr}")


def digest(path: Path) -> str:
    """SHA-256 of a file, or of all files below a directory."""
    total = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            total.update(str(file.relative_to(path)).encode() + file.read_bytes())
    return total.hexdigest()


def check(base: Path, tuned: Path, work: Path, options: list[str]) -> int:
    """One way of packing; returns the size of the file."""
    files = []
    for threads in (1, 8):
        file = work / f"{threads}.silt"
        run("pack", base, tuned, "-o", file, "--threads", threads, *options)
        files.append(digest(file))
    if len(set(files)) != 1:
        raise SystemExit(f"{tuned.name} {options}: 1 and 8 threads pack different files")
    results = set()
    for threads in (1, 2, 8):
        run("unpack", base, work / "1.silt", "-o", work / f"out{threads}", "--threads", threads)
        results.add(digest(work / f"out{threads}"))
    if len(results) != 1:
        raise SystemExit(f"{tuned.name} {options}: threads change what comes back")
    run("verify", base, work / "1.silt", "--against", tuned)
    return (work / "1.silt").stat().st_size


def tensors_of(directory: Path) -> dict:
    """The tensors of all safetensors files that are the model's."""
    return {
        name: tensor
        for file in sorted(directory.glob("model*.safetensors"))
        for name, tensor in read_safetensors(file).items()
    }


def check_dare(base: Path, tuned: Path, result: Path, p: float) -> int:
    """How many tensors are DARE's, computed naively; all others must be the fine-tuned checkpoint's."""
    before, after, found = tensors_of(base), tensors_of(tuned), tensors_of(result)
    count = 0
    for name, tensor in found.items():
        if tensor.data == after[name].data:
            continue
        source = before.get(name) or before[name.removeprefix("bert.")]
        if dare(name, source, after[name], p).data != tensor.data:
            raise SystemExit(f"{tuned.name}: {name} at p = {p} is not base + mask * delta / (1 - p)")
        count += 1
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="directory with the pairs")
    arguments = parser.parse_args()
    for name, base_name in PAIRS.items():
        base, tuned = arguments.data / base_name, arguments.data / name
        if not tuned.is_dir():
            continue
        started, ways = time.monotonic(), 0
        for method in DROPPING + OTHERS:
            for p in RATES if method in DROPPING else (None,):
                with tempfile.TemporaryDirectory() as place:
                    check(base, tuned, Path(place), ["--method", method, *(["--drop", str(p)] if p else [])])
                ways += 1
        same = 0
        for p in RATES:
            with tempfile.TemporaryDirectory() as place:
                check(base, tuned, Path(place), ["--method", "random", "--drop", str(p), "--values", "f32"])
                same += check_dare(base, tuned, Path(place) / "out1", p)
                shutil.rmtree(Path(place) / "out1")
        seconds = time.monotonic() - started
        print(f"{name}: {ways + len(RATES)} ways, {same} tensors are DARE's bit for bit, {seconds:.0f} s", flush=True)
    print("all checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
