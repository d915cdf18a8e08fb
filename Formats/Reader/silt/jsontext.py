"""Strict JSON (RFC 8259) for headers and manifests: sections 3 and 4.

Python's own parser does the work. This module adds what it lacks: no key twice, a depth limit that is
checked before the recursive parser runs, no NaN, no unpaired surrogates, and integers that were written with
digits only.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from .errors import SiltError, require

MAX_DEPTH = 32
MAX_VALUES = 4_194_304
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key appears twice")
    return fields


def _integer(text: str) -> int | float:
    """Digits only make an integer. What has a sign or is far beyond u64 becomes a float.

    No integer field accepts one, and the digits of a number may be many.
    """
    return float(text) if text.startswith("-") or len(text) > 20 else int(text)


def _constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def depth(raw: bytes) -> int:
    """How deep objects and arrays nest in (well-formed) JSON."""
    marks = np.frombuffer(_STRING.sub(b"", raw), np.uint8)
    opens = np.isin(marks, np.frombuffer(b"{[", np.uint8)).astype(np.int64)
    closes = np.isin(marks, np.frombuffer(b"}]", np.uint8))
    return int(np.cumsum(opens - closes).max(initial=0))


def count_values(value: Any) -> int:
    """How many values a parsed text has, itself included; keys are none."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count_values, inner))


def parse_object(raw: bytes, syntax_class: str, depth_class: str, where: str) -> dict[str, Any]:
    """The JSON object that `raw` holds, or `SiltError(syntax_class)`; too deep, `SiltError(depth_class)`."""
    require(depth(raw) <= MAX_DEPTH, depth_class, f"{where}: JSON nests deeper than {MAX_DEPTH}")
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_unique, parse_int=_integer, parse_constant=_constant, strict=True
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # finds unpaired surrogates
    except (ValueError, RecursionError) as error:
        raise SiltError(syntax_class, f"{where}: not valid JSON ({error})") from None
    # A value takes two bytes at least, with what separates it from the next one.
    if len(raw) > 2 * MAX_VALUES:
        many = count_values(value) > MAX_VALUES
        require(not many, depth_class, f"{where}: JSON with more than {MAX_VALUES} values")
    require(isinstance(value, dict), syntax_class, f"{where}: not a JSON object")
    return value


def is_integer(value: Any, limit: int) -> bool:
    """Whether a parsed value is an integer of at least 0 and below `limit` (booleans are none)."""
    return type(value) is int and 0 <= value < limit
