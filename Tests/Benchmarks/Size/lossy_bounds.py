"""Entropies of pruned deltas: of the positions that stay, and of their values.

Positions: n H(keep) bits for a mask over n positions, and log2 of the ways to choose n of m for n:m. A seeded
mask has no entropy. Values: the order-0 entropy of each matrix's codes, with half a log2(n) bits for every used
symbol but one (`bound.entropy`); floats at the least of that of their patterns, of their byte planes, and raw.
Which elements a random mask keeps does not matter for the entropy of their values, so this draws its own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bound import entropy, planes_entropy
from lossy import LossyPair, Matrix

LARGEST = {"int8": 127, "int4": 7, "int2": 1}


def binary_entropy(keep: float) -> float:
    """Bits for each position of a mask that keeps this share."""
    return 0.0 if keep in (0, 1) else -keep * math.log2(keep) - (1 - keep) * math.log2(1 - keep)


def quota(share: float, count: int) -> int:
    """How many of `count` Silt keeps."""
    return max(1, int(share * count + 0.5))


def position_bits(mask: str, drop: float, matrices: list[Matrix]) -> float:
    """Entropy of the positions of all matrices."""
    total = 0.0
    for matrix in matrices:
        rows, columns = matrix.fine.shape
        match mask:
            case "bitmask" | "gaps":
                total += rows * columns * binary_entropy(1 - drop)
            case "columns":
                total += columns * binary_entropy(quota(1 - drop, columns) / columns)
            case "rows":
                total += rows * binary_entropy(quota(1 - drop, rows) / rows)
            case "2:4":
                total += rows * columns / 4 * math.log2(math.comb(4, 2))
    return total


def kept_values(mask: str, drop: float, matrix: Matrix) -> tuple[NDArray[np.float32], int]:
    """The values that stay, and in how many rows they are."""
    delta = matrix.delta.reshape(matrix.fine.shape)
    rows, columns = delta.shape
    squares = delta.astype(np.float64) ** 2
    match mask:
        case "columns":
            chosen = np.argsort(-squares.sum(axis=0), kind="stable")[: quota(1 - drop, columns)]
            return delta[:, np.sort(chosen)].reshape(-1), rows
        case "rows":
            chosen = np.argsort(-squares.sum(axis=1), kind="stable")[: quota(1 - drop, rows)]
            return delta[np.sort(chosen)].reshape(-1), len(chosen)
        case "2:4":
            groups = np.abs(delta[:, : columns // 4 * 4]).reshape(-1, 4)
            order = np.argsort(-groups, axis=1, kind="stable")[:, :2]
            return np.take_along_axis(delta[:, : columns // 4 * 4].reshape(-1, 4), order, 1).reshape(-1), rows
    generator = np.random.default_rng(1)
    return delta.reshape(-1)[generator.random(delta.size) >= drop], rows


def value_bits(kind: str, kept: NDArray[np.float32], rows: int, step: float) -> float:
    """Entropy of the values of one matrix."""
    if kept.size == 0:
        return 0.0
    if kind in LARGEST:
        largest = LARGEST[kind]
        codes = np.clip(np.rint(kept / np.float32(step or 1)), -largest, largest).astype(np.int64)
        return entropy(np.bincount(codes + largest))
    if kind == "sign":
        # And a BF16 for each row: its exponent and the leading bits of the mantissa hardly repeat.
        return min(float(kept.size), entropy(np.bincount((kept < 0).astype(np.int64)))) + 8 * rows
    bits = kept.view("<u4").astype(np.uint64)
    patterns = (bits + 32767 + (bits >> 16 & 1) >> 16).astype("<u2") if kind == "bf16" else kept.astype("<f2").view("<u2")
    rotated = (patterns << 1 | patterns >> 15).astype("<u2")
    whole = entropy(np.unique(patterns, return_counts=True)[1])
    return min(whole, planes_entropy(rotated.tobytes(), 2), 16.0 * kept.size)


def bound_bits(pair: LossyPair, mask: str, drop: float, kind: str, steps: dict[str, float]) -> float:
    """Entropy of positions and values of all matrices."""
    total = position_bits(mask, drop, pair.matrices)
    for matrix in pair.matrices:
        kept, rows = kept_values(mask, drop, matrix)
        total += value_bits(kind, kept, rows, steps.get(matrix.name, 0.0))
    return total
