"""Peak memory of pack, unpack and verify on a pair, with two threads. Exit 1 when a limit is exceeded.

usage: peak_memory.py BASE FINETUNED [--limit-mib 256] [--threads 2] [--prediction none|auto] [--method random] [--work DIR]

Peak memory is the largest resident set of the process, as the kernel counts it (getrusage). The unpacked
model is compared file by file (but with --method, which is lossy) and deleted. Needs free space for it and for the
Silt file below --work.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Run:
    """What one process needed."""

    code: int
    seconds: float
    peak: int


def run(words: list[str | Path]) -> Run:
    """Runs a program and waits for it."""
    begin = time.perf_counter()
    process = os.posix_spawn(words[0], [str(word) for word in words], os.environ)
    _, status, usage = os.wait4(process, 0)
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(os.waitstatus_to_exitcode(status), time.perf_counter() - begin, usage.ru_maxrss * unit)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def equal(first: Path, second: Path) -> bool:
    """Whether two files, or all files of two directories, are the same."""
    if first.is_file():
        return second.is_file() and digest(first) == digest(second)
    names = [
        {path.relative_to(root) for path in root.rglob("*") if path.is_file()} for root in (first, second)
    ]
    return names[0] == names[1] and all(digest(first / name) == digest(second / name) for name in names[0])


def main() -> int:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("finetuned", type=Path)
    parser.add_argument("--limit-mib", type=float, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prediction", default="none", help="of pack: auto holds factors of matrices in memory")
    parser.add_argument("--method", help="of pack: prune matrices and embeddings")
    parser.add_argument("--work", type=Path, help="where to write (default: beside the fine-tuned model)")
    options = parser.parse_args()
    program = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()
    if not program.exists():
        parser.error(f"{program} does not exist: build it, or set SILT")
    fine = options.finetuned
    files = [fine] if fine.is_file() else [path for path in fine.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    print(
        f"{fine.name}: {size / (1 << 30):.2f} GiB, {options.threads} threads, "
        f"{options.method or f'prediction {options.prediction}'}, limit {options.limit_mib:g} MiB"
    )
    print(f"{'':8}{'seconds':>9}{'MB/s':>9}{'peak MiB':>10}  result")
    good = True
    with tempfile.TemporaryDirectory(dir=options.work or fine.parent) as work:
        packed, output = Path(work) / "model.silt", Path(work) / "output"
        common = ["--threads", str(options.threads), "--quiet"]
        how = ["--prediction", options.prediction]
        if options.method:
            how = ["--method", options.method, "--embeddings", "method", "--vectors", "int4"]
        for words in (
            ["pack", options.base, fine, "-o", packed, *how],
            ["unpack", options.base, packed, "-o", output],
            ["verify", options.base, packed],
        ):
            result = run([program, *words, *common])
            over = result.peak > options.limit_mib * (1 << 20)
            verdict = f"exit {result.code}" if result.code else "TOO MUCH" if over else "ok"
            good = good and verdict == "ok"
            speed = size / 1e6 / result.seconds
            print(
                f"{words[0]:<8}{result.seconds:9.1f}{speed:9.0f}{result.peak / (1 << 20):10.1f}  {verdict}",
                flush=True,
            )
            if result.code:
                return 1
            if words[0] == "unpack":
                if not options.method and not equal(fine, output):
                    print("the unpacked model differs")
                    good = False
                shutil.rmtree(output, ignore_errors=True)
        print(f"Silt file: {packed.stat().st_size:,} bytes, {size / packed.stat().st_size:.3f} times smaller")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
