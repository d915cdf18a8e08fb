"""Sections 12 to 12.2: the prediction of a part, in binary32 and bit for bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .container import Container
from .convert import narrow, widen
from .errors import given
from .matrix import decode_matrix
from .recipes import Component, Matrix

QUIET_NAN = np.uint32(0x7FC0_0000)
EXPONENTS = {"F32": 0x7F80_0000, "F16": 0x7C00, "BF16": 0x7F80}
# So many elements are worked on at once: what is computed in between stays in the processor's caches.
BLOCK = 65_536


def fma(x: np.ndarray, y: np.ndarray, a: np.ndarray) -> np.ndarray:
    """x y + a of binary32, rounded once.

    The product is exact in binary64. The sum is rounded there to odd: its last bit says whether anything
    was lost, so that rounding it to binary32 gives what rounding the exact sum would (53 >= 24 + 2 bits).
    """
    product, addend = x.astype(np.float64) * y.astype(np.float64), a.astype(np.float64)
    total = product + addend
    back = total - product
    lost = (product - (total - back)) + (addend - back)
    bits = total.view(np.int64)
    # lost is NaN where the total is not finite; there and where nothing is lost, the total stands.
    even = ((lost < 0) | (lost > 0)) & (bits & 1 == 0)
    bits += np.where(even, np.where((lost < 0) == (total < 0), 1, -1), 0)
    return total.astype(np.float32)


def predict(
    container: Container, base: np.ndarray, dtype: str, components: list[Component], where: str
) -> np.ndarray:
    """The prediction's patterns for a part, whose base has these patterns in the result's dtype."""
    columns = components[0].matrices[-1].columns
    total: np.ndarray | None = None
    with np.errstate(all="ignore"):
        for number, component in enumerate(components):
            share = contribution(container, component, f"{where}: component {number}")
            total = share if total is None else total + share
        return add(base.reshape(-1, columns), given(total), dtype).reshape(-1)


def contribution(container: Container, component: Component, where: str) -> np.ndarray:
    """What a component adds at each element."""
    if component.kind == "sparse":
        return decode_matrix(container, component.matrices[0], f"{where}: matrix")
    left, right = (
        decode_matrix(container, matrix, f"{where}: {side}")
        for matrix, side in zip(component.matrices, ("left", "right"), strict=True)
    )
    return low_rank(left, right, component.scale)


def low_rank(left: np.ndarray, right: np.ndarray, scale: np.float32 | None) -> np.ndarray:
    """The product of the factors, summed in the order of their rows, times the scale."""
    rows, columns = left.shape[1], right.shape[1]
    result = np.zeros((rows, columns), np.float32)
    step = max(1, BLOCK // columns)
    with np.errstate(all="ignore"):
        for start in range(0, rows, step):
            block = result[start : start + step]
            for x, y in zip(left[:, start : start + step], right, strict=True):
                block[:] = fma(x[:, None], y[None, :], block)
        return result if scale is None else result * scale


def add(base: np.ndarray, total: np.ndarray, dtype: str) -> np.ndarray:
    """The prediction's patterns: the base's where it is not finite or gets nothing, else the sum's."""
    exponent = EXPONENTS[dtype]
    with np.errstate(all="ignore"):
        wide = widen(base, dtype).view(np.float32) + total
    patterns = np.where(np.isnan(wide), QUIET_NAN, wide.view(np.uint32))
    keep = (base & exponent == exponent) | (total == 0)
    return np.where(keep, base, narrow(patterns, dtype)).astype(base.dtype)


def matrices(components: list[Component]) -> Iterator[tuple[Matrix, str]]:
    """All matrices of some components, with names for messages."""
    for number, component in enumerate(components):
        for side, matrix in enumerate(component.matrices):
            name = ("left", "right")[side] if component.kind == "low-rank" else "matrix"
            yield matrix, f"component {number}: {name}"
