"""Flips one byte of a Silt file at random places and unpacks each: never wrong output, never a crash.

usage: flip_bytes.py BASE FILE.silt FINETUNED [--count 10000] [--seed 1] [--processes 2]

The program is that of the environment variable SILT, else the release build. Exit 1 if any run gave other
bytes with exit 0, crashed, left files, or ended with an exit code that does not say "corrupt".
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from program import MALFORMED, OK, digests, program_path

#: What can come out of a run. The first two are as they should be.
OUTCOMES = ("refused", "identical output", "WRONG", "crashed", "left files", "other exit", "timeout")


@dataclass(frozen=True)
class Damage:
    """One byte to change."""

    position: int
    mask: int

    def apply(self, data: bytes) -> bytes:
        """The data with that byte changed."""
        changed = bytearray(data)
        changed[self.position] ^= self.mask
        return bytes(changed)


@dataclass(frozen=True)
class Trial:
    """What is unpacked, and what must come out if anything does."""

    program: Path
    base: Path
    expected: dict[str, str]
    seconds: float = 60

    def outcome(self, data: bytes, work: Path) -> str:
        """Unpacks `data` in the empty directory `work`, and leaves it empty."""
        packed, output = work / "damaged.silt", work / "output"
        packed.write_bytes(data)
        command = [self.program, "unpack", self.base, packed, "-o", output, "--quiet", "--threads", "1"]
        try:
            result = subprocess.run(command, capture_output=True, timeout=self.seconds, check=False)
        except subprocess.TimeoutExpired:
            return "timeout"
        packed.unlink()
        found = digests(output) if output.exists() else None
        if output.exists():
            shutil.rmtree(output) if output.is_dir() else output.unlink()
        left = list(work.iterdir())
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if result.returncode == OK:
            return "identical output" if found == self.expected else "WRONG"
        if result.returncode < 0 or result.returncode in (128 + 4, 128 + 5, 128 + 6, 128 + 11):
            return "crashed"
        if found is not None or left:
            return "left files"
        return "refused" if result.returncode == MALFORMED else "other exit"


def damages(size: int, count: int, seed: int) -> Iterator[Damage]:
    """Random places and masks; the same for the same seed."""
    generator = random.Random(seed)
    for _ in range(count):
        yield Damage(generator.randrange(size), generator.randrange(1, 256))


def flip(trial: Trial, packed: Path, count: int, seed: int, processes: int) -> tuple[Counter[str], list[str]]:
    """Runs all trials.

    Returns:
        How often each outcome came, and a line for each bad one.
    """
    data = packed.read_bytes()
    counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
    bad: list[str] = []
    queue = iter(list(damages(len(data), count, seed)))

    def worker(work: str) -> None:
        for damage in queue:
            outcome = trial.outcome(damage.apply(data), Path(work))
            counts[outcome] += 1
            if outcome not in OUTCOMES[:2]:
                bad.append(f"{outcome}: byte {damage.position} of {len(data)} xor 0x{damage.mask:02x}")

    with tempfile.TemporaryDirectory() as root, ThreadPoolExecutor(processes) as pool:
        works = [Path(root) / str(index) for index in range(processes)]
        for work in works:
            work.mkdir()
        list(pool.map(worker, map(str, works)))
    return counts, bad


def main() -> int:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("finetuned", type=Path)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    trial = Trial(program_path(), options.base.resolve(), digests(options.finetuned))
    with tempfile.TemporaryDirectory() as work:
        first = trial.outcome(options.file.read_bytes(), Path(work))
    if first != "identical output":
        print(f"the undamaged file gives: {first}", file=sys.stderr)
        return 1
    counts, bad = flip(trial, options.file, options.count, options.seed, options.processes)
    for line in bad[:50]:
        print(line)
    print(f"{options.count} flips of one byte in {options.file.name} ({options.file.stat().st_size} bytes):")
    for outcome in OUTCOMES:
        print(f"  {outcome:<17}{counts[outcome]:>8}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
