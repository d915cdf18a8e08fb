"""Which elements methods keep, what they make of them, and how positions are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import (
    LOSSY_NAMES,
    Tensor,
    Tensors,
    bf16_from_f32,
    float_tensor,
    read_safetensors,
    write_model,
)
from program import Silt, digests, manifest_tensors
from pruning import added, delta_of, kept_at_random, values

Pairs = dict[str, tuple[Path, Path]]
RATES = (0.5, 0.9, 0.95, 0.99)


def quota(share: float, count: int) -> int:
    """How many of `count` are kept: the nearest integer, halves up, but one at least."""
    return max(1, int(share * count + 0.5))


def matrix(tensor: Tensor, flat: NDArray) -> NDArray:
    """Values of a tensor by rows."""
    return flat.reshape(-1, int(np.prod(tensor.shape[1:])))


def load(pair: tuple[Path, Path]) -> tuple[Tensors, Tensors]:
    """Base and fine-tune."""
    return read_safetensors(pair[0] / "model.safetensors"), read_safetensors(pair[1] / "model.safetensors")


def largest(scores: NDArray, count: int) -> NDArray[np.bool_]:
    """The `count` largest scores; the lower index first among equals."""
    kept = np.zeros(scores.size, bool)
    kept[np.argsort(-scores, kind="stable")[:count]] = True
    return kept


def check(pair: tuple[Path, Path], result: Tensors, masks: dict[str, NDArray[np.bool_]]) -> None:
    """The tensors are base + mask * delta, bit for bit."""
    base, fine = load(pair)
    for name, mask in masks.items():
        change = np.where(mask.reshape(-1), delta_of(base[name], fine[name]), np.float32(0))
        assert result[name] == added(base[name], change), name


@pytest.mark.slow
@pytest.mark.parametrize(("drop", "values_type"), [(0.5, "int4"), (0.9, "f32"), (0.95, "int8"), (0.99, "int4")])
def test_stored_masks_give_the_same(
    silt: Silt, pairs: Pairs, tmp_path: Path, drop: float, values_type: str
) -> None:
    """However positions are stored, the result is the same; and no form is much larger than its entropy."""
    base, fine = pairs["BF16"]
    found = {}
    for mask in ("seeded", "bitmask", "gaps"):
        options = ("--method", "random", "--drop", drop, "--values", values_type, "--mask", mask)
        found[mask] = silt.lossy(base, fine, tmp_path / mask, *options)
    assert len({tuple(digests(item.output).items()) for item in found.values()}) == 1
    name = LOSSY_NAMES[2]
    stored = {}
    for mask, item in found.items():
        entries = {entry["name"]: entry for entry in silt.json("inspect", item.file)["tensors"]}
        stored[mask] = entries[name]["bytes"]
    entropy = -(drop * np.log2(drop) + (1 - drop) * np.log2(1 - drop)) * 700 * 401 / 8
    for mask in ("bitmask", "gaps"):
        positions = stored[mask] - stored["seeded"]
        # Gaps are made for few positions: at p = .5 every second one has a byte of its own. Each of the two
        # cells may have the states of 32 lanes.
        most = 1.03 if mask == "bitmask" or drop >= 0.9 else 1.3
        text = f"{mask}: {positions}, entropy {entropy:.0f}"
        assert 0.98 * entropy < positions < most * entropy + 2 * 128 + 40, text


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["tensor", "row", "global"])
@pytest.mark.parametrize("drop", RATES)
def test_magnitude(silt: Silt, pairs: Pairs, tmp_path: Path, drop: float, scope: str) -> None:
    """Exactly the k largest, of the tensor, of each row, of all tensors."""
    base, fine = load(pairs["F32"])
    deltas = {name: np.abs(delta_of(base[name], fine[name])) for name in LOSSY_NAMES}
    keep = 1 - drop
    masks = {}
    match scope:
        case "tensor":
            masks = {name: largest(delta, quota(keep, delta.size)) for name, delta in deltas.items()}
        case "row":
            for name, delta in deltas.items():
                rows = matrix(base[name], delta)
                masks[name] = np.stack([largest(row, quota(keep, row.size)) for row in rows])
        case "global":
            together = np.concatenate(list(deltas.values()))
            kept = largest(together, quota(keep, together.size))
            ends = np.cumsum([delta.size for delta in deltas.values()])
            masks = dict(zip(deltas, np.split(kept, ends[:-1]), strict=True))
    options = ("--method", "magnitude", "--drop", drop, "--values", "f32", "--scope", scope)
    check(pairs["F32"], silt.lossy(*pairs["F32"], tmp_path, *options).tensors, masks)


def test_magnitude_with_equals(silt: Silt, tmp_path: Path) -> None:
    """Where magnitudes are equal, no more than k stay: those of the lowest index."""
    base = {"a.weight": float_tensor(np.ones((20, 50)), "F32")}
    signs = np.where(np.arange(1000).reshape(20, 50) % 3 == 0, -1, 1)
    fine = {"a.weight": float_tensor(np.ones((20, 50)) + signs * 0.125, "F32")}
    pair = write_model(tmp_path / "base", base), write_model(tmp_path / "fine", fine)
    options = ("--method", "magnitude", "--drop", "0.9", "--values", "f32")
    result = silt.lossy(*pair, tmp_path / "work", *options)
    check(pair, result.tensors, {"a.weight": np.arange(1000) < 100})


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [(2, 4), (1, 8), (3, 16), (4, 5)])
def test_n_of_m(silt: Silt, pairs: Pairs, tmp_path: Path, pattern: tuple[int, int]) -> None:
    """The n largest of each m neighbours in a row; of a shorter last group as large a share, rounded up."""
    n, m = pattern
    base, fine = load(pairs["F32"])
    masks = {}
    for name in LOSSY_NAMES:
        rows = np.abs(matrix(base[name], delta_of(base[name], fine[name])))
        groups = [rows[:, start : start + m] for start in range(0, rows.shape[1], m)]
        parts = [[largest(row, -(-n * group.shape[1] // m)) for row in group] for group in groups]
        masks[name] = np.concatenate(parts, axis=1)
        assert (masks[name][:, : rows.shape[1] // m * m].reshape(-1, m).sum(axis=1) == n).all()
    options = ("--method", "nm", "--pattern", f"{n}:{m}", "--values", "f32")
    check(pairs["F32"], silt.lossy(*pairs["F32"], tmp_path, *options).tensors, masks)


@pytest.mark.parametrize("method", ["columns", "rows"])
@pytest.mark.parametrize("drop", RATES)
def test_structure_by_norm(silt: Silt, pairs: Pairs, tmp_path: Path, method: str, drop: float) -> None:
    """As many columns or rows as the share says, those of the largest norm."""
    base, fine = load(pairs["F32"])
    masks = {}
    for name in LOSSY_NAMES:
        rows = matrix(base[name], delta_of(base[name], fine[name])).astype(np.float64)
        squares = (rows**2).sum(axis=0 if method == "columns" else 1)
        kept = largest(squares, quota(1 - drop, squares.size))
        masks[name] = np.broadcast_to(kept if method == "columns" else kept[:, None], rows.shape)
    options = ("--method", method, "--drop", drop, "--values", "f32")
    check(pairs["F32"], silt.lossy(*pairs["F32"], tmp_path, *options).tensors, masks)


@pytest.mark.slow
@pytest.mark.parametrize("mask", ["auto", "seeded", "bitmask", "gaps"])
@pytest.mark.parametrize("method", ["columns", "rows"])
def test_structure_at_random(silt: Silt, pairs: Pairs, tmp_path: Path, method: str, mask: str) -> None:
    """A seeded mask over columns or rows, rescaled like DARE's."""
    base, fine = load(pairs["F32"])
    options = ("--method", method, "--choose", "random", "--drop", "0.5", "--values", "f32", "--mask", mask)
    result = silt.lossy(*pairs["F32"], tmp_path, *options).tensors
    for name in LOSSY_NAMES:
        delta = matrix(base[name], delta_of(base[name], fine[name]))
        axis = 1 if method == "columns" else 0
        kept = kept_at_random(name, delta.shape[axis], 0.5)
        mask_array = kept if method == "columns" else kept[:, None]
        change = np.where(mask_array, delta, np.float32(0)).astype(np.float32) / np.float32(0.5)
        assert result[name] == added(base[name], change.reshape(-1)), name


def test_sign(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """BitDelta: the sign of each element, times its row's mean magnitude (rounded to BF16)."""
    base, fine = load(pairs["F32"])
    result = silt.lossy(*pairs["F32"], tmp_path, "--method", "sign").tensors
    for name in LOSSY_NAMES:
        delta = matrix(base[name], delta_of(base[name], fine[name]))
        mean = np.abs(delta.astype(np.float64)).mean(axis=1).astype("<f4")
        scale = (bf16_from_f32(mean).astype("<u4") << 16).view("<f4")
        change = np.where(delta < 0, -scale[:, None], scale[:, None]).astype("<f4")
        assert result[name] == added(base[name], change.reshape(-1)), name


@pytest.mark.slow
@pytest.mark.parametrize(("values_type", "steps"), [("int8", 127), ("int4", 7), ("int2", 1)])
@pytest.mark.parametrize("group", [0, 32])
def test_integers(silt: Silt, pairs: Pairs, tmp_path: Path, values_type: str, steps: int, group: int) -> None:
    """Codes are the nearest to value / scale, and no better scale is far away."""
    base, fine = load(pairs["F32"])
    options = ("--method", "dense", "--values", values_type, "--group", group)
    result = silt.lossy(*pairs["F32"], tmp_path, *options)
    name = LOSSY_NAMES[1]
    delta = delta_of(base[name], fine[name]).astype(np.float64)
    change = values(result.tensors[name]).astype(np.float64) - values(base[name])
    record = manifest_tensors(result.file)[name]["parts"][0]["components"][0]["matrix"]["values"]
    assert record["type"] == values_type
    runs = [slice(0, delta.size)] if group == 0 else [slice(i, i + group) for i in range(0, delta.size, group)]
    for run in runs:
        wide = np.abs(delta[run]).max()
        scales = wide / steps * np.linspace(0.2, 1, 81)
        errors = [
            ((np.clip(np.rint(delta[run] / scale), -steps, steps) * scale - delta[run]) ** 2).sum()
            for scale in scales
        ]
        # A coarse search and a scale of 8 bits may lose a little against the best one.
        assert ((change[run] - delta[run]) ** 2).sum() <= 1.15 * min(errors) + 1e-9


def test_float_values(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """f16 and bf16 round the delta, to nearest, before it is divided by q."""
    base, fine = load(pairs["F32"])
    for values_type in ("f16", "bf16"):
        options = ("--method", "random", "--drop", "0.5", "--values", values_type)
        result = silt.lossy(*pairs["F32"], tmp_path / values_type, *options).tensors
        for name in LOSSY_NAMES:
            delta = delta_of(base[name], fine[name])
            if values_type == "bf16":
                rounded = (bf16_from_f32(delta).astype("<u4") << 16).view("<f4")
            else:
                rounded = delta.astype("<f2").astype("<f4")
            kept = kept_at_random(name, delta.size, 0.5)
            change = np.where(kept, rounded, np.float32(0)).astype(np.float32) / np.float32(0.5)
            assert result[name] == added(base[name], change), name
