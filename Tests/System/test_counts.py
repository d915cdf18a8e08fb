"""Counts that must not grow: bytes read and written, allocations for each tensor and cell, instructions.

Counts.csv has what was measured last; a change of the code that changes a count changes that file in the same commit
(`SILT_COUNT=1 python -m pytest Tests/System/test_counts.py` writes it). Seconds are no test: `make bench` measures them.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, Tensors, bf16_from_f32, patterns, random_tensor, tuned_model, write_model
from counting import counts, needs_counter, size
from program import ROOT, Silt

TABLE = Path(__file__).with_name("Counts.csv")

pytestmark = [needs_counter, pytest.mark.slow]
ONE_THREAD = ("--threads", 1)


def expect(name: str, value: float) -> None:
    """Compares a count with the table: so many per cent more are too many, so many less are worth a new line in it.

    With the environment variable SILT_COUNT the table is written instead.
    """
    rows = {row["count"]: row for row in csv.DictReader(TABLE.read_text().splitlines())}
    if "SILT_COUNT" in os.environ:
        percent = rows.get(name, {}).get("percent", "10")
        rows[name] = {"count": name, "value": f"{value:.0f}", "percent": percent}
        lines = [",".join(row.values()) for row in rows.values()]
        TABLE.write_text("\n".join(["count,value,percent", *lines]) + "\n")
        return
    assert name in rows, f"{TABLE.name} has no row {name}; measured {value:.0f}"
    recorded, percent = float(rows[name]["value"]), float(rows[name]["percent"])
    change = 100 * (value - recorded) / recorded
    advice = f"{name}: {value:.0f}, recorded {recorded:.0f}: if that must be, change {TABLE.name}"
    assert change <= percent, advice
    if change < -percent:
        warnings.warn(f"better than recorded: {advice}", stacklevel=2)


#: What pack does, and how often it reads base and fine-tuned files: at level 1 the latter twice, once for SHA-256; else
#: once more each, since tables depend on the whole.
READINGS = {"1": (1, 2), "2": (2, 3)}


@pytest.mark.parametrize("level", READINGS)
def test_bytes_of_pack(silt: Silt, counter: Path, large: tuple[Path, Path], tmp_path: Path, level: str) -> None:
    """Inputs are read as often as they must be, the output is written once."""
    base, fine = large
    packed = tmp_path / "m.silt"
    found = counts(silt, counter, tmp_path, "pack", base, fine, "-o", packed, "--level", level, *ONE_THREAD)
    times = READINGS[level]
    least = times[0] * size(base) + times[1] * size(fine)
    # At level 1 a sample too: an eighth of both, and what opens the result at the end.
    sample = (size(base) + size(fine)) / 8 if level == "1" else 0
    assert least <= found["bytes_read"] <= 1.03 * (least + sample) + 100_000
    assert size(packed) <= found["bytes_written"] <= size(packed) + 10_000


def test_bytes_of_unpack_and_verify(
    silt: Silt, counter: Path, large: tuple[Path, Path], tmp_path: Path
) -> None:
    """Base and delta are read once, the result is written once; verify writes nothing, and waits for no device."""
    base, fine = large
    packed = tmp_path / "m.silt"
    silt.ok("pack", base, fine, "-o", packed, "--level", 2)
    least = size(base) + size(packed)
    for words in (["unpack", base, packed, "-o", tmp_path / "out"], ["verify", base, packed]):
        found = counts(silt, counter, tmp_path, *words, *ONE_THREAD)
        assert least * 0.98 <= found["bytes_read"] <= least * 1.02 + 50_000
        written = size(fine) if words[0] == "unpack" else 0
        assert written <= found["bytes_written"] <= written + 10_000
        assert words[0] == "unpack" or found["synchronisations"] == 0


def test_bytes_of_looking(silt: Silt, counter: Path, large: tuple[Path, Path], tmp_path: Path) -> None:
    """`inspect` reads header, table and manifest; `unpack --only` also that tensor's chunks and base."""
    base, fine = large
    packed = tmp_path / "m.silt"
    silt.ok("pack", base, fine, "-o", packed, "--level", 2)
    assert counts(silt, counter, tmp_path, "inspect", packed)["bytes_read"] < 50_000
    only = ("-o", tmp_path / "one", "--only", "^t0.weight$")
    found = counts(silt, counter, tmp_path, "unpack", base, packed, *only, *ONE_THREAD)
    assert found["bytes_read"] < (size(base) + size(packed)) / 4


def model(rng: np.random.Generator, tensors: int, rows: int) -> Tensors:
    """So many tensors with so many rows of 512 values: 512 rows are a cell."""
    return {f"t{index}.weight": random_tensor(rng, "BF16", (rows, 512)) for index in range(tensors)}


def write_pair(directory: Path, tensors: int, rows: int) -> tuple[Path, Path]:
    """A base and its fine-tune."""
    rng = np.random.default_rng(17)
    base = model(rng, tensors, rows)
    return write_model(directory / "base", base), write_model(directory / "fine", tuned_model(rng, base))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Six tensors of 16 cells: 50 MB."""
    return write_pair(tmp_path_factory.mktemp("large"), 6, 16 * 512)


#: More tensors of a cell, and more cells of a tensor: what is added shows what each of them takes.
SHAPES = {"tensor": ((20, 512), (120, 512)), "cell": ((1, 8 * 512), (1, 72 * 512))}


@pytest.mark.parametrize("what", SHAPES)
def test_allocations(silt: Silt, counter: Path, tmp_path: Path, what: str) -> None:
    """Allocations for each tensor, and for each cell of a tensor."""
    found: list[dict[str, int]] = []
    for index, (tensors, rows) in enumerate(SHAPES[what]):
        base, fine = write_pair(tmp_path / str(index), tensors, rows)
        packed = tmp_path / f"{index}.silt"
        found.append({})
        for name, words in {
            "pack": ["pack", base, fine, "-o", packed, "--level", "2"],
            "pack1": ["pack", base, fine, "-o", tmp_path / f"{index}-1.silt", "--level", "1"],
            "unpack": ["unpack", base, packed, "-o", tmp_path / f"{index}.out"],
            "verify": ["verify", base, packed],
        }.items():
            found[index][name] = counts(silt, counter, tmp_path, *words, *ONE_THREAD)["allocations"]
    (first, second) = SHAPES[what]
    added = second[0] - first[0] if what == "tensor" else (second[1] - first[1]) // 512
    for name in found[0]:
        expect(f"allocations of {name} for a {what}", (found[1][name] - found[0][name]) / added)


def peak(silt: Silt, *words: object) -> int:
    """The most that one run of the program had in memory, in bytes.

    A small process starts it: what a process has in memory when it starts another one counts as the other's.
    """
    starter = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    starter += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-c", starter, str(silt.path), *map(str, words), "--threads", "2"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return 1024 * int(said.splitlines()[-1])


def test_memory(silt: Silt, tmp_path: Path) -> None:
    """No command has a large tensor in memory as a whole, whose values as Float would be 100 MiB; but for its factors."""
    rows, columns = 100 * 512, 512
    rng = np.random.default_rng(18)
    before = random_tensor(rng, "BF16", (rows, columns), specials=False)
    delta = rng.normal(0, 1e-3, (rows, 6)) @ rng.normal(size=(6, columns))
    after = bf16_from_f32((patterns(before).astype("<u4") << 16).view("<f4") + delta.astype("<f4").ravel())
    tensors = [{"t.weight": before}, {"t.weight": Tensor("BF16", (rows, columns), after.tobytes())}]
    pair = [write_model(tmp_path / name, tensors[index]) for index, name in enumerate(("base", "fine"))]
    packed, lossy = tmp_path / "m.silt", tmp_path / "lossy.silt"
    for limit, words in [
        (60, ["pack", *pair, "-o", tmp_path / "1.silt", "--level", "1"]),
        (70, ["pack", *pair, "-o", lossy, "--method", "random"]),
        # As many directions as are looked at first have 51,200 elements each, twice or three times.
        (220, ["pack", *pair, "-o", packed]),
        (60, ["unpack", pair[0], lossy, "-o", tmp_path / "near"]),
        (60, ["verify", pair[0], lossy, "--against", pair[1]]),
        (60, ["unpack", pair[0], packed, "-o", tmp_path / "out"]),
    ]:
        found = peak(silt, *words) >> 20
        assert found <= limit, f"{' '.join(map(str, words))}: {found} MiB"


@pytest.mark.skipif(shutil.which("valgrind") is None or shutil.which("strip") is None, reason="needs valgrind and strip")
def test_instructions(silt: Silt, tmp_path: Path) -> None:
    """Instructions for the committed pair, as valgrind counts them: its processor has AVX2, not AVX-512."""
    # Valgrind does not read the symbols that Swift writes.
    program = tmp_path / "silt"
    subprocess.run(["strip", "-o", program, silt.path], check=True)
    data = ROOT / "Tests" / "Data"
    base, fine, packed = data / "small-base", data / "small-foods", tmp_path / "m.silt"
    lossy = tmp_path / "lossy.silt"
    for name, words in {
        "pack": ["pack", base, fine, "-o", packed, "--level", "1"],
        "unpack": ["unpack", base, packed, "-o", tmp_path / "out"],
        "verify": ["verify", base, packed],
        "lossy pack": ["pack", base, fine, "-o", lossy, "--method", "random", "--embeddings", "method"],
        "lossy unpack": ["unpack", base, lossy, "-o", tmp_path / "near"],
    }.items():
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={tmp_path / 'callgrind'}"]
        command = [*tool, program, *words, "--quiet", "--threads", "1"]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        collected = re.search(r"Collected : (\d+)", result.stderr)
        assert collected, result.stderr
        expect(f"million instructions of {name}", int(collected[1]) / 1e6)
