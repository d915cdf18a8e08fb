"""Section 12: components, matrices, masks and values, as the manifest has them, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash

from .digests import CELL
from .errors import require
from .fields import Fields, as_f32

MAX_COMPONENTS = 8
MAX_FACTOR = 16_777_216
MAX_RANK = 65_536
FLOAT_BYTES = {"f32": 4, "f16": 2, "bf16": 2}
FLOAT_CODECS = ("none", "zstd", "rans")
CODE_CODECS = ("none", "rans", "adaptive")
VALUE_CODECS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(FLOAT_BYTES, FLOAT_CODECS),
    **dict.fromkeys(("int8", "int4", "int2"), CODE_CODECS),
    "int": ("adaptive",),
    "sign": ("none", "rans"),
}
MASK_CODECS = {"seeded": (), "bits": ("none", "rans"), "gaps": ("none", "rans", "adaptive")}


@dataclass(frozen=True)
class Mask:
    """Which elements, rows or columns of a matrix stay."""

    over: str
    by: str
    seed: int | None
    threshold: int | None
    codec: str | None
    width: int | None
    tables: int | None
    chunk: int | None


@dataclass(frozen=True)
class Values:
    """How the values of a matrix are coded, and their scales."""

    type: str
    codec: str
    tables: int | None
    step: np.float32 | None
    scales: str | None
    group: int | None


@dataclass(frozen=True)
class Matrix:
    """A matrix; `identity` is I of its seeded masks, `q` has a number for all rows, or one for each."""

    rows: int
    columns: int
    values: Values
    masks: list[Mask]
    q: np.ndarray | None
    chunk: int
    identity: int

    @property
    def cell_rows(self) -> int:
        """How many rows a cell has (section 12.1); the last may have fewer."""
        return CELL // self.columns

    @property
    def cells(self) -> int:
        return -(-self.rows // self.cell_rows)


@dataclass(frozen=True)
class Component:
    """A summand of the prediction: `sparse` of one matrix, `low-rank` of two (left, right)."""

    kind: str
    matrices: tuple[Matrix, ...]
    scale: np.float32 | None


def _mask(value: Any, where: str) -> Mask:
    fields = Fields(value, where, "over by seed threshold codec width tables chunk")
    over = fields.choice("over", ("elements", "rows", "columns"))
    by = fields.choice("by", tuple(MASK_CODECS))
    seeded = by == "seeded"
    codec = None if seeded else fields.choice("codec", MASK_CODECS[by])
    symbols = by == "bits" and codec == "rans"
    own_chunk = over == "columns" and not seeded
    fields.kind_has({"seed": seeded, "threshold": seeded, "codec": not seeded, "width": symbols})
    fields.kind_has({"tables": codec == "rans", "chunk": own_chunk})
    return Mask(
        over,
        by,
        fields.integer("seed") if seeded else None,
        fields.integer("threshold", 1, (1 << 32) - 1) if seeded else None,
        codec,
        fields.integer("width", 1, 8) if symbols else None,
        fields.integer("tables") if codec == "rans" else None,
        fields.integer("chunk") if own_chunk else None,
    )


def _values(value: Any, where: str) -> Values:
    fields = Fields(value, where, "type codec tables step scales group")
    kind = fields.choice("type", tuple(VALUE_CODECS))
    codec = fields.choice("codec", VALUE_CODECS[kind])
    fields.kind_has({"tables": codec == "rans"})
    tables = fields.integer("tables") if codec == "rans" else None
    if kind in FLOAT_BYTES:
        fields.kind_has({"step": False, "scales": False, "group": False})
        return Values(kind, codec, tables, None, None, None)
    step = scales = group = None
    if fields.has("scales"):
        scales = fields.choice("scales", ("rows", "groups"))
        fields.absent("step", "where scales is there")
    else:
        step = fields.f32("step")
        require(bool(step > 0), "manifest", f"{where}: step is not above 0")
    fields.kind_has({"group": scales == "groups"})
    if scales == "groups":
        group = fields.integer("group", 1)
    return Values(kind, codec, tables, step, scales, group)


def _q(fields: Fields, rows: int) -> np.ndarray | None:
    """q as an array of one number, or of one for each row."""
    if not fields.has("q"):
        return None
    value, where = fields.value["q"], f"{fields.where}: q"
    numbers = value if isinstance(value, list) else [value]
    several = isinstance(value, list)
    fits = not several or len(numbers) == rows
    require(fits, "manifest", f"{where} has {len(numbers)} numbers for {rows} rows")
    q = np.array([as_f32(number, where) for number in numbers], np.float32)
    require(bool((q > 0).all()), "manifest", f"{where} is not above 0")
    return q


def _matrix(value: Any, where: str, name: str, rows: int, columns: int) -> Matrix:
    fields = Fields(value, where, "values masks q chunk")
    values = _values(fields.take("values", dict), f"{where}: values")
    masks: list[Mask] = []
    if fields.has("masks"):
        raw_masks = fields.take("masks", list)
        require(1 <= len(raw_masks) <= 3, "manifest", f"{where}: {len(raw_masks)} masks")
        masks = [_mask(raw, f"{where}: mask {number}") for number, raw in enumerate(raw_masks)]
        apart = len({mask.over for mask in masks}) == len(masks)
        require(apart, "manifest", f"{where}: two masks over the same")
    q, chunk = _q(fields, rows), fields.integer("chunk")
    identity = xxhash.xxh3_64_intdigest(name.encode("utf-8"))
    return Matrix(rows, columns, values, masks, q, chunk, identity)


def _component(value: Any, where: str, name: str, rows: int, columns: int) -> Component:
    fields = Fields(value, where, "kind matrix rank left right scale")
    kind = fields.choice("kind", ("sparse", "low-rank"))
    product = kind == "low-rank"
    fields.kind_has({"matrix": not product, "rank": product, "left": product, "right": product})
    if not product:
        fields.kind_has({"scale": False})
        raw = fields.take("matrix", dict)
        return Component(kind, (_matrix(raw, f"{where}: matrix", name, rows, columns),), None)
    rank = fields.integer("rank", 1)
    require(rows <= CELL, "limit", f"{where}: low-rank over {rows} rows")
    fits = rank <= MAX_RANK and rank * max(rows, columns) <= MAX_FACTOR
    require(fits, "limit", f"{where}: rank {rank} over {rows} rows and {columns} columns")
    scale = fields.f32("scale") if fields.has("scale") else None
    require(scale is None or bool(scale != 0), "manifest", f"{where}: scale is 0")
    left = _matrix(fields.take("left", dict), f"{where}: left", f"{name}:left", rank, rows)
    right = _matrix(fields.take("right", dict), f"{where}: right", f"{name}:right", rank, columns)
    return Component(kind, (left, right), scale)


def read_components(value: list[Any], where: str, name: str, rows: int, columns: int) -> list[Component]:
    """The components of a part of R rows and K columns of the tensor `name`."""
    require(len(value) > 0, "manifest", f"{where}: no components")
    require(len(value) <= MAX_COMPONENTS, "limit", f"{where}: {len(value)} components")
    return [
        _component(raw, f"{where}: component {number}", name, rows, columns)
        for number, raw in enumerate(value)
    ]
