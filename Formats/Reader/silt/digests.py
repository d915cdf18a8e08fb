"""Sections 4.3 (the grid) and 4.4 (tree digests and roots)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

import xxhash

from .tensors import DTYPE_BITS, Buffer, element_bytes, view_of

CELL = 262_144
FILE_PIECE = 1_048_576


def cell_elements(dtype: str, shape: tuple[int, ...]) -> int:
    """C: how many elements a cell of the grid has."""
    row = math.prod(shape[1:])
    if len(shape) >= 2 and 0 < row <= CELL and DTYPE_BITS[dtype] >= 8:
        return row * (CELL // row)
    return CELL


def tree_digest(data: Buffer, piece: int) -> str:
    """XXH3-128 of the concatenated XXH3-128 digests of the pieces."""
    view = view_of(data).cast("B")
    digest = xxhash.xxh3_128()
    for start in range(0, len(view), piece):
        digest.update(xxhash.xxh3_128(view[start : start + piece]).digest())
    return digest.hexdigest()


def tensor_digest(data: Buffer, dtype: str, shape: tuple[int, ...]) -> str:
    """The tree digest of a tensor over its grid."""
    return tree_digest(data, cell_elements(dtype, shape) * element_bytes(dtype))


def root(tensors: Iterable[tuple[str, str, tuple[int, ...], str]]) -> str:
    """The root of a checkpoint whose tensors are (name, dtype, shape, digest)."""
    records = []
    for name, dtype, shape, digest in tensors:
        name_utf8, dtype_utf8 = name.encode(), dtype.encode()
        record = _u64(len(name_utf8)) + name_utf8 + _u64(len(dtype_utf8)) + dtype_utf8 + _u64(len(shape))
        record += b"".join(map(_u64, shape)) + bytes.fromhex(digest)
        records.append((name_utf8, record))
    records.sort()
    return hashlib.sha256(b"".join(record for _, record in records)).hexdigest()


def _u64(value: int) -> bytes:
    return value.to_bytes(8, "little")
