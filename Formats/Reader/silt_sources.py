"""What predicts a tensor of a test vector (section 4.3): its sources, its runs, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from silt.convert import convert
from silt.digests import tensor_digest
from silt.tensors import element_bytes, element_count

Run = tuple[int] | tuple[int, int, int]


@dataclass(frozen=True)
class TensorData:
    """A tensor of a checkpoint."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @property
    def digest(self) -> str:
        return tensor_digest(self.data, self.dtype, self.shape)

    @property
    def patterns(self) -> np.ndarray:
        return np.frombuffer(self.data, f"<u{element_bytes(self.dtype)}")

    @property
    def count(self) -> int:
        return element_count(self.dtype, self.shape)


@dataclass(frozen=True)
class SourceSpec:
    """A tensor that predicts another: of the base, or else of the result; `file` only where it is not the usual one."""

    tensor: TensorData
    file: str | None = None
    result: bool = False


def source_fields(spec: SourceSpec, of: TensorData, known: bool) -> dict[str, Any]:
    """The fields of a source of the tensor `of`: those that say what could not be left out."""
    tensor = spec.tensor
    fields: dict[str, Any] = {"in": "result"} if spec.result else {}
    if tensor.name != of.name:
        fields["name"] = tensor.name
    if spec.file is not None:
        fields["file"] = spec.file
    if spec.result:
        return fields
    if tensor.dtype != of.dtype:
        fields["dtype"] = tensor.dtype
    if tensor.shape != of.shape:
        fields["shape"] = list(tensor.shape)
    if not known or tensor.digest != of.digest:
        fields["digest"] = tensor.digest
    return fields


def gather(sources: Sequence[TensorData], runs: Sequence[Run] | None, like: TensorData) -> np.ndarray:
    """The base's patterns for a tensor of the dtype and shape of `like`; 0 where nothing predicts."""
    result = np.zeros(like.count, f"<u{element_bytes(like.dtype)}")
    converted = [convert(source.patterns, source.dtype, like.dtype) for source in sources]
    if runs is None:
        (only,) = converted
        runs = [(min(len(only), len(result)), 0, 0)]
    start = 0
    for run in runs:
        if len(run) == 3:
            count, source, first = run
            result[start : start + count] = converted[source][first : first + count]
        start += run[0]
    return result
