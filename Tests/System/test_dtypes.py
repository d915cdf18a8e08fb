"""Every dtype of safetensors, every bit pattern that matters, and random checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import (
    DTYPE_BITS,
    SPECIALS,
    Tensor,
    Tensors,
    element_count,
    patterns,
    random_tensor,
    tuned,
    tuned_model,
    write_model,
    write_safetensors,
)
from program import Silt

EIGHT_BIT_FLOATS = ["F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"]


@pytest.mark.parametrize("dtype", DTYPE_BITS)
def test_every_dtype(silt: Silt, rng: np.random.Generator, tmp_path: Path, dtype: str) -> None:
    """Changed, unchanged, new and resized tensors of one dtype."""
    old = {
        f"{index}": random_tensor(rng, dtype, shape)
        for index, shape in enumerate([(64, 40), (24,), (8, 2, 4)])
    }
    new = tuned_model(rng, old) | {"new": random_tensor(rng, dtype, (16, 4))}
    old["same"] = new["same"] = random_tensor(rng, dtype, (32, 8))
    old["grown"] = random_tensor(rng, dtype, (16, 8))
    more = random_tensor(rng, dtype, (8, 8))
    new["grown"] = Tensor(dtype, (24, 8), tuned(rng, old["grown"]).data + more.data)
    base = write_safetensors(tmp_path / "base.safetensors", old)
    silt.round_trip(base, write_safetensors(tmp_path / "fine.safetensors", new), tmp_path)


@pytest.mark.parametrize("dtype", EIGHT_BIT_FLOATS)
def test_all_pairs_of_8_bit_patterns(silt: Silt, tmp_path: Path, dtype: str) -> None:
    """Each of the 65,536 combinations of base and result."""
    old, new = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8), indexing="ij")
    base = {"w": Tensor(dtype, (256, 256), old.tobytes())}
    fine = {"w": Tensor(dtype, (256, 256), new.tobytes())}
    files = [write_safetensors(tmp_path / name, model) for name, model in (("b.st", base), ("f.st", fine))]
    paths = [file.rename(file.with_suffix(".safetensors")) for file in files]
    silt.round_trip(*paths, tmp_path)


@pytest.mark.parametrize("dtype", ["BF16", "F16"])
def test_all_16_bit_patterns(silt: Silt, rng: np.random.Generator, tmp_path: Path, dtype: str) -> None:
    """Each pattern in the base, next to near and far patterns in the result."""
    old = np.arange(65536, dtype="<u2")
    near = old + rng.integers(-3, 4, old.size).astype("<u2")
    far = rng.permutation(old)
    base = {name: Tensor(dtype, (256, 256), old.tobytes()) for name in ("near", "far", "same")}
    fine = {
        "near": Tensor(dtype, (256, 256), near.astype("<u2").tobytes()),
        "far": Tensor(dtype, (256, 256), far.tobytes()),
        "same": base["same"],
    }
    paths = [write_safetensors(tmp_path / f"{n}.safetensors", m) for n, m in (("base", base), ("fine", fine))]
    silt.round_trip(*paths, tmp_path)


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16", "F64"])
def test_special_values_meet(silt: Silt, tmp_path: Path, dtype: str) -> None:
    """Every special value of the base against every special value of the result, both signs."""
    top = 1 << (DTYPE_BITS[dtype] - 1)
    values = np.array(
        [*SPECIALS[dtype], 0, top, *(value ^ top for value in SPECIALS[dtype])], dtype=np.uint64
    )
    old, new = (
        grid.astype(f"<u{DTYPE_BITS[dtype] // 8}") for grid in np.meshgrid(values, values, indexing="ij")
    )
    base, fine = ({"w": Tensor(dtype, old.shape, grid.tobytes())} for grid in (old, new))
    paths = [write_safetensors(tmp_path / f"{n}.safetensors", m) for n, m in (("base", base), ("fine", fine))]
    silt.round_trip(*paths, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["BF16", "F32", "F16"])
@pytest.mark.parametrize("rows", [64, 2000, 9000])
def test_scales_far_apart(
    silt: Silt, rng: np.random.Generator, tmp_path: Path, dtype: str, rows: int
) -> None:
    """Rows that move by as little and as much as the dtype allows: more scales than a code can name."""
    width = DTYPE_BITS[dtype]
    mantissa = {"BF16": 7, "F32": 23, "F16": 10}[dtype]
    exponents = (1 << (width - 1 - mantissa)) - 1
    exponent = rng.choice(
        [0, 1, exponents // 2, exponents - 1, exponents], size=(rows, 1), p=[0.1, 0.1, 0.6, 0.1, 0.1]
    )
    spread = np.clip(exponent - rng.integers(0, 3, (rows, 64)), 0, exponents)
    old = (spread << mantissa) | rng.integers(0, 1 << mantissa, (rows, 64))
    reach = rng.choice([0, 1, 2, 9, 16], size=(rows, 1))
    new = (old + rng.integers(-(1 << reach), (1 << reach) + 1, (rows, 64))) & ((1 << width) - 1)
    base, fine = ({"w": Tensor(dtype, (rows, 64), g.astype(f"<u{width // 8}").tobytes())} for g in (old, new))
    paths = [write_safetensors(tmp_path / f"{n}.safetensors", m) for n, m in (("base", base), ("fine", fine))]
    silt.round_trip(*paths, tmp_path)


def test_changed_dtype(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Every ordered pair of the float dtypes, and pairs that have nothing to do with each other."""
    dtypes = ["F32", "F16", "BF16", "F8_E4M3", "I32", "F64"]
    old: Tensors = {}
    new: Tensors = {}
    for first in dtypes:
        for second in dtypes:
            old[f"{first}.{second}"] = random_tensor(rng, first, (33, 8))
            new[f"{first}.{second}"] = random_tensor(rng, second, (33, 8))
    base = write_safetensors(tmp_path / "base.safetensors", old)
    silt.round_trip(base, write_safetensors(tmp_path / "fine.safetensors", new), tmp_path)


@pytest.mark.parametrize("first", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("second", ["F32", "F16", "BF16"])
def test_conversion_of_all_patterns(
    silt: Silt, rng: np.random.Generator, tmp_path: Path, first: str, second: str
) -> None:
    """The converted base must be the same in program and reader for each pattern, NaN payloads included."""
    if first == "F32":
        low = rng.choice(np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0x1000, 0x0FFF, 0xFFFF], dtype="<u4"), 65536)
        old = (np.arange(65536, dtype="<u4") << 16) | low
    else:
        old = np.arange(65536, dtype="<u2")
    new = np.arange(65536, dtype="<u2") if second != "F32" else np.arange(65536, dtype="<u4") << 16
    base = {"w": Tensor(first, (256, 256), old.tobytes())}
    fine = {"w": Tensor(second, (256, 256), new.tobytes())}
    paths = [write_safetensors(tmp_path / f"{n}.safetensors", m) for n, m in (("base", base), ("fine", fine))]
    silt.round_trip(*paths, tmp_path)


@pytest.mark.parametrize("seed", range(12))
def test_random_checkpoints(silt: Silt, tmp_path: Path, seed: int) -> None:
    """Tensors of any dtype and shape, each related to the base in some way or not at all."""
    rng = np.random.default_rng(seed)
    old: Tensors = {}
    new: Tensors = {}
    for index in range(14):
        dtype = str(rng.choice(list(DTYPE_BITS)))
        shape = tuple(int(extent) for extent in rng.integers(0, 30, rng.integers(0, 4)))
        if element_count(shape) * DTYPE_BITS[dtype] % 8:
            shape = (*shape[:-1], 8)
        name = f"layer.{index}.weight"
        tensor = random_tensor(rng, dtype, shape)
        match rng.integers(0, 6):
            case 0:
                new[name] = tensor
            case 1:
                old[name] = tensor
            case 2:
                old[name] = new[name] = tensor
            case 3:
                old[name], new[name] = tensor, random_tensor(rng, "F32", (5, 4))
            case 4:
                old[name], new[name] = tensor, Tensor(dtype, shape, bytes(len(tensor.data)))
            case _:
                share = float(rng.choice([0.0, 0.01, 0.3, 1.0]))
                old[name], new[name] = tensor, tuned(rng, tensor, share, int(rng.choice([1, 5, 100])))
    options = {"residue": int(rng.integers(0, 8)), "shuffled": bool(rng.integers(0, 2))}
    base = write_model(tmp_path / "base", old, residue=int(rng.integers(0, 8)))
    silt.round_trip(base, write_model(tmp_path / "fine", new, **options), tmp_path)


def test_makers_keep_bits(rng: np.random.Generator) -> None:
    """The helpers of these tests do what they say: a tuned tensor differs, and only in some places."""
    tensor = random_tensor(rng, "BF16", (100, 100))
    moved = patterns(tuned(rng, tensor, share=0.1)) != patterns(tensor)
    assert 0 < moved.sum() < 0.2 * moved.size
