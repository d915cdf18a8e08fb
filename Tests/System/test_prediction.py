"""Exact packs over low-rank predictions: merged adapters, and deltas for which they do not pay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, bf16_from_f32, write_model
from program import Silt, manifest_tensors

LAYERS, WIDTH, RANK = 3, 384, 8


def bf16(values: np.ndarray) -> Tensor:
    """A tensor of rounded values."""
    return Tensor("BF16", values.shape, bf16_from_f32(values.astype("<f4")).tobytes())


def widened(tensor: Tensor) -> np.ndarray:
    """Its values in binary32."""
    return (np.frombuffer(tensor.data, "<u2").astype("<u4") << 16).view("<f4").reshape(tensor.shape)


def sizes(silt: Silt, base: Path, fine: Path, work: Path) -> tuple[dict, dict]:
    """Reports with and without predictions; both come back byte for byte, the independent reader agrees."""
    work.mkdir()
    with_them = silt.pack(base, fine, work / "auto.silt")
    without = silt.pack(base, fine, work / "none.silt", "--prediction", "none")
    for name in ("auto", "none"):
        silt.ok("verify", base, work / f"{name}.silt", "--against", fine, "--sha256")
    return with_them, without


@pytest.mark.slow
def test_merged_adapter(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """A LoRA merged in BF16: the factors and what rounding left take at most 0.6 of the residual alone."""
    base, fine = {}, {}
    for layer in range(LAYERS):
        name = f"layers.{layer}.weight"
        base[name] = bf16(rng.standard_normal((WIDTH, WIDTH)) * 0.04)
        update = rng.standard_normal((WIDTH, RANK)) @ rng.standard_normal((RANK, WIDTH)) * 5e-4
        fine[name] = bf16(widened(base[name]) + update.astype("<f4"))
    places = write_model(tmp_path / "base", base), write_model(tmp_path / "fine", fine)
    with_them, without = sizes(silt, *places, tmp_path / "work")
    assert with_them["bytes"] <= 0.6 * without["bytes"]
    assert with_them["encodings"]["exact over low-rank"]["tensors"] == LAYERS
    (part,) = manifest_tensors(tmp_path / "work" / "auto.silt")["layers.0.weight"]["parts"]
    assert part["kind"] == "exact" and part["components"][0]["kind"] == "low-rank"


def test_flat_delta(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Noise has no directions: nothing is predicted, and the files are equally large."""
    before = bf16(rng.standard_normal((WIDTH, WIDTH)) * 0.04)
    after = bf16(widened(before) + (rng.standard_normal((WIDTH, WIDTH)) * 1e-3).astype("<f4"))
    base, fine = (write_model(tmp_path / name, {"a.weight": t}) for name, t in (("base", before), ("fine", after)))
    with_them, without = sizes(silt, base, fine, tmp_path / "work")
    assert with_them["bytes"] == without["bytes"]
    assert "exact over low-rank" not in with_them["encodings"]


def test_threads_do_not_matter(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The same file with one thread and with eight."""
    for threads in (1, 8):
        silt.pack(*real_pair, tmp_path / f"{threads}.silt", "--threads", threads, check=False)
    assert (tmp_path / "1.silt").read_bytes() == (tmp_path / "8.silt").read_bytes()
