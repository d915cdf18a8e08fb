"""Sections 6.1, 7.3 and 8.2: stored tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import require
from .rans import IDENTITY, SCALE, TableSet

RESIDUAL, PLANES = 1, 2
RAW, ZERO, CODED = 0, 1, 2
ALPHABETS = {8: 256, 16: 144, 32: 240}
CLASSES = 32
ESCAPE = 20


class BitReader:
    """A bit stream, read from the lowest bit of each byte (section 2)."""

    def __init__(self, data: memoryview, where: str) -> None:
        self.data, self.position, self.where = data, 0, where

    def bits(self, count: int) -> int:
        end = self.position + count
        require(end <= 8 * len(self.data), "tables", f"{self.where}: the bit stream ends within a table")
        first = self.position >> 3
        window = int.from_bytes(self.data[first : first + 4], "little")
        value = window >> (self.position & 7) & ((1 << count) - 1)
        self.position = end
        return value

    def table(self, alphabet: int) -> np.ndarray:
        """The frequencies of one table (section 6.1)."""
        last, k = self.bits(8), self.bits(4)
        require(last < alphabet, "tables", f"{self.where}: symbol {last} in an alphabet of {alphabet}")
        require(k <= 12, "tables", f"{self.where}: k is {k}")
        frequencies = np.zeros(alphabet, np.int64)
        value = total = 0
        for symbol in range(last):
            value += self._difference(k)
            require(0 <= value <= SCALE, "tables", f"{self.where}: frequency {value}")
            frequencies[symbol] = value
            total += value
        require(total < SCALE, "tables", f"{self.where}: frequencies of {total} leave none for symbol {last}")
        frequencies[last] = SCALE - total
        return frequencies

    def _difference(self, k: int) -> int:
        quotient = 0
        while quotient < ESCAPE and self.bits(1):
            quotient += 1
        folded = self.bits(14) if quotient == ESCAPE else quotient << k | self.bits(k)
        proper = folded <= 2 * SCALE and (quotient < ESCAPE or folded >> k >= ESCAPE)
        require(proper, "tables", f"{self.where}: folded difference {folded}")
        return -(folded + 1 >> 1) if folded & 1 else folded >> 1

    def finish(self) -> None:
        """Nothing but zero bits of the last byte may be left."""
        left = 8 * len(self.data) - self.position
        require(left < 8, "tables", f"{self.where}: {left} bits are left over")
        require(self.bits(left) == 0, "tables", f"{self.where}: unused bits are set")


@dataclass(frozen=True)
class ResidualTables:
    """Section 7.3. `of_class` maps a class to its table in `symbols`."""

    origin: int
    codes: TableSet
    symbols: TableSet
    of_class: np.ndarray


@dataclass(frozen=True)
class PlaneTables:
    """Section 8.2. `of_plane` has each plane's table in `symbols`, for coded planes."""

    modes: list[int]
    symbols: TableSet
    of_plane: list[int]


def read_residual_tables(data: memoryview, width: int, where: str) -> ResidualTables:
    """A chunk of residual tables for dtypes of `width` bits."""
    require(len(data) >= 8, "tables", f"{where}: {len(data)} bytes")
    require(data[0] == RESIDUAL, "tables", f"{where}: tables of type {data[0]}, not {RESIDUAL}")
    require(data[1] == width, "tables", f"{where}: tables for {data[1]} bits, not {width}")
    origin = int.from_bytes(data[2:4], "little", signed=True)
    starts = int.from_bytes(data[4:8], "little")
    require(starts & 3 == 2, "tables", f"{where}: starts is {starts:#010x}")
    reader = BitReader(data[8:], where)
    codes = TableSet([reader.table(256)])
    of_class = np.full(CLASSES, IDENTITY, np.uint8)
    tables: list[np.ndarray] = []
    for number in range(1, CLASSES):
        if starts >> number & 1:
            tables.append(reader.table(ALPHABETS[width]))
        of_class[number] = len(tables)
    reader.finish()
    return ResidualTables(origin, codes, TableSet(tables), of_class)


def read_plane_tables(data: memoryview, width: int, where: str) -> PlaneTables:
    """A chunk of plane tables for elements of `width` bytes."""
    require(len(data) >= 2 + width, "tables", f"{where}: {len(data)} bytes")
    require(data[0] == PLANES, "tables", f"{where}: tables of type {data[0]}, not {PLANES}")
    require(data[1] == width, "tables", f"{where}: tables for {data[1]} bytes, not {width}")
    modes = list(data[2 : 2 + width])
    require(max(modes) <= CODED, "tables", f"{where}: modes {modes}")
    reader = BitReader(data[2 + width :], where)
    tables = [reader.table(256) for mode in modes if mode == CODED]
    reader.finish()
    of_plane = np.cumsum([mode == CODED for mode in modes]).tolist()
    return PlaneTables(modes, TableSet(tables), of_plane)
