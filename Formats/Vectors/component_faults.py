"""Invalid vectors: the manifest of components, matrices, masks and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bases import tensor as make_tensor
from faults import INVALID, SMALL, Case, Edit, broken_with, part, tensor
from silt_seal import Draft, seal
from silt_specs import LowRankSpec, MaskSpec, MatrixSpec, SparseSpec
from silt_writer import PartSpec, TensorSpec
from valid_matrices import codes, deltas, seeded
from vectors import COPY, Context, lossy_draft, near, predicted


def lossy_sample(context: Context, edit: Edit | None = None) -> Draft:
    """A valid lossy file of three tensors, then changed by `edit`.

    a (BF16, 20 x 16): chunks 0 and 1, a sparse matrix of bf16 values under rANS, with q and a seeded mask.
    c (F32, 8 x 8): chunks 2 to 5, a product: left int8, with masks over columns (bits; chunk 2) and rows
    (gaps), scales of rows (chunk 3); right int4 under rANS, a step (tables 4, chunk 5). b is a copy.
    """
    base, rng = context.base(SMALL), np.random.default_rng(2)
    dropped = MatrixSpec("bf16", "rans", deltas(rng, "bf16", (20, 16)), (seeded(),), q=0.25)
    columns = MaskSpec("columns", "bits", "none", np.arange(8) % 3 > 0)
    rows = MaskSpec("rows", "gaps", "none", np.array([True, False, True]))
    left = MatrixSpec(
        "int8", "none", codes(rng, 127, (3, 8)), (columns, rows), scales=np.array([0x3B00, 0x3B80])
    )
    right = MatrixSpec("int4", "rans", codes(rng, 7, (3, 8)), step=0.01)
    draft = lossy_draft(context, SMALL, [
        predicted(base["a"], [near(SparseSpec(dropped))]),
        TensorSpec(base["b"], COPY, base["b"]),
        predicted(base["c"], [near(LowRankSpec(left, right, 2.0))]),
    ])  # fmt: skip
    if edit is not None:
        edit(draft)
    return draft


Find = Callable[[Draft], Any]


def component(name: str) -> Find:
    return lambda draft: part(draft, name)["components"][0]


def at(find: Find, *path: str | int) -> Find:
    def found(draft: Draft) -> Any:
        place = find(draft)
        for step in path:
            place = place[step]
        return place

    return found


MATRIX = at(component("a"), "matrix")
VALUES, MASK = at(MATRIX, "values"), at(MATRIX, "masks", 0)
PRODUCT = component("c")
LEFT, RIGHT = at(PRODUCT, "left"), at(PRODUCT, "right")
COLUMNS, ROWS = at(LEFT, "masks", 0), at(LEFT, "masks", 1)
CODES, STEPS = at(LEFT, "values"), at(RIGHT, "values")


def top(draft: Draft) -> Any:
    return draft.manifest


def put(find: Find, **fields: Any) -> Edit:
    return lambda draft: find(draft).update(fields)


def drop(find: Find, *names: str) -> Edit:
    return lambda draft: [find(draft).pop(name) for name in names]


def each(*edits: Edit) -> Edit:
    return lambda draft: [edit(draft) for edit in edits]


def tensor_of(name: str) -> Find:
    return lambda draft: tensor(draft, name)


def part_of(name: str) -> Find:
    return lambda draft: part(draft, name)


def _components(count: int) -> Edit:
    return lambda draft: part(draft, "a").update(components=part(draft, "a")["components"] * count)


def _rank(rank: int) -> Edit:
    return put(PRODUCT, rank=rank)


def _whole(draft: Draft) -> None:
    draft.chunks.append(bytes(640))
    part(draft, "a").update(kind="whole", codec="none", chunk=6)
    tensor(draft, "a").pop("sources")


def _extra_chunk(draft: Draft) -> None:
    draft.chunks.append(draft.chunks[0])


def _shared_chunk(draft: Draft) -> None:
    RIGHT(draft)["chunk"] = 3
    del draft.chunks[5]


LOSSY = {
    "extension-components-of-whole": ("extension", "A whole part has components.", _whole),
    "manifest-components-of-integers": ("manifest", "A part of I32 has components.", lambda draft: part(
        draft, "b").update(components=part(draft, "a")["components"])),
    "manifest-components-none": ("manifest", "An array of no components.", put(part_of("a"), components=[])),
    "manifest-components-object": ("manifest", "components is an object.", put(part_of("a"), components={})),
    "limit-components": ("limit", "A part has 9 components.", _components(9)),
    "manifest-component-kind": ("manifest", "The kind of a component is unknown.",
                                put(component("a"), kind="dense")),
    "extension-component-field": ("extension", "A component has an unknown field.",
                                  put(component("a"), alpha=1)),
    "extension-scale-of-sparse": ("extension", "A sparse component has a scale.",
                                  put(component("a"), scale=2)),
    "manifest-matrix-missing": ("manifest", "A sparse component has no matrix.",
                                drop(component("a"), "matrix")),
    "manifest-right-missing": ("manifest", "A product has no right factor.", drop(PRODUCT, "right")),
    "manifest-rank-zero": ("manifest", "A rank is 0.", _rank(0)),
    "limit-rank-plain": ("limit", "A rank is 65,537.", _rank(65_537)),
    "limit-rank": ("limit", "r R is 16,777,224.", _rank(2_097_153)),
    "limit-rank-overflow": ("limit", "r R is 2^66 - 8.", _rank(2**63 - 1)),
    "manifest-scale-zero": ("manifest", "The scale of a product is 0.0.", put(PRODUCT, scale=0.0)),
    "manifest-scale-underflow": ("manifest", "The scale of a product is 0 in binary32.",
                                 put(PRODUCT, scale=1e-50)),
    "manifest-scale-minus-zero": ("manifest", "The scale of a product is -0.", put(PRODUCT, scale=-0.0)),
    "manifest-scale-string": ("manifest", "The scale of a product is a string.", put(PRODUCT, scale="2")),
    "manifest-q-zero": ("manifest", "q is 0.", put(MATRIX, q=0)),
    "manifest-q-negative": ("manifest", "q is -0.25.", put(MATRIX, q=-0.25)),
    "manifest-q-overflow": ("manifest", "q is beyond binary32.", put(MATRIX, q=3.5e38)),
    "manifest-q-underflow": ("manifest", "q is 0 in binary32.", put(MATRIX, q=1e-46)),
    "manifest-q-boolean": ("manifest", "q is true.", put(MATRIX, q=True)),
    "manifest-q-short": ("manifest", "q has 19 numbers for 20 rows.", put(MATRIX, q=[1] * 19)),
    "manifest-q-of-a-row": ("manifest", "q of the last row is 0.", put(MATRIX, q=[1] * 19 + [0])),
    "manifest-q-of-columns": ("manifest", "q of a factor has a number for each row of the part.",
                              put(RIGHT, q=[1] * 8)),
    "extension-matrix-field": ("extension", "A matrix has an unknown field.", put(MATRIX, bias=0)),
    "manifest-value-type": ("manifest", "The type of values is int3.", put(STEPS, type="int3")),
    "manifest-value-codec": ("manifest", "The codec of bf16 values is adaptive.",
                             put(VALUES, codec="adaptive")),
    "manifest-value-codec-int": ("manifest", "The codec of int values is none.", put(CODES, type="int")),
    "manifest-value-codec-zstd": ("manifest", "The codec of int8 values is zstd.", put(CODES, codec="zstd")),
    "manifest-value-codec-sign": ("manifest", "The codec of signs is adaptive.",
                                  put(CODES, type="sign", codec="adaptive")),
    "manifest-value-codec-lz4": ("manifest", "The codec of bf16 values is lz4.", put(VALUES, codec="lz4")),
    "manifest-no-scale": ("manifest", "Codes have neither step nor scales.", drop(STEPS, "step")),
    "manifest-two-scales": ("manifest", "Codes have a step and scales.", put(CODES, step=1)),
    "manifest-step-zero": ("manifest", "A step is 0.", put(STEPS, step=0)),
    "manifest-step-negative": ("manifest", "A step is negative.", put(STEPS, step=-1e-3)),
    "manifest-step-overflow": ("manifest", "A step is beyond binary64.", put(STEPS, step=10**400)),
    "manifest-scales": ("manifest", "Scales of columns.", put(CODES, scales="columns")),
    "manifest-group-zero": ("manifest", "A group is 0.", put(CODES, scales="groups", group=0)),
    "manifest-group-missing": ("manifest", "Scales of groups without their size.",
                               put(CODES, scales="groups")),
    "extension-group-of-rows": ("extension", "Scales of rows have a group.", put(CODES, group=8)),
    "extension-step-of-floats": ("extension", "Floats have a step.", put(VALUES, step=1)),
    "manifest-values-tables": ("manifest", "Values under rANS have no tables.", drop(STEPS, "tables")),
    "extension-values-tables": ("extension", "Plain values have tables.", put(CODES, tables=4)),
    "manifest-masks-none": ("manifest", "An array of no masks.", put(MATRIX, masks=[])),
    "manifest-masks-twice": ("manifest", "Two masks over elements.",
                             lambda draft: MATRIX(draft)["masks"].append(dict(MASK(draft)))),
    "manifest-mask-over": ("manifest", "A mask over blocks.", put(MASK, over="blocks")),
    "manifest-mask-by": ("manifest", "A mask by ranges.", put(MASK, by="ranges")),
    "manifest-threshold-zero": ("manifest", "A threshold is 0.", put(MASK, threshold=0)),
    "manifest-threshold-large": ("manifest", "A threshold is 2^32.", put(MASK, threshold=2**32)),
    "manifest-seed-negative": ("manifest", "A seed is -1.", put(MASK, seed=-1)),
    "manifest-seed-large": ("manifest", "A seed is 2^63.", put(MASK, seed=2**63)),
    "manifest-seed-missing": ("manifest", "A seeded mask has no seed.", drop(MASK, "seed")),
    "extension-mask-codec": ("extension", "A seeded mask has a codec.", put(MASK, codec="none")),
    "extension-mask-seed": ("extension", "A mask by gaps has a seed.", put(ROWS, seed=1)),
    "extension-mask-chunk": ("extension", "A mask over rows has a chunk.", put(ROWS, chunk=2)),
    "extension-mask-width": ("extension", "A plain mask has symbols' width.", put(COLUMNS, width=8)),
    "manifest-mask-codec": ("manifest", "The codec of a mask by bits is adaptive.",
                            put(COLUMNS, codec="adaptive")),
    "manifest-mask-width": ("manifest", "The symbols of a mask have 9 positions.",
                            put(COLUMNS, codec="rans", width=9, tables=4)),
    "manifest-mask-width-zero": ("manifest", "The symbols of a mask have no positions.",
                                 put(COLUMNS, codec="rans", width=0, tables=4)),
    "manifest-mask-chunk": ("manifest", "A stored mask over columns has no chunk.", drop(COLUMNS, "chunk")),
    "coverage-matrix-chunk-twice": ("coverage", "Two matrices have the same chunk.", _shared_chunk),
    "coverage-mask-chunk-twice": ("coverage", "A mask and its matrix have the same chunk.",
                                  put(COLUMNS, chunk=3)),
    "coverage-matrix-no-chunk": ("coverage", "A matrix has a chunk that is not in the table.",
                                 put(RIGHT, chunk=6)),
    "coverage-mask-no-chunk": ("coverage", "A mask has a chunk that is not in the table.",
                               put(COLUMNS, chunk=2**63 - 1)),
    "coverage-matrix-as-tables": ("coverage", "Tables of values are the chunk of a mask.", each(
        put(STEPS, tables=2), lambda draft: draft.chunks.pop(4), put(RIGHT, chunk=4))),
    "coverage-unused-tables": ("coverage", "Nothing has a chunk of tables.", _extra_chunk),
    "limit-matrix-chunk": ("limit", "The chunk of a matrix of 24 elements has 65,729 bytes.",
                           lambda draft: draft.chunks.__setitem__(5, bytes(65_729))),
    "limit-mask-chunk": ("limit", "The chunk of a mask over 8 columns has 65,601 bytes.",
                         lambda draft: draft.chunks.__setitem__(2, bytes(65_601))),
}  # fmt: skip


def _within(about: str, number: int, elements: int) -> Callable[[Context], Case]:
    """Two parts, the first with so many elements; the one with this number has components."""

    def case(context: Context) -> Case:
        base = context.base(SMALL)["a"]
        spec = TensorSpec(base, [PartSpec("copy", None, elements), *COPY], base)
        draft = lossy_draft(context, SMALL, [spec])
        source = lossy_sample(context)
        draft.chunks += source.chunks[:2]
        tensor(draft, "a")["parts"][number]["components"] = part(source, "a")["components"]
        return Case("manifest", about, seal(draft))

    return case


def _sized(error: str, about: str, shape: tuple[int, ...], product: bool) -> Callable[[Context], Case]:
    """Components on a tensor of BF16 with this shape; its base is never looked at."""

    def case(context: Context) -> Case:
        zeros = make_tensor("a", "BF16", shape, np.zeros(1))
        draft = lossy_draft(context, SMALL, [TensorSpec(zeros, COPY, zeros)])
        source = lossy_sample(context)
        draft.chunks += source.chunks
        found = part(source, "c" if product else "a")["components"]
        part(draft, "a")["components"] = found
        return Case(error, about, seal(draft))

    return case


OTHERS = {
    "manifest-components-within-cell": _within("A part with components begins within a cell.", 1, 160),
    "manifest-components-within-row": _within("A part with components ends within a row.", 0, 168),
    "manifest-components-long-rows": _sized("manifest", "Components on rows of 262,145 elements.",
                                            (2, 262_145), False),
    "limit-rank-rows": _sized("limit", "A product over 262,145 rows.", (262_145,), True),
}  # fmt: skip


def _register() -> None:
    for name, (error, about, edit) in LOSSY.items():
        INVALID[name] = broken_with(lossy_sample, error, about, edit)
    INVALID.update(OTHERS)


_register()
