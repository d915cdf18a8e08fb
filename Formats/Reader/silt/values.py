"""Section 12.4: the values of a matrix and their scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import planes
from .adaptive import decode_adaptive
from .bits import read_bits
from .convert import widen
from .errors import given, require
from .recipes import FLOAT_BYTES, Values
from .residual import unfold
from .tables import PlaneTables

FLOAT_DTYPE = {"f32": "F32", "f16": "F16", "bf16": "BF16"}
LARGEST = {"int8": 127, "int4": 7, "int2": 1, "int": (1 << 24) - 1}
FIELD_BITS = {"int8": 8, "int4": 4, "int2": 2, "sign": 1}
LARGEST_SCALE = 0x7F7F


@dataclass(frozen=True)
class Block:
    """The values of a cell: their bytes, their number, and their scales (one for all, or one for each)."""

    data: memoryview
    count: int
    scales: np.ndarray | None
    where: str


def table_width(values: Values) -> int:
    """B of the values' plane tables."""
    return FLOAT_BYTES.get(values.type, 1)


def read_scales(data: memoryview, count: int, where: str) -> np.ndarray:
    """Scales: BF16 patterns of finite numbers of at least 0, each stored as its step from the one before."""
    patterns = np.cumsum(decode_adaptive(data, count, True, where))
    good = bool(((patterns >= 0) & (patterns <= LARGEST_SCALE)).all())
    require(good, "chunk", f"{where}: a scale is negative or not finite")
    return widen(patterns, "BF16").view(np.float32)


def decode_values(blocks: list[Block], values: Values, tables: PlaneTables | None) -> list[np.ndarray]:
    """The values of each block, as binary32."""
    if values.type in FLOAT_BYTES:
        return [_unrotated(rows, values.type) for rows in _rows(blocks, values, tables)]
    codes = _codes(blocks, values, tables)
    with np.errstate(over="ignore", under="ignore"):
        return [c.astype(np.float32) * given(b.scales) for c, b in zip(codes, blocks, strict=True)]


def _rows(blocks: list[Block], values: Values, tables: PlaneTables | None) -> list[np.ndarray]:
    """The bytes of each value, as rows."""
    cells = [planes.Cell(block.data, block.count, block.where) for block in blocks]
    if values.codec == "rans":
        return planes.decode_planes(cells, given(tables))
    return [planes.decode_compressed(cell, values.codec, table_width(values)) for cell in cells]


def _unrotated(rows: np.ndarray, kind: str) -> np.ndarray:
    """Floats whose sign was the lowest bit."""
    width = FLOAT_BYTES[kind]
    stored = np.ascontiguousarray(rows).view(f"<u{width}")[:, 0]
    return widen(stored >> 1 | stored << (8 * width - 1), FLOAT_DTYPE[kind]).view(np.float32)


def _codes(blocks: list[Block], values: Values, tables: PlaneTables | None) -> list[np.ndarray]:
    kind, results = values.type, []
    if values.codec == "adaptive":
        found = [decode_adaptive(block.data, block.count, True, block.where) for block in blocks]
    else:
        if values.codec == "rans":
            folded = [rows[:, 0] for rows in _rows(blocks, values, tables)]
        else:
            folded = [read_bits(b.data, b.count, FIELD_BITS[kind], b.where) for b in blocks]
        found = [_sign(z) if kind == "sign" else unfold(z.astype(np.int64)) for z in folded]
    for block, codes in zip(blocks, found, strict=True):
        known = (np.abs(codes) == 1) if kind == "sign" else np.abs(codes) <= LARGEST[kind]
        require(bool(known.all()), "chunk", f"{block.where}: a code that {kind} does not have")
        results.append(codes)
    return results


def _sign(z: np.ndarray) -> np.ndarray:
    """1 for 0 and -1 for 1; other symbols become what is no sign."""
    return np.where(z == 0, 1, np.where(z == 1, -1, 0))
