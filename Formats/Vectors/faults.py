"""What invalid vectors are made of: the sample files that they break, and helpers to break them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bases import moved
from silt.digests import root
from silt.tensors import parse_header
from silt_seal import Draft, seal
from silt_writer import PartSpec, TensorSpec
from valid_layouts import directory_draft
from vectors import Context, file_draft

SMALL = "small.safetensors"


@dataclass(frozen=True)
class Case:
    """An invalid file: its class, what it breaks, its bytes and its base."""

    error: str
    about: str
    data: bytes
    base: str = SMALL


Fault = Callable[[Context], Case]
Edit = Callable[[Draft], Any]
INVALID: dict[str, Fault] = {}


def fault(make: Fault) -> Fault:
    INVALID[make.__name__.replace("_", "-")] = make
    return make


def sample(context: Context, edit: Edit | None = None) -> Draft:
    """A valid file of four tensors, then changed by `edit`.

    Chunks: 0 tables of a (exact), 1 a; 2 b (whole, zstd); 3 tables of c (xor, rans), 4 c; 5 d (whole, lz4).
    """
    base, rng = context.base(SMALL), np.random.default_rng(1)
    a, b, c = (moved(rng, base[name], 4.0) for name in ("a", "b", "c"))
    d = replace(b, name="d", data=b"lz4 " * 10)
    draft = file_draft(context, SMALL, [
        TensorSpec(a, [PartSpec("exact", "rans", unit=16)], base["a"]),
        TensorSpec(b, [PartSpec("whole", "zstd")]),
        TensorSpec(c, [PartSpec("xor", "rans")], base["c"]),
        TensorSpec(d, [PartSpec("whole", "lz4")]),
    ])  # fmt: skip
    if edit is not None:
        edit(draft)
    return draft


def directory_sample(context: Context, edit: Edit | None = None) -> Draft:
    """The valid vector `directory`, then changed by `edit`."""
    draft = directory_draft(context)
    if edit is not None:
        edit(draft)
    return draft


def tensor(draft: Draft, name: str) -> dict[str, Any]:
    return draft.manifest["files"][0]["tensors"][name]


def part(draft: Draft, name: str) -> dict[str, Any]:
    return tensor(draft, name)["parts"][0]


def file(draft: Draft, path: str) -> dict[str, Any]:
    return next(file for file in draft.manifest["files"] if file["path"] == path)


def make_root(draft: Draft) -> None:
    """Compute the root of the result again, from the digests in the manifest."""
    records = []
    for entry in draft.manifest["files"]:
        for info in parse_header(entry.get("header", "{}").encode(), entry["path"]).tensors.values():
            records.append((info.name, info.dtype, info.shape, entry["tensors"][info.name]["digest"]))
    draft.manifest["result"]["root"] = root(records)


def broken(context: Context, error: str, about: str, edit: Edit, base: str = SMALL) -> Case:
    """The sample after `edit`, with everything else as it should be."""
    return Case(error, about, seal(sample(context, edit)), base)


def broken_with(
    make: Callable[[Context, Edit], Draft], error: str, about: str, edit: Edit, base: str = SMALL
) -> Fault:
    """What `make` makes after `edit`."""
    return lambda context: Case(error, about, seal(make(context, edit)), base)


def broken_directory(context: Context, error: str, about: str, edit: Edit) -> Case:
    """The directory after `edit`."""
    return Case(error, about, seal(directory_sample(context, edit)), "sharded")
