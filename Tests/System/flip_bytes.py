"""Flips one byte of a Silt file at random places and unpacks each: never wrong output, never a crash.

usage: flip_bytes.py BASE FILE.silt [--count 10000] [--seed 1] [--processes 2] [--sealed]
       flip_bytes.py BASE FINETUNED --method "random --values bf16" --method transform ...

The second form packs the pair by each method (an empty one packs it exactly) and damages all these files.
What must come out is what the undamaged file gives. With --sealed, one byte of a chunk or one digit of the
manifest changes and all checksums are made to fit: what refuses the file then is the decoder, or the digest of
the result.

The program is that of the environment variable SILT, else the release build. Exit 1 if any run gave other
bytes with exit 0, crashed, left files, or ended with an exit code that does not say "corrupt".
"""

from __future__ import annotations

import argparse
import json
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import zstandard

from program import MALFORMED, OK, ROOT, digests, program_path, silt_entries

sys.path.append(str(ROOT / "Formats" / "Reader"))
from silt_seal import Draft, manifest_bytes, seal

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
        command: list[str | Path] = [self.program, "unpack", self.base, packed, "-o", output, "--quiet", "--threads", "1"]
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


def sealed_damages(path: Path, count: int, seed: int) -> Iterator[Callable[[], bytes]]:
    """Files with one wrong byte in a chunk, or one wrong digit in the manifest, whose checksums are all right."""
    generator = random.Random(seed)
    entries = silt_entries(path)
    table, stored = entries["silt.chunks"], entries["silt.manifest"]
    sizes = [int.from_bytes(table[at : at + 4], "little") for at in range(0, len(table), 12)]
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    chunks = [entries["silt.payload"][end - size : end] for size, end in zip(sizes, ends, strict=True)]
    text = zstandard.decompress(stored)
    manifest = json.loads(text)
    digits = [index for index, byte in enumerate(text) if chr(byte).isdigit()]
    filled = [index for index, size in enumerate(sizes) if size]

    def chunk_flip(index: int, damage: Damage) -> bytes:
        changed = [*chunks[:index], damage.apply(chunks[index]), *chunks[index + 1 :]]
        return seal(Draft(manifest, changed, manifest["contract"]), manifest=stored)

    def digit_flip(damage: Damage) -> bytes:
        changed = damage.apply(text)
        try:
            described = json.loads(changed)
        except json.JSONDecodeError:  # A leading zero.
            described = manifest
        described = described | {"base": manifest["base"], "result": manifest["result"]}
        return seal(Draft(described, chunks, manifest["contract"]), manifest=manifest_bytes(changed))

    for _ in range(count):
        if generator.random() < 0.2:
            position = generator.choice(digits)
            other = generator.choice([digit for digit in b"0123456789" if digit != text[position]])
            damage = Damage(position, text[position] ^ other)
            yield partial(digit_flip, damage)
        else:
            # Short chunks as often as long ones: tables, scales, positions over columns.
            index = generator.choice(filled)
            damage = Damage(generator.randrange(sizes[index]), generator.randrange(1, 256))
            yield partial(chunk_flip, index, damage)


def flip(
    trial: Trial, packed: Path, count: int, seed: int, processes: int, sealed: bool = False
) -> tuple[Counter[str], list[str]]:
    """Runs all trials.

    Returns:
        How often each outcome came, and a line for each bad one.
    """
    data = packed.read_bytes()
    counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
    bad: list[str] = []
    if sealed:
        files = list(sealed_damages(packed, count, seed))
    else:
        files = [partial(damage.apply, data) for damage in damages(len(data), count, seed)]
    queue = iter(list(enumerate(files)))

    def worker(work: str) -> None:
        for number, make in queue:
            outcome = trial.outcome(make(), Path(work))
            counts[outcome] += 1
            if outcome not in OUTCOMES[:2]:
                bad.append(f"{outcome}: {'sealed ' if sealed else ''}flip {number} of seed {seed}")

    with tempfile.TemporaryDirectory() as root, ThreadPoolExecutor(processes) as pool:
        works = [Path(root) / str(index) for index in range(processes)]
        for work in works:
            work.mkdir()
        list(pool.map(worker, map(str, works)))
    return counts, bad


def expected(base: Path, packed: Path) -> dict[str, str]:
    """Digests of what an undamaged file gives.

    Raises:
        subprocess.CalledProcessError: it cannot be unpacked.
    """
    with tempfile.TemporaryDirectory() as work:
        output = Path(work) / "output"
        subprocess.run([program_path(), "unpack", base, packed, "-o", output, "--quiet"], check=True)
        return digests(output)


def report(base: Path, packed: Path, title: str, options: argparse.Namespace) -> bool:
    """Damages one file, prints what came out, and says whether all is well."""
    trial = Trial(program_path(), base.resolve(), expected(base, packed))
    counts, bad = flip(trial, packed, options.count, options.seed, options.processes, options.sealed)
    for line in bad[:50]:
        print(line)
    kind = "sealed flips" if options.sealed else "flips of one byte"
    print(f"{options.count} {kind} in {title} ({packed.stat().st_size} bytes):")
    for outcome in OUTCOMES:
        print(f"  {outcome:<17}{counts[outcome]:>8}")
    return not bad


def main() -> int:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("file", type=Path, help="a Silt file; with --method, the fine-tuned checkpoint")
    parser.add_argument("--method", action="append", metavar="OPTIONS", help="pack FILE by this method first")
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sealed", action="store_true", help="damage chunks and manifest under right checksums")
    options = parser.parse_args()
    if options.method is None:
        return 0 if report(options.base, options.file, options.file.name, options) else 1
    good = True
    with tempfile.TemporaryDirectory() as work:
        for number, method in enumerate(options.method):
            packed = Path(work) / f"{number}.silt"
            words = ["--method", *shlex.split(method)] if method else []
            command = [program_path(), "pack", options.base, options.file, "-o", packed, "--quiet", *words]
            subprocess.run(command, check=True)
            good &= report(options.base, packed, method or "an exact file", options)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
