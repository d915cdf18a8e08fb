"""Invalid vectors: sound files whose base is wrong, and a base tensor that is too short."""

from __future__ import annotations

from faults import INVALID, Case, broken, broken_with, directory_sample, sample, tensor
from silt_seal import Draft
from vectors import Context

WRONG_DIRECTORIES = {
    "base-missing-config": ("base-missing", "The base has no config.json.", "sharded-no-config"),
    "base-content-file": ("base-content", "The base's README.md differs in one byte.", "sharded-readme"),
}

WRONG_BASES = {
    "base-missing-tensor": ("base-missing", "The base has no tensor a.", "no-a"),
    "base-missing-other": ("base-missing", "The base has no tensor c.", "no-c"),
    "base-dtype-f16": ("base-dtype", "The base's a is F16, not BF16.", "dtype-a"),
    "base-dtype-i32": ("base-dtype", "The base's c is I32, not F32.", "dtype-c"),
    "base-shape-turned": ("base-shape", "The base's a is 16 x 20, not 20 x 16.", "shape-a"),
    "base-shape-flat": ("base-shape", "The base's c has rank 1, not 2.", "shape-c"),
    "base-content-tensor": ("base-content", "The base's a has other values.", "content-a"),
    "base-content-byte": ("base-content", "The last byte of the base's c differs.", "content-c"),
}


def _base_too_short(context: Context) -> Case:
    """The exact tensor on a base tensor that has one row less."""
    (short,) = (t for t in context.bases["wrong/short-a.safetensors"] if t.name == "a")

    def edit(draft: Draft) -> None:
        tensor(draft, "a")["sources"][0].update(shape=list(short.shape), digest=short.digest)

    about = "A part has elements that its one source has not."
    return broken(context, "coverage", about, edit, "wrong/short-a.safetensors")


def _register() -> None:
    for name, (error, about, base) in WRONG_BASES.items():
        INVALID[name] = broken_with(sample, error, about, lambda _: None, f"wrong/{base}.safetensors")
    for name, (error, about, base) in WRONG_DIRECTORIES.items():
        INVALID[name] = broken_with(directory_sample, error, about, lambda _: None, f"wrong/{base}")
    INVALID["coverage-base-too-short"] = _base_too_short


_register()
