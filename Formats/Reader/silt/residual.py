"""Section 7: the residual to the base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bits import read_fields, read_leb128
from .errors import require
from .rans import Stream, decode, lanes_for
from .tables import ResidualTables

DIRECT_BITS = {8: 8, 16: 6, 32: 4}
EXPONENT = {
    "F32": (23, 8), "BF16": (7, 8), "F16": (10, 5),
    "F8_E4M3": (3, 4), "F8_E4M3FNUZ": (3, 4), "F8_E5M2": (2, 5), "F8_E5M2FNUZ": (2, 5),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A chunk of an exact part, and the (converted) base patterns of its elements."""

    data: memoryview
    base: np.ndarray
    where: str


def ordered(patterns: np.ndarray) -> np.ndarray:
    """o(u) of section 7.1, as a pattern again; it is its own inverse."""
    width = patterns.dtype.itemsize * 8
    negative = patterns >> (width - 1) != 0
    return np.where(negative, patterns ^ patterns.dtype.type((1 << width - 1) - 1), patterns)


def unfold(z: np.ndarray) -> np.ndarray:
    """The steps d that the folded z stand for."""
    return np.where(z & 1, -(z + 1 >> 1), z >> 1)


def raw_widths(symbols: np.ndarray, direct: int) -> np.ndarray:
    """How many raw bits follow each symbol."""
    wide = symbols.astype(np.int64) - (1 << direct)
    return np.where(wide >= 0, (wide >> 3) + direct - 3, 0)


def join(symbols: np.ndarray, raw: np.ndarray, direct: int) -> np.ndarray:
    """The folded z of symbols and their raw bits: section 7.1."""
    wide = symbols.astype(np.int64) - (1 << direct)
    shift = np.maximum((wide >> 3) + direct - 3, 0)
    return np.where(wide >= 0, (8 | wide & 7) << shift | raw, symbols)


def classes(base: np.ndarray, codes: np.ndarray, unit: int, origin: int, dtype: str) -> np.ndarray:
    """The class of each element: section 7.2."""
    low, width = EXPONENT[dtype]
    exponents = (base >> low & ((1 << width) - 1)).astype(np.int64)
    codes = np.repeat(codes.astype(np.int64), unit)[: len(base)]
    return np.where(codes == 0, 0, 1 + np.clip(origin + codes - 2 * exponents, 0, 30))


def _split(cell: Cell) -> tuple[memoryview, memoryview, memoryview]:
    """Unit codes, symbols and raw bits of a chunk: section 7.4."""
    codes, position = read_leb128(cell.data, 0, cell.where)
    symbols, position = read_leb128(cell.data, position, cell.where)
    inside = position + codes + symbols <= len(cell.data)
    require(inside, "chunk", f"{cell.where}: streams of {codes} and {symbols} bytes do not fit")
    rest = cell.data[position:]
    return rest[:codes], rest[codes : codes + symbols], rest[codes + symbols :]


def decode_residual(cells: list[Cell], tables: ResidualTables, unit: int, dtype: str) -> list[np.ndarray]:
    """The result's patterns of each cell."""
    streams, raws = [], []
    for cell in cells:
        code_bytes, symbol_bytes, raw = _split(cell)
        units = -(-len(cell.base) // unit)
        code_stream = Stream(code_bytes, np.ones(units, np.uint8), 1, f"{cell.where}: unit codes")
        (codes,) = decode([code_stream], tables.codes)
        contexts = tables.of_class[classes(cell.base, codes, unit, tables.origin, dtype)]
        lanes = lanes_for(len(cell.base))
        streams.append(Stream(symbol_bytes, contexts, lanes, f"{cell.where}: symbols"))
        raws.append(raw)
    results = []
    for cell, symbols, raw in zip(cells, decode(streams, tables.symbols), raws, strict=True):
        direct = DIRECT_BITS[cell.base.dtype.itemsize * 8]
        fields = read_fields(raw, raw_widths(symbols, direct), cell.where)
        steps = unfold(join(symbols, fields, direct))
        results.append(ordered(ordered(cell.base) + steps.astype(cell.base.dtype)))
    return results
