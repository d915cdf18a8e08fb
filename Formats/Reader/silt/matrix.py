"""Section 12.3: a matrix from its chunks. All cells are decoded together, step by step, as rANS likes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import masks, values
from .bits import read_leb128
from .container import Container
from .errors import given, require
from .philox import stays
from .recipes import Mask, Matrix
from .tables import PlaneTables, read_plane_tables


@dataclass
class _Cell:
    """Rows `start` to `end` of a matrix, what is still to be read of their chunk, and what stays."""

    start: int
    end: int
    data: memoryview
    where: str
    keep: np.ndarray

    def take(self, what: str) -> memoryview:
        """The next bytes, which a LEB128 length precedes."""
        size, position = read_leb128(self.data, 0, f"{self.where}: {what}")
        taken = self.data[position : position + size]
        require(len(taken) == size, "chunk", f"{self.where}: {what}: {len(taken)} of {size} bytes")
        self.data = self.data[position + size :]
        return taken


def decode_matrix(container: Container, matrix: Matrix, where: str) -> np.ndarray:
    """The matrix in binary32. Where a chunk is empty, its elements are 0."""
    result = np.zeros((matrix.rows, matrix.columns), np.float32)
    tables = [_tables(container, mask.tables, 1, f"{where}: mask") for mask in matrix.masks]
    width = values.table_width(matrix.values)
    value_tables = _tables(container, matrix.values.tables, width, f"{where}: values")
    columns = _kept_columns(container, matrix, tables, where)
    cells = _cells(container, matrix, columns, where)
    for mask, mask_tables in zip(matrix.masks, tables, strict=True):
        if mask.over != "columns":
            _apply(mask, mask_tables, matrix, cells)
    blocks = [_block(cell, matrix) for cell in cells]
    decoded = [(cell, block) for cell, block in zip(cells, blocks, strict=True) if block is not None]
    found = values.decode_values([block for _, block in decoded], matrix.values, value_tables)
    for (cell, _), numbers in zip(decoded, found, strict=True):
        result[cell.start : cell.end][cell.keep] = _divided(numbers, matrix, cell)
    return result


def _divided(numbers: np.ndarray, matrix: Matrix, cell: _Cell) -> np.ndarray:
    """The values of a cell, divided by the matrix's q or by those of their rows."""
    if matrix.q is None:
        return numbers
    rows = np.nonzero(cell.keep)[0] + cell.start
    with np.errstate(all="ignore"):
        return numbers / (matrix.q[rows] if len(matrix.q) > 1 else matrix.q)


def _tables(container: Container, index: int | None, width: int, where: str) -> PlaneTables | None:
    if index is None:
        return None
    place = f"{where}: tables in chunk {index}"
    return read_plane_tables(container.chunk(index, where), width, place)


def _kept_columns(
    container: Container, matrix: Matrix, tables: list[PlaneTables | None], where: str
) -> np.ndarray:
    """What a mask over columns keeps; everything without one."""
    for mask, mask_tables in zip(matrix.masks, tables, strict=True):
        if mask.over != "columns":
            continue
        if mask.by == "seeded":
            return stays(given(mask.seed), given(mask.threshold), matrix.identity, 0, matrix.columns)
        place = f"{where}: chunk {mask.chunk}"
        data = container.chunk(given(mask.chunk), where)
        require(len(data) > 0, "chunk", f"{place}: empty, for a mask over columns")
        item = masks.Positions(data, 1, matrix.columns, place)
        return masks.decode_positions([item], mask, mask_tables)[0][0]
    return np.ones(matrix.columns, bool)


def _cells(container: Container, matrix: Matrix, columns: np.ndarray, where: str) -> list[_Cell]:
    """The cells whose chunks are not empty."""
    cells = []
    for number in range(matrix.cells):
        index, start = matrix.chunk + number, number * matrix.cell_rows
        end = min(start + matrix.cell_rows, matrix.rows)
        data = container.chunk(index, where)
        if len(data):
            keep = np.repeat(columns[None, :], end - start, axis=0)
            cells.append(_Cell(start, end, data, f"{where}: chunk {index}", keep))
    return cells


def _apply(mask: Mask, tables: PlaneTables | None, matrix: Matrix, cells: list[_Cell]) -> None:
    """Drop what a mask over elements or rows drops."""
    length = matrix.columns if mask.over == "elements" else 1
    if mask.by == "seeded":
        for cell in cells:
            start, count = cell.start * length, (cell.end - cell.start) * length
            kept = stays(given(mask.seed), given(mask.threshold), matrix.identity, start, count)
            cell.keep &= kept.reshape(-1, length)
        return
    items = []
    for cell in cells:
        rows = cell.end - cell.start
        shape = (rows, length) if mask.over == "elements" else (1, rows)
        place = f"{cell.where}: mask over {mask.over}"
        items.append(masks.Positions(cell.take(place), *shape, place))
    for cell, kept in zip(cells, masks.decode_positions(items, mask, tables), strict=True):
        cell.keep &= kept.reshape(-1, length)


def _block(cell: _Cell, matrix: Matrix) -> values.Block | None:
    """The values of a cell, with the scale of each; nothing where no element stays."""
    recipe, kept = matrix.values, np.count_nonzero(cell.keep, axis=1)
    count = int(kept.sum())
    if count == 0:
        require(len(cell.data) == 0, "chunk", f"{cell.where}: {len(cell.data)} bytes for no values")
        return None
    scales = None if recipe.step is None else np.array(recipe.step)
    if recipe.scales is not None:
        rows = recipe.scales == "rows"
        group = count if rows else given(recipe.group)
        number = len(kept) if rows else -(-count // group)
        stored = values.read_scales(cell.take("scales"), number, f"{cell.where}: scales")
        scales = np.repeat(stored, kept) if rows else np.repeat(stored, min(group, count))[:count]
    return values.Block(cell.data, count, scales, cell.where)
