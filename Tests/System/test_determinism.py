"""The same input gives the same bytes, whatever the number of threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import random_tensor, tuned_model, write_sharded
from program import Silt, digest, digests


def test_threads(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The committed pair with 1, 2 and 8 threads, packed and unpacked."""
    base, fine = real_pair
    found = set()
    for threads in (1, 2, 8):
        packed, output = tmp_path / f"{threads}.silt", tmp_path / f"{threads}"
        silt.pack(base, fine, packed, "--threads", threads)
        silt.unpack(base, packed, output, "--threads", threads)
        found.add(digest(packed))
        assert digests(output) == digests(fine)
    assert len(found) == 1


@pytest.mark.slow
def test_repeated_runs(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Twenty packs of a checkpoint with many tensors of all sizes: no race shows."""
    model = {f"t{index}": random_tensor(rng, "BF16", (int(rng.integers(1, 400)), 50)) for index in range(60)}
    base = write_sharded(tmp_path / "base", model, 2)
    fine = write_sharded(tmp_path / "fine", tuned_model(rng, model), 3)
    found = set()
    for index in range(20):
        silt.pack(base, fine, tmp_path / f"{index}.silt", "--threads", 1 + index % 8)
        found.add(digest(tmp_path / f"{index}.silt"))
    assert len(found) == 1


def test_place_does_not_matter(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Paths and times of the input do not enter the file."""
    model = {"a.weight": random_tensor(rng, "BF16", (100, 20))}
    tuned = tuned_model(rng, model)
    found = set()
    for place in ("one", "another/place"):
        base = write_sharded(tmp_path / place / "base", model, 1)
        fine = write_sharded(tmp_path / place / "fine", tuned, 1)
        silt.pack(base, fine, tmp_path / place / "m.silt")
        found.add(digest(tmp_path / place / "m.silt"))
    assert len(found) == 1
