"""Sections 4.1 and 12.7 to 12.9: what the manifest keeps beside the result.

That is receipts, packing, adapters and evaluations.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import require
from .fields import I63, Fields
from .tensors import DTYPE_BITS

SHOWN = "name of factor transposed"
STORED = "name dtype shape digest codec chunk"
RECEIPT = "l2 max cosine changed"
EVALUATION = "data use metric examples base finetuned rebuilt"
USES = ("calibration", "validation", "test")
MAX_EVALUATIONS = 64


def read_receipt(value: Any, where: str) -> dict[str, float]:
    """A receipt: how far the result is from the fine-tuned tensor."""
    fields = Fields(value, f"{where}: receipt", RECEIPT)
    return {name: fields.number(name) for name in RECEIPT.split()}


def read_packing(value: Any, where: str) -> dict[str, str]:
    """How the file was made: a map of strings, whose keys are names."""
    good = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    require(good, "manifest", f"{where}: packing is not an object of strings")
    return value


@dataclass(frozen=True)
class AdapterTensor:
    """A tensor of an adapter that the result does not have: stored in pieces, like a file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    digest: str
    codec: str
    chunk: int | None


def read_adapter(value: Any, where: str, products: Mapping[str, int]) -> list[AdapterTensor]:
    """The adapter that was packed. `products` says how many low-rank components each tensor of the result has.

    Returns its tensors that have bytes of their own.
    """
    fields = Fields(value, f"{where}: adapter", "config tensors")
    fields.take("config", str)
    stored = []
    for number, raw in enumerate(fields.take("tensors", list)):
        place = f"{where}: adapter: tensor {number}"
        shown = isinstance(raw, dict) and "of" in raw
        entry = Fields(raw, place, SHOWN if shown else STORED)
        entry.take("name", str)
        if not shown:
            stored.append(_stored(entry))
            continue
        there = entry.take("of", str) in products
        require(there, "manifest", f"{place}: the result has no tensor {raw['of']!r}")
        if entry.has("factor"):
            entry.choice("factor", ("left", "right"))
            one = products[raw["of"]] == 1
            require(one, "manifest", f"{place}: tensor {raw['of']!r} does not have one low-rank component")
        if entry.has("transposed"):
            entry.take("transposed", bool)
    return stored


def _stored(entry: Fields) -> AdapterTensor:
    dtype, shape = entry.choice("dtype", tuple(DTYPE_BITS)), entry.shape("shape")
    bits = math.prod(shape) * DTYPE_BITS[dtype]
    whole = min(shape, default=0) >= 0 and bits < I63 and bits % 8 == 0
    require(whole, "manifest", f"{entry.where}: {shape} is the shape of no {dtype} tensor")
    digest, codec = entry.hex("digest", 32), entry.choice("codec", ("zstd", "none"))
    require(entry.has("chunk") == (bits > 0), "manifest", f"{entry.where}: chunk of a tensor of {bits // 8} bytes")
    chunk = entry.integer("chunk") if bits else None
    return AdapterTensor(entry.value["name"], dtype, shape, bits // 8, digest, codec, chunk)


def read_evaluations(value: Any, where: str) -> list[dict[str, Any]]:
    """What the models achieve at tasks. No two measure the same metric on data of the same use."""
    where = f"{where}: evaluations"
    require(isinstance(value, list), "manifest", f"{where}: not an array")
    require(value != [], "manifest", f"{where}: none")
    require(len(value) <= MAX_EVALUATIONS, "limit", f"{where}: {len(value)}, more than {MAX_EVALUATIONS}")
    seen = set()
    for number, raw in enumerate(value):
        fields = Fields(raw, f"{where}: {number}", EVALUATION)
        metric = fields.take("metric", str)
        named = re.fullmatch("[a-z0-9_.-]{1,64}", metric) is not None
        require(named, "manifest", f"{fields.where}: {metric!r} names no metric")
        what = (fields.hex("data", 64), fields.choice("use", USES), metric)
        require(what not in seen, "manifest", f"{fields.where}: data, use and metric were there before")
        seen.add(what)
        fields.integer("examples", 1)
        for name in ("finetuned", "rebuilt", *(["base"] if fields.has("base") else [])):
            fields.number(name)
    return value
