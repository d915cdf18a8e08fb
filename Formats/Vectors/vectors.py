"""What the makers of valid vectors share: their context, their registry and the plainest result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from silt_seal import Draft, seal
from silt_writer import Builder, PartSpec, TensorData, TensorSpec, safetensors_file

COPY = [PartSpec("copy")]


@dataclass
class Context:
    """What a vector is made from: its own random numbers, and the bases by path."""

    rng: np.random.Generator
    bases: dict[str, list[TensorData]]
    root: Path

    def base(self, path: str) -> dict[str, TensorData]:
        return {tensor.name: tensor for tensor in self.bases[path]}


Vector = Callable[[Context], tuple[str, bytes]]
VALID: dict[str, Vector] = {}


def vector(make: Vector) -> Vector:
    VALID[make.__name__.replace("_", "-")] = make
    return make


def file_draft(context: Context, base: str, specs: list[TensorSpec], padding: int = 0) -> Draft:
    """A result of one file whose tensors are those of the specs."""
    builder = Builder(context.bases[base])
    header, _ = safetensors_file([spec.result for spec in specs], {"format": "pt"}, padding)
    builder.add_safetensors("model.safetensors", header, specs)
    return builder.build()


def file_vector(context: Context, base: str, specs: list[TensorSpec]) -> tuple[str, bytes]:
    return base, seal(file_draft(context, base, specs))


def exact(unit: int, elements: int | None = None, group: str | None = None) -> PartSpec:
    return PartSpec("exact", "rans", elements, unit, group, None if group is None else 60)
