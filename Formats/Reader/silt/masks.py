"""Section 12.3: the positions that a stored mask keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import planes
from .adaptive import decode_adaptive
from .bits import read_bits, read_leb128
from .errors import given, require
from .recipes import Mask
from .tables import PlaneTables


@dataclass(frozen=True)
class Positions:
    """The stored positions of a cell: rows of `length` positions each (one row, unless over elements)."""

    data: memoryview
    rows: int
    length: int
    where: str

    @property
    def count(self) -> int:
        return self.rows * self.length


def decode_positions(items: list[Positions], mask: Mask, tables: PlaneTables | None) -> list[np.ndarray]:
    """Whether each position stays, as an array of rows and positions for each item."""
    if mask.by == "bits" and mask.codec == "rans":
        return _symbols(items, given(mask.width), given(tables))
    if mask.by == "bits":
        return [_bits(item) for item in items]
    if mask.codec == "rans":
        gaps = _gap_bytes(items, given(tables))
    else:
        decode = _adaptive_gaps if mask.codec == "adaptive" else _plain_gaps
        gaps = [decode(item) for item in items]
    return [_from_gaps(item, found) for item, found in zip(items, gaps, strict=True)]


def _bits(item: Positions) -> np.ndarray:
    return read_bits(item.data, item.count, 1, item.where).astype(bool).reshape(item.rows, item.length)


def _symbols(items: list[Positions], width: int, tables: PlaneTables) -> list[np.ndarray]:
    """Symbols of `width` positions; each row begins a new one."""
    each = [-(-item.length // width) for item in items]
    cells = [
        planes.Cell(item.data, item.rows * symbols, item.where)
        for item, symbols in zip(items, each, strict=True)
    ]
    results = []
    decoded = planes.decode_planes(cells, tables)
    for item, symbols, rows in zip(items, each, decoded, strict=True):
        small = bool((rows >> (width - 1) <= 1).all())
        require(small, "chunk", f"{item.where}: a symbol of more than {width} bits")
        bits = (rows >> np.arange(width, dtype=np.uint8) & 1).astype(bool).reshape(item.rows, symbols * width)
        past = bool(bits[:, item.length :].any())
        require(not past, "chunk", f"{item.where}: bits past the end are set")
        results.append(bits[:, : item.length])
    return results


def _number(item: Positions, most: int) -> tuple[int, memoryview]:
    """The number of gaps, or of their bytes, and what follows it."""
    number, position = read_leb128(item.data, 0, item.where)
    require(number <= most, "chunk", f"{item.where}: {number} gaps or bytes, {most} at most")
    return number, item.data[position:]


def _plain_gaps(item: Positions) -> np.ndarray:
    number, rest = _number(item, item.count)
    gaps, position = [0] * number, 0
    for index in range(number):
        gaps[index], position = read_leb128(rest, position, item.where)
    require(position == len(rest), "chunk", f"{item.where}: bytes are left after the gaps")
    return np.array(gaps, np.int64)


def _adaptive_gaps(item: Positions) -> np.ndarray:
    number, rest = _number(item, item.count)
    return decode_adaptive(rest, number, False, item.where)


def _gap_bytes(items: list[Positions], tables: PlaneTables) -> list[np.ndarray]:
    """Gaps as runs of bytes 255 that another byte ends."""
    gaps, cells, targets = [np.empty(0, np.int64)] * len(items), [], []
    for index, item in enumerate(items):
        number, rest = _number(item, item.count + item.count // 255)
        require(number > 0 or len(rest) == 0, "chunk", f"{item.where}: bytes are left after no gaps")
        if number:
            cells.append(planes.Cell(rest, number, item.where))
            targets.append(index)
    for cell, index, rows in zip(cells, targets, planes.decode_planes(cells, tables), strict=True):
        data = rows[:, 0]
        require(data[-1] != 255, "chunk", f"{cell.where}: the last gap does not end")
        sums = np.cumsum(data, dtype=np.int64)[data != 255]
        gaps[index] = np.diff(sums, prepend=0)
    return gaps


def _from_gaps(item: Positions, gaps: np.ndarray) -> np.ndarray:
    keep = np.zeros(item.count, bool)
    positions = np.cumsum(gaps + 1) - 1
    inside = len(positions) == 0 or positions[-1] < item.count
    require(bool(inside), "chunk", f"{item.where}: a gap past the end")
    keep[positions] = True
    return keep.reshape(item.rows, item.length)
