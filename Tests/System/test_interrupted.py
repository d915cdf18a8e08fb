"""Signals in the middle of long runs: SIGINT cleans up; after SIGKILL the next run does."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkpoints import Tensors, read_safetensors, write_safetensors
from program import CANNOT_CREATE, INTERRUPTED, IO_ERROR, OK, Packed, Silt, digests

pytestmark = pytest.mark.slow

COPIES = 28


def tiled(tensors: Tensors) -> Tensors:
    """The tensors many times, about 300 MB."""
    return {f"copy.{copy}.{name}": tensor for copy in range(COPIES) for name, tensor in tensors.items()}


@pytest.fixture(scope="module")
def large(
    silt: Silt, real_pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Packed]:
    """A pair on which a run takes long enough to be interrupted."""
    work = tmp_path_factory.mktemp("large")
    base, fine = (
        write_safetensors(work / f"{source.name}.safetensors", tiled(read_safetensors(source / "model.safetensors")))
        for source in real_pair
    )
    # Hundreds of megabytes of the same data over again: too slow for a reader in Python, and nothing new to it.
    silt.pack(base, fine, work / "model.silt", check=False)
    yield Packed(base, fine, work / "model.silt")
    for path in (base, fine, work / "model.silt"):
        path.unlink()


def interrupt(silt: Silt, words: list[object], directory: Path, number: signal.Signals) -> int:
    """Starts a run, waits until it writes in `directory`, sends the signal. Tries again if it was done.

    Returns:
        The exit code, negative for a signal.
    """
    for delay in (0.05, 0.01, 0.0):
        process = subprocess.Popen(
            list(map(str, [silt.path, *words])), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        limit = time.monotonic() + 30
        while process.poll() is None and not any(directory.iterdir()) and time.monotonic() < limit:
            time.sleep(0.001)
        time.sleep(delay)
        process.send_signal(number)
        code = process.wait(timeout=60)
        if code != OK:
            return code
        for path in directory.iterdir():
            path.unlink()
    pytest.fail("the run was always done before the signal came")


def words_for(command: str, large: Packed, output: Path) -> list[object]:
    """Arguments that write to `output`, with one thread."""
    source = large.fine if command == "pack" else large.file
    return [command, large.base, source, "-o", output, "--threads", 1]


@pytest.mark.parametrize("command", ["pack", "unpack"])
def test_sigint(silt: Silt, large: Packed, tmp_path: Path, command: str) -> None:
    """Exit 130, and the directory is empty again."""
    assert (
        interrupt(silt, words_for(command, large, tmp_path / "out"), tmp_path, signal.SIGINT) == INTERRUPTED
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["pack", "unpack"])
def test_sigkill(silt: Silt, large: Packed, tmp_path: Path, command: str) -> None:
    """Nothing under the final name; the next run to it succeeds without --force and removes what was left."""
    words = words_for(command, large, tmp_path / "out")
    assert interrupt(silt, words, tmp_path, signal.SIGKILL) == -signal.SIGKILL
    left = [path.name for path in tmp_path.iterdir()]
    assert "out" not in left
    assert len(left) <= 1
    silt.ok(*words)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert digests(tmp_path / "out") == digests(large.file if command == "pack" else large.fine)


def test_concurrent_runs(silt: Silt, large: Packed, tmp_path: Path) -> None:
    """Two runs to the same output may get in each other's way, but what is there in the end is whole."""
    words = [str(word) for word in (silt.path, *words_for("unpack", large, tmp_path / "out"), "--force")]
    first = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.05)
    second = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    codes = {first.wait(timeout=120), second.wait(timeout=120)}
    assert OK in codes and codes <= {OK, CANNOT_CREATE, IO_ERROR}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert digests(tmp_path / "out") == digests(large.fine)
