"""Running one process, and what is known of it afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

#: One thread in libraries that would take all by themselves; rivals get threads through their own options.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class Run:
    """What one process needed."""

    seconds: float
    cpu: float
    peak: int


@dataclass
class Samples:
    """All runs of a step."""

    runs: list[Run] = field(default_factory=list)
    bytes: int = 0
    digest: str = ""
    refused: str = ""

    @property
    def median(self) -> float:
        """Median seconds."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """Least and most seconds."""
        seconds = [run.seconds for run in self.runs]
        return min(seconds), max(seconds)

    @property
    def cpu(self) -> float:
        """Median processor seconds, of user and system together."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def peak(self) -> int:
        """Largest resident set, in bytes."""
        return max(run.peak for run in self.runs)


class Refusal(Exception):
    """A program failed; the text is its own."""


def run(words: list[str | Path]) -> Run:
    """Runs a program and waits for it.

    A program that prints a JSON object with `seconds` as its last line has measured itself: that is how rivals
    written in Python leave out the import of their libraries.

    Raises:
        Refusal: its exit code is not 0.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in words], stdout=out, stderr=err, env=os.environ | ENVIRONMENT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise Refusal(last_line(err) or last_line(out) or f"exit {process.returncode}")
        own = last_line(out)
    unit = 1 if sys.platform == "darwin" else 1024
    if own.startswith("{") and "seconds" in (said := json.loads(own)):
        seconds = said["seconds"]
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def last_line(stream: IO[bytes]) -> str:
    """The last line of an output that says something."""
    stream.seek(0)
    lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def remove(path: Path) -> None:
    """Removes a file or directory, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def equal(first: Path, second: Path) -> bool:
    """Whether two files have the same bytes."""
    return subprocess.run(["cmp", "-s", first, second], check=False).returncode == 0


def warm(path: Path) -> None:
    """Reads a file, so that it is in the page cache."""
    with path.open("rb") as stream:
        while stream.read(1 << 24):
            pass


def free_memory() -> int:
    """Bytes of memory that nothing uses; 0 where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemFree:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    return 0


def drop_caches() -> None:
    """Asks the system to forget files that nobody reads, where it may be asked: else it does so in the middle of runs."""
    os.sync()
    with contextlib.suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3")


def keep_free_pages() -> int | None:
    """Writes nearly all free memory once and gives it back but for a page of every MiB; returns what holds those.

    A virtual machine's host takes blocks of 2 MiB that have been free for a while, and giving them again costs more than
    writing them: long runs, and steps after long ones, would pay for that, and short ones not. After this no such block is
    free.
    """
    if not hasattr(os, "memfd_create"):
        return None
    drop_caches()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    keep_size_and_punch, page, block = 3, os.sysconf("SC_PAGE_SIZE"), bytes(1 << 20)
    number = max(0, (free_memory() >> 20) - 1024)
    held = os.memfd_create("held")
    for _ in range(number):
        os.write(held, block)
    for at in range(number):
        if libc.fallocate(held, keep_size_and_punch, (at << 20) + page, (1 << 20) - page) != 0:
            raise OSError(ctypes.get_errno(), "fallocate")
    return held


def touch_free_memory(size: int) -> None:
    """Writes `size` bytes of memory, and 2 GiB more, as far as there is some, and gives them back.

    What is free next has been in use just now.
    """
    if not hasattr(os, "memfd_create"):
        return
    touched, block = os.memfd_create("touched"), bytes(1 << 22)
    try:
        for _ in range((min(size + (2 << 30), free_memory() - (1 << 30))) >> 22):
            os.write(touched, block)
    finally:
        os.close(touched)
