"""What matrices and components of test vectors are: their specs, and what they stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xxhash

from silt.components import add, low_rank
from silt.convert import widen
from silt.digests import CELL
from silt.errors import given
from silt.philox import stays
from silt.values import FLOAT_DTYPE


@dataclass(frozen=True)
class MaskSpec:
    """How to write a mask. `keep` has a row for each row of the matrix over elements, else a flag each."""

    over: str
    by: str
    codec: str | None = None
    keep: np.ndarray | None = None
    width: int = 8
    seed: int = 0
    threshold: int = 0
    group: str | None = None


@dataclass(frozen=True)
class MatrixSpec:
    """How to write a matrix: `data` are codes or float patterns; those that no mask drops are stored.

    `scales` are BF16 patterns, one for each row or group; they are repeated as needed. Matrices and masks of
    one `group` share a chunk of tables. Cells without a value have an empty chunk, unless `fill` is set.
    """

    type: str
    codec: str
    data: np.ndarray
    masks: tuple[MaskSpec, ...] = ()
    q: float | list[float] | None = None
    step: float | None = None
    scales: np.ndarray | None = None
    by_rows: bool = True
    scale_group: int | None = None
    group: str | None = None
    fill: bool = False


@dataclass(frozen=True)
class SparseSpec:
    """A component of kind sparse."""

    matrix: MatrixSpec


@dataclass(frozen=True)
class LowRankSpec:
    """A component of kind low-rank."""

    left: MatrixSpec
    right: MatrixSpec
    scale: float | None = None


ComponentSpec = SparseSpec | LowRankSpec


def cuts(spec: MatrixSpec) -> list[tuple[int, int]]:
    """The rows of each cell (section 12.1)."""
    rows, columns = spec.data.shape
    step = CELL // columns
    return [(start, min(start + step, rows)) for start in range(0, rows, step)]


def kept(spec: MatrixSpec, name: str) -> np.ndarray:
    """Which elements no mask drops."""
    rows, columns = spec.data.shape
    keep, identity = np.ones((rows, columns), bool), xxhash.xxh3_64_intdigest(name.encode())
    for mask in spec.masks:
        shape = {"elements": (rows, columns), "rows": (rows, 1), "columns": (1, columns)}[mask.over]
        seeded = mask.by == "seeded"
        flags = stays(mask.seed, mask.threshold, identity, 0, math.prod(shape)) if seeded else given(mask.keep)
        keep &= flags.reshape(shape)
    return keep


def cell_scales(spec: MatrixSpec, keep: np.ndarray, start: int, end: int) -> np.ndarray:
    """The patterns of the scales of a cell."""
    scales = given(spec.scales)
    if spec.by_rows:
        return np.resize(scales, len(keep))[start:end]
    count = int(keep[start:end].sum())
    return np.resize(scales, -(-count // given(spec.scale_group)))


def dense(spec: MatrixSpec, name: str) -> np.ndarray:
    """The elements of a matrix in binary32."""
    keep = kept(spec, name)
    result = np.zeros(spec.data.shape, np.float32)
    for start, end in cuts(spec):
        cell = keep[start:end]
        data, rows = spec.data[start:end][cell], np.nonzero(cell)[0]
        if spec.type in FLOAT_DTYPE:
            values = widen(data, FLOAT_DTYPE[spec.type]).view(np.float32)
        elif spec.step is not None:
            with np.errstate(over="ignore"):
                values = data.astype(np.float32) * np.float32(spec.step)
        else:
            scales = widen(cell_scales(spec, keep, start, end), "BF16").view(np.float32)
            of_value = rows if spec.by_rows else np.arange(len(data)) // given(spec.scale_group)
            with np.errstate(over="ignore"):
                values = data.astype(np.float32) * scales[of_value]
        if spec.q is not None:
            q = np.array(spec.q, np.float32)
            with np.errstate(all="ignore"):
                values = values / (q[rows + start] if q.ndim else q)
        result[start:end][cell] = values
    return result


def contribution(spec: ComponentSpec, name: str) -> np.ndarray:
    """What a component adds."""
    if isinstance(spec, SparseSpec):
        return dense(spec.matrix, name)
    scale = None if spec.scale is None else np.float32(spec.scale)
    return low_rank(dense(spec.left, f"{name}:left"), dense(spec.right, f"{name}:right"), scale)


def prediction(base: np.ndarray, dtype: str, specs: tuple[ComponentSpec, ...], name: str) -> np.ndarray:
    """The prediction's patterns, from the base's in the same dtype."""
    shares = [contribution(spec, name) for spec in specs]
    with np.errstate(all="ignore"):
        total = shares[0]
        for share in shares[1:]:
            total = total + share
    return add(base.reshape(total.shape), total, dtype).reshape(-1)
