"""What one run of the program does: bytes read and written, allocations, synchronisations. Seconds depend on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from program import Silt

COUNTER = Path(__file__).with_name("counter.c")

needs_counter = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None, reason="needs glibc and a C compiler"
)


def compile_counter(directory: Path) -> Path:
    """The library that counts, compiled."""
    library = directory / "counter.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(COUNTER)]
    subprocess.run(command, check=True)
    return library


def counts(silt: Silt, counter: Path, tmp_path: Path, *words: object) -> dict[str, int]:
    """What one run of the program counted. Its report is a file in `tmp_path`."""
    report = tmp_path / "counts.txt"
    environment = os.environ | {"LD_PRELOAD": str(counter), "COUNTS": str(report)}
    command = [str(silt.path), *map(str, words), "--quiet"]
    subprocess.run(command, check=True, env=environment)
    return {name: int(value) for name, value in map(str.split, report.read_text().splitlines())}


def size(path: Path) -> int:
    """Bytes of a file, or of all files of a directory."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
