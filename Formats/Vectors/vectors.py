"""What the makers of valid vectors share: their context, their registry and the plainest result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from silt.convert import convert
from silt.digests import FILE_PIECE, tree_digest
from silt.tensors import element_count
from silt_seal import Draft, seal
from silt_specs import ComponentSpec, prediction
from silt_writer import Builder, PartSpec, TensorData, TensorSpec, compress, safetensors_file

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


def near(*components: ComponentSpec, elements: int | None = None) -> PartSpec:
    """A lossy delta: a copy of the prediction."""
    return PartSpec("copy", None, elements, components=components)


def predicted(base: TensorData, parts: list[PartSpec], like: TensorData | None = None) -> TensorSpec:
    """A tensor that is the prediction of each part, with the name, dtype and shape of `like`, or the base."""
    like = base if like is None else like
    patterns = convert(base.patterns, base.dtype, like.dtype).copy()
    start, total = 0, element_count(like.dtype, like.shape)
    for part in parts:
        end = total if part.elements is None else start + part.elements
        if part.components:
            patterns[start:end] = prediction(patterns[start:end], like.dtype, part.components, like.name)
        start = end
    return TensorSpec(replace(like, data=patterns[:total].tobytes()), parts, base)


def lossy_draft(context: Context, base: str, specs: list[TensorSpec], **extra: Any) -> Draft:
    """A result of one file under the contract lossy."""
    builder = Builder(context.bases[base], contract="lossy", extra=extra)
    header, _ = safetensors_file([spec.result for spec in specs], {"format": "pt"})
    builder.add_safetensors("model.safetensors", header, specs)
    return builder.build()


def lossy_vector(context: Context, base: str, specs: list[TensorSpec], **extra: Any) -> tuple[str, bytes]:
    return base, seal(lossy_draft(context, base, specs, **extra))


def exact(unit: int, elements: int | None = None, group: str | None = None) -> PartSpec:
    return PartSpec("exact", "rans", elements, unit, group, None if group is None else 60)


def adapter_tensor(
    draft: Draft, name: str, dtype: str, shape: tuple[int, ...], data: bytes, codec: str
) -> dict[str, Any]:
    """A tensor of an adapter with bytes of its own, whose chunks enter the draft."""
    digest = tree_digest(data, FILE_PIECE)
    fields: dict[str, Any] = {"name": name, "dtype": dtype, "shape": list(shape), "digest": digest, "codec": codec}
    if data:
        fields["chunk"] = len(draft.chunks)
    for start in range(0, len(data), FILE_PIECE):
        draft.chunks.append(compress(data[start : start + FILE_PIECE], codec))
    return fields
