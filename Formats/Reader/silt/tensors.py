"""The safetensors container, read strictly: the rules that section 3 takes over from the reference reader."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import SiltError, require
from .jsontext import is_integer, parse_object

MAX_HEADER = 100_000_000
U64 = 1 << 64
Buffer = bytes | bytearray | memoryview | np.ndarray

DTYPE_BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "BOOL": 8, "U8": 8, "I8": 8,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


@dataclass(frozen=True)
class TensorInfo:
    """One entry of a safetensors header; offsets count from the first byte after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """A parsed header: its own bytes, its metadata, and its tensors in the order of their offsets."""

    raw: bytes
    metadata: dict[str, str]
    tensors: dict[str, TensorInfo]

    @property
    def data_bytes(self) -> int:
        """Length of the data that follow the header."""
        return max((info.end for info in self.tensors.values()), default=0)


def _tensor_info(name: str, entry: Any, where: str) -> TensorInfo:
    place = f"{where}: tensor {name!r}"
    require(isinstance(entry, dict), "header", f"{place}: not an object")
    keys = ("dtype", "shape", "data_offsets")
    require(set(entry) == set(keys), "header", f"{place}: its fields are not {', '.join(keys)}")
    dtype, shape, offsets = (entry[key] for key in keys)
    require(isinstance(dtype, str) and dtype in DTYPE_BITS, "header", f"{place}: unknown dtype {dtype!r}")
    numbers = isinstance(shape, list) and all(is_integer(extent, U64) for extent in shape)
    require(numbers, "header", f"{place}: shape is not a list of integers")
    pair = isinstance(offsets, list) and len(offsets) == 2 and all(is_integer(x, U64) for x in offsets)
    require(pair, "header", f"{place}: data_offsets is not a pair of integers")
    count = 1
    for extent in shape:
        count *= extent
        require(count < U64, "header", f"{place}: its size overflows 64 bits")
    bits = count * DTYPE_BITS[dtype]
    require(bits < U64, "header", f"{place}: its size overflows 64 bits")
    require(bits % 8 == 0, "header", f"{place}: does not fill whole bytes")
    begin, end = offsets
    require(end - begin == bits // 8, "header", f"{place}: offsets and shape disagree")
    return TensorInfo(name, dtype, tuple(shape), begin, end)


def parse_header(raw: bytes, where: str) -> Header:
    """Check the N bytes of a header against every rule that does not need the file's length."""
    require(len(raw) <= MAX_HEADER, "header", f"{where}: header of more than {MAX_HEADER} bytes")
    require(raw.startswith(b"{"), "header", f"{where}: header does not begin with {{")
    fields = parse_object(raw, "header", "header", f"{where}: header")
    metadata = fields.pop("__metadata__", {})
    metadata = {} if metadata is None else metadata
    strings = isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
    require(strings, "header", f"{where}: __metadata__ is not an object of strings")
    infos = [_tensor_info(name, entry, where) for name, entry in fields.items()]
    infos.sort(key=lambda info: (info.begin, info.end))
    position = 0
    for info in infos:
        require(info.begin == position, "header", f"{where}: hole or overlap before tensor {info.name!r}")
        position = info.end
    return Header(raw, metadata, {info.name: info for info in infos})


def view_of(data: Buffer) -> memoryview:
    """A view of a buffer, without a copy."""
    return data.data if isinstance(data, np.ndarray) else memoryview(data)


def read_header(data: Buffer, where: str) -> Header:
    """The header of a whole safetensors file, checked against the file's length as well."""
    view = view_of(data)
    require(len(view) >= 8, "truncated", f"{where}: {len(view)} bytes do not hold a header length")
    length = int.from_bytes(view[:8], "little")
    require(length <= MAX_HEADER, "header", f"{where}: header of more than {MAX_HEADER} bytes")
    require(8 + length <= len(view), "truncated", f"{where}: ends within its header of {length} bytes")
    header = parse_header(bytes(view[8 : 8 + length]), where)
    end = 8 + length + header.data_bytes
    if end > len(view):
        raise SiltError("truncated", f"{where}: {len(view)} bytes, but its tensors end at {end}")
    require(end == len(view), "header", f"{where}: {len(view) - end} bytes after the last tensor")
    return header


def element_bytes(dtype: str) -> int:
    """Section 4.3: bytes of an element; one byte for dtypes of fewer than 8 bits."""
    return max(DTYPE_BITS[dtype], 8) // 8


def element_count(dtype: str, shape: tuple[int, ...]) -> int:
    """Section 4.3: elements of a tensor; for dtypes of fewer than 8 bits, the bytes of its data."""
    count = math.prod(shape)
    return count if DTYPE_BITS[dtype] >= 8 else count * DTYPE_BITS[dtype] // 8
