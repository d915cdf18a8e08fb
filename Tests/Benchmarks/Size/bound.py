"""Entropy bounds of an exact delta: what a coder with perfect tables would need for each kind of model.

The figures are order-0 (plug-in) entropies, plus half a log2(n) bits for every used symbol but one of each
context, which is about what describing the tables costs. Tensors are matched by name, with or without a
leading `bert.` or `model.`; those without a counterpart of the same dtype and shape count at the entropy of
their byte planes. File headers and digests count nothing.

usage: bound.py BASE FINETUNED      (files, or directories in Hub layout)
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairs import DTYPE_BITS, Pair, TensorRecord, checkpoint, counterpart_names

#: Width in bits, mantissa bits and exponent mask of the dtypes whose differences are modelled.
FLOATS = {"BF16": (16, 7, 0xFF), "F16": (16, 10, 0x1F), "F32": (32, 23, 0xFF)}

#: Contexts of a residual: base exponents or row scales are clamped to so many classes.
CONTEXTS = 32


@dataclass
class Bounds:
    """Bits that each model needs, summed over tensors."""

    whole: float = 0.0
    xor: float = 0.0
    difference: float = 0.0
    exponent: float = 0.0
    row_scale: float = 0.0

    def add(self, other: Bounds) -> None:
        """Adds the bits of another tensor."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


#: What the rows are called in print. The last one is Silt's model, and the target.
LABELS = {
    "whole": "no base, byte planes",
    "xor": "XOR byte planes",
    "difference": "ordered difference, per tensor",
    "exponent": "ordered difference given base exponent, per tensor",
    "row_scale": "ordered difference given row scale and base exponent, per tensor",
}


def entropy(counts: NDArray[np.integer]) -> float:
    """Bits to code symbols that occur so many times, their table included."""
    used = counts[counts > 0].astype(float)
    if used.size < 2:
        return 0.0
    total = used.sum()
    return float(-(used * np.log2(used / total)).sum() + 0.5 * np.log2(total) * (used.size - 1))


def entropy_by_context(symbols: NDArray[np.int64], contexts: NDArray[np.int64]) -> float:
    """Bits to code `symbols` with one table per context."""
    alphabet = int(symbols.max()) + 1
    counts = np.bincount(contexts * alphabet + symbols, minlength=alphabet * CONTEXTS)
    return sum(entropy(row) for row in counts.reshape(CONTEXTS, alphabet))


def planes_entropy(data: bytes | NDArray, width: int) -> float:
    """Bits to code elements of `width` bytes, each byte position on its own."""
    planes = np.frombuffer(data, np.uint8).reshape(-1, width)
    return sum(entropy(np.bincount(planes[:, index], minlength=256)) for index in range(width))


def ordered(patterns: NDArray, bits: int) -> NDArray[np.int64]:
    """Integers in the order of the floats with these bit patterns."""
    values = patterns.astype(np.int64)
    magnitude = values & ((1 << (bits - 1)) - 1)
    return np.where(values >> (bits - 1) == 1, -magnitude - 1, magnitude)


def symbols_of(difference: NDArray[np.int64], bits: int) -> tuple[NDArray[np.int64], int]:
    """Symbols to code, densely numbered, and the bits that are stored raw beside them.

    16-bit dtypes: the folded difference. 32-bit ones: bit length, sign, three leading bits; the rest is raw.
    """
    size = np.abs(difference)
    negative = difference < 0
    if bits == 16:
        return np.unique(size * 2 + negative, return_inverse=True)[1], 0
    length = np.where(difference == 0, 0, np.floor(np.log2(np.maximum(size, 1))).astype(int) + 1)
    low = np.maximum(length - 4, 0)
    code = (length * 8 + (size >> low & 7)) * 2 + negative
    return np.unique(code, return_inverse=True)[1], int(low.sum())


def row_scale_contexts(
    difference: NDArray[np.int64], exponent: NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], float] | None:
    """Context of each element: its row's scale in ulps.

    The scale of a row is log2 of its mean change in half octaves; minus the base exponent it says how many
    steps the element moves. Rows that did not change have context 0.

    Returns:
        The contexts and the bits that the scales cost, or nothing where a tensor has no rows.
    """
    if len(shape) != 2 or shape[0] < 2:
        return None
    rows, columns = shape
    ulp = np.exp2(np.maximum(exponent, 1).astype(float) - 150)
    mean = (np.abs(difference) * ulp).reshape(shape).mean(axis=1)
    moved = mean > 0
    if not moved.any():
        return None
    scale = np.zeros(rows)
    scale[moved] = np.round(np.log2(mean[moved]) * 2) / 2
    codes = np.where(moved, scale * 2, -10000).astype(int)
    side = entropy(np.bincount(np.unique(codes, return_inverse=True)[1]))
    relative = np.round((np.repeat(scale, columns) - (exponent.astype(float) - 150)) * 2).astype(int)
    active = np.repeat(moved, columns)
    origin = np.percentile(relative[active], 1).astype(int)
    contexts = np.zeros(difference.size, np.int64)
    contexts[active] = np.clip(relative[active] - origin, 0, CONTEXTS - 2) + 1
    return contexts, side


def tensor_bounds(fine: TensorRecord, base: TensorRecord | None) -> Bounds:
    """Bits of one tensor under every model; `base` is its counterpart, if any."""
    width = max(1, DTYPE_BITS[fine.dtype] // 8) if fine.dtype in FLOATS else 1
    if base is None or (base.dtype, base.shape) != (fine.dtype, fine.shape) or width == 1:
        bits = planes_entropy(fine.data, width)
        return Bounds(bits, bits, bits, bits, bits)
    if not fine.data:
        return Bounds()
    bits, mantissa, mask = FLOATS[fine.dtype]
    new, old = (np.frombuffer(record.data, f"<u{width}") for record in (fine, base))
    difference = ordered(new, bits) - ordered(old, bits)
    exponent = (old >> mantissa & mask).astype(np.int64)
    symbols, raw = symbols_of(difference, bits)

    order0 = entropy(np.bincount(symbols))
    octaves_below = np.clip(exponent.max() - exponent, 0, CONTEXTS - 1)
    by_exponent = min(order0, entropy_by_context(symbols, octaves_below))
    by_row = by_exponent
    rows = row_scale_contexts(difference, exponent, fine.shape)
    if rows is not None:
        by_row = min(by_row, entropy_by_context(symbols, rows[0]) + rows[1])
    return Bounds(
        whole=planes_entropy(fine.data, width),
        xor=planes_entropy((new ^ old).tobytes(), width),
        difference=order0 + raw,
        exponent=by_exponent + raw,
        row_scale=by_row + raw,
    )


def pair_bounds(pair: Pair) -> Bounds:
    """Bits of a whole pair under every model."""
    base, fine = pair.base.tensors(), pair.fine.tensors()
    source = counterpart_names(base, fine)
    total = Bounds()
    for name, record in fine.items():
        counterpart = base[source[name]] if name in source else None
        total.add(tensor_bounds(record, counterpart))
    return total


def main(base: str, fine: str) -> None:
    """Prints the bounds of a pair in bits per parameter."""
    pair = Pair(checkpoint(Path(base)), checkpoint(Path(fine)))
    bounds = pair_bounds(pair)
    figures = {label: round(getattr(bounds, key) / pair.parameters, 4) for key, label in LABELS.items()}
    print(json.dumps({"parameters": pair.parameters, **figures}, indent=1))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
