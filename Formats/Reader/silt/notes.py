"""Sections 4.1, 12.7 and 12.8: what the manifest keeps beside the result: receipts, packing, adapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import require
from .fields import Fields

RECEIPT = "l2 max cosine changed"


def read_receipt(value: Any, where: str) -> dict[str, float]:
    """A receipt: how far the result is from the fine-tuned tensor."""
    fields = Fields(value, f"{where}: receipt", RECEIPT)
    return {name: fields.number(name) for name in RECEIPT.split()}


def read_packing(value: Any, where: str) -> dict[str, str]:
    """How the file was made: a map of strings, whose keys are names."""
    good = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    require(good, "manifest", f"{where}: packing is not an object of strings")
    return value


def read_adapter(value: Any, where: str, products: Mapping[str, int]) -> dict[str, Any]:
    """The adapter that was packed. `products` says how many low-rank components each tensor of the result has."""
    fields = Fields(value, f"{where}: adapter", "config tensors")
    fields.take("config", str)
    for number, raw in enumerate(fields.take("tensors", list)):
        entry = Fields(raw, f"{where}: adapter: tensor {number}", "name of factor transposed")
        entry.take("name", str)
        there = entry.take("of", str) in products
        require(there, "manifest", f"{entry.where}: the result has no tensor {raw['of']!r}")
        if entry.has("factor"):
            entry.choice("factor", ("left", "right"))
            one = products[raw["of"]] == 1
            require(one, "manifest", f"{entry.where}: tensor {raw['of']!r} does not have one low-rank component")
        if entry.has("transposed"):
            entry.take("transposed", bool)
    return value
