"""Section 9: the error classes."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

ERROR_CLASSES = (
    "truncated",
    "header",
    "not-silt",
    "version",
    "extension",
    "checksum",
    "manifest",
    "path",
    "coverage",
    "limit",
    "tables",
    "chunk",
    "base-missing",
    "base-dtype",
    "base-shape",
    "base-content",
    "result",
)


class SiltError(Exception):
    """A file, or a base, that a reader refuses: one class of section 9, and a sentence that says where."""

    def __init__(self, error_class: str, message: str) -> None:
        if error_class not in ERROR_CLASSES:
            raise ValueError(f"unknown error class {error_class}")
        super().__init__(f"{error_class}: {message}")
        self.error_class = error_class
        self.message = message


def require(condition: bool, error_class: str, message: str) -> None:
    """Refuse with `error_class` unless the condition holds."""
    if not condition:
        raise SiltError(error_class, message)


def given(value: T | None) -> T:
    """A field that is there: what read the manifest has refused objects of this kind without it."""
    assert value is not None
    return value
