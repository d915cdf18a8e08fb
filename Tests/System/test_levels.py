"""Levels of pack: the fast one reads files once and takes tables from a sample, and must give everything back all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, Tensors, random_tensor, tuned_model, write_model, write_sharded
from program import Silt, digest, manifest_tensors

#: Rows of 512 values that fill a cell.
CELL = 512


def changed(tensor: Tensor, rows: slice, bits: int = 0x55) -> Tensor:
    """Some rows of a matrix with other bits."""
    data = np.frombuffer(tensor.data, np.uint8).reshape(tensor.shape[0], -1).copy()
    data[rows] ^= bits
    return Tensor(tensor.dtype, tensor.shape, data.tobytes())


def uneven(rng: np.random.Generator) -> tuple[Tensors, Tensors]:
    """Tensors of which a sample shows little: still ones, and such that move where nobody looks."""
    still = random_tensor(rng, "BF16", (12 * CELL, 512))
    base: Tensors = {
        "still": still,
        "late": random_tensor(rng, "BF16", (12 * CELL, 512)),
        "rare": random_tensor(rng, "F32", (3 * CELL, 512)),
        "integers": random_tensor(rng, "I64", (3 * CELL, 512)),
        "integers.still": random_tensor(rng, "I32", (3 * CELL, 512)),
        "grown": random_tensor(rng, "BF16", (700, 512)),
        "vector": random_tensor(rng, "BF16", (300,)),
    }
    fine = base | {
        "late": changed(base["late"], slice(11 * CELL, None)),
        "rare": changed(base["rare"], slice(5, 6), 0xFF),
        "integers": changed(base["integers"], slice(0, 3)),
        "grown": Tensor("BF16", (1400, 512), base["grown"].data + random_tensor(rng, "BF16", (700, 512)).data),
        "new": random_tensor(rng, "BF16", (2 * CELL, 512)),
        "zero": Tensor("BF16", (2 * CELL, 512), bytes(2 * CELL * 512 * 2)),
    }
    return base, fine


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["auto", "rans", "zstd", "lz4", "none"])
def test_sampled_tables(silt: Silt, rng: np.random.Generator, tmp_path: Path, codec: str) -> None:
    """What a sample does not show comes back too; what did not move is a copy."""
    base, fine = uneven(rng)
    paths = write_model(tmp_path / "base", base), write_model(tmp_path / "fine", fine)
    silt.round_trip(*paths, tmp_path, "--level", 1, "--codec", codec)
    tensors = manifest_tensors(tmp_path / "model.silt")
    for name in ("still", "integers.still"):
        assert [part["kind"] for part in tensors[name]["parts"]] == ["copy"]
        assert "chunks" not in tensors[name]["parts"][0]
    assert [part["kind"] for part in tensors["late"]["parts"]] != ["copy"]


def test_levels_of_the_real_pair(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Faster levels are larger: a sample by 2 % at most, without predictions by a half here; threads change no byte."""
    sizes = {}
    for level in (1, 2, 3):
        found = set()
        for threads in (1, 4):
            packed = tmp_path / f"{level}-{threads}.silt"
            silt.pack(*real_pair, packed, "--level", level, "--threads", threads, check=threads == 1)
            found.add(digest(packed))
        assert len(found) == 1
        sizes[level] = packed.stat().st_size
    plain = tmp_path / "plain.silt"
    silt.pack(*real_pair, plain, "--prediction", "none", check=False)
    assert abs(plain.stat().st_size - sizes[2]) < 100
    assert sizes[2] <= sizes[1] <= 1.02 * sizes[2]
    assert sizes[3] < 0.7 * sizes[2]


def test_shared_base(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Two tensors over one base tensor (tied embeddings), and a base tensor that nobody needs: one of them hashes it."""
    shared = random_tensor(rng, "BF16", (4 * CELL, 512))
    base = {"model.embed_tokens.weight": shared, "unused": random_tensor(rng, "BF16", (2 * CELL, 512))}
    moved = tuned_model(rng, {"a": shared, "b": shared})
    fine = {"model.embed_tokens.weight": moved["a"], "lm_head.weight": moved["b"]}
    paths = write_sharded(tmp_path / "base", base, 2), write_sharded(tmp_path / "fine", fine, 2)
    silt.round_trip(*paths, tmp_path, "--level", 1)
