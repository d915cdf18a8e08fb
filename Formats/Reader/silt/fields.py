"""Section 4: an object of the manifest. Its fields are taken with their types; others are refused."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from .errors import require
from .jsontext import is_integer
from .paths import check_path

I63 = 1 << 63


class Fields:
    """An object of the manifest: takes known fields with their types, refuses unknown ones."""

    def __init__(self, value: Any, where: str, known: str) -> None:
        require(isinstance(value, dict), "manifest", f"{where}: not an object")
        self.value, self.where = value, where
        for name in value:
            known_name = name in known.split() or name.startswith("x-")
            require(known_name, "extension", f"{where}: unknown field {name!r}")

    def has(self, name: str) -> bool:
        return name in self.value

    def kind_has(self, wanted: dict[str, bool]) -> None:
        """Which fields an object of this kind has: those wanted have to be there, the others are unknown."""
        for name, wants in wanted.items():
            there, fault = ("is missing", "manifest") if wants else ("does not belong here", "extension")
            require(self.has(name) == wants, fault, f"{self.where}: field {name!r} {there}")

    def absent(self, name: str, case: str) -> None:
        """Refuse a field that must be absent in some case (section 2)."""
        require(not self.has(name), "manifest", f"{self.where}: {name!r} must be absent {case}")

    def take(self, name: str, kind: type) -> Any:
        require(name in self.value, "manifest", f"{self.where}: no field {name!r}")
        value = self.value[name]
        require(type(value) is kind, "manifest", f"{self.where}: {name!r} is not of type {kind.__name__}")
        return value

    def integer(self, name: str, low: int = 0, high: int = I63 - 1) -> int:
        value = self.take(name, int)
        good = is_integer(value, I63) and low <= value <= high
        require(good, "manifest", f"{self.where}: {name!r} is not from {low} to {high}")
        return value

    def number(self, name: str) -> float:
        require(self.has(name), "manifest", f"{self.where}: no field {name!r}")
        return as_number(self.value[name], f"{self.where}: {name!r}")

    def f32(self, name: str) -> np.float32:
        require(self.has(name), "manifest", f"{self.where}: no field {name!r}")
        return as_f32(self.value[name], f"{self.where}: {name!r}")

    def hex(self, name: str, digits: int) -> str:
        value = self.take(name, str)
        good = re.fullmatch(f"[0-9a-f]{{{digits}}}", value) is not None
        require(good, "manifest", f"{self.where}: {name!r} is not {digits} hex digits")
        return value

    def choice(self, name: str, values: tuple[str, ...]) -> str:
        value = self.take(name, str)
        known = ", ".join(values)
        require(value in values, "manifest", f"{self.where}: {name!r} is {value!r}, not one of {known}")
        return value

    def path(self, name: str) -> str:
        return check_path(self.take(name, str), self.where)

    def shape(self, name: str) -> tuple[int, ...]:
        value = self.take(name, list)
        good = all(is_integer(extent, I63) for extent in value)
        require(good, "manifest", f"{self.where}: {name!r} is not a list of integers")
        return tuple(value)


def as_number(value: Any, where: str) -> float:
    """The binary64 nearest to a JSON number, which has to be finite (section 4)."""
    require(type(value) in (int, float), "manifest", f"{where} is not a number")
    require(math.isfinite(value), "manifest", f"{where} is not finite in binary64")
    return float(value)


def as_f32(value: Any, where: str) -> np.float32:
    """A number rounded to binary32, which has to be finite then (section 4)."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = np.float32(as_number(value, where))
    require(bool(np.isfinite(rounded)), "manifest", f"{where} is not finite in binary32")
    return rounded
