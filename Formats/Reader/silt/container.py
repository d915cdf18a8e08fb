"""Sections 3 and 5: the safetensors file, its metadata, and the chunk table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import xxhash

from .errors import require
from .tensors import Header, TensorInfo, read_header

ENTRIES = ("silt.payload", "silt.chunks", "silt.manifest")
CHUNK_RECORD = np.dtype([("size", "<u4"), ("sum", "<u8")])


@dataclass(frozen=True)
class Container:
    """A Silt file whose header, manifest bytes and chunk table are checked; chunks are checked when read."""

    metadata: dict[str, str]
    manifest: bytes
    payload: memoryview
    sizes: list[int]
    sums: list[int]
    ends: list[int] = field(repr=False)

    def chunk(self, index: int, where: str) -> memoryview:
        """The stored bytes of a chunk, after the check of its checksum (section 5)."""
        end = self.ends[index]
        data = self.payload[end - self.sizes[index] : end]
        same = xxhash.xxh3_64_intdigest(data) == self.sums[index]
        place = f"{where}: chunk {index} (payload bytes {end - len(data)} to {end})"
        require(same, "checksum", f"{place} is damaged")
        return data


def _check_header(header: Header) -> None:
    """`format`, `silt_version`, `check`, `contract`: in this order."""
    metadata = header.metadata
    require(metadata.get("format") == "silt", "not-silt", "the metadata do not say format: silt")
    version = metadata.get("silt_version")
    require(version == "1", "version", f"silt_version is {version!r}; this reader knows 1")
    check = metadata.get("check", "")
    require(re.fullmatch("[0-9a-f]{16}", check) is not None, "checksum", "header: no check of 16 hex digits")
    zeroed = header.raw.replace(check.encode(), b"0" * 16)
    same = xxhash.xxh3_64_hexdigest(zeroed) == check
    require(same, "checksum", "header: differs from its check")
    contract = metadata.get("contract")
    known = contract in ("exact", "lossy")
    require(known, "version", f"contract is {contract!r}; version 1 knows exact and lossy")


def _check_entries(header: Header) -> list[TensorInfo]:
    """The three entries in their order, and nothing else but `x-` after them."""
    infos = header.tensors
    for name in infos:
        require(name in ENTRIES or name.startswith("x-"), "extension", f"unknown entry {name!r}")
    position = 0
    for name in ENTRIES:
        require(name in infos, "header", f"entry {name} is missing")
        info = infos[name]
        require(info.dtype == "U8" and len(info.shape) == 1, "header", f"entry {name} is not U8 of rank 1")
        require(info.begin == position, "header", f"entry {name} is out of order")
        position = info.end
    after = all(info.begin >= position for name, info in infos.items() if name not in ENTRIES)
    require(after, "header", "an x- entry stands before the manifest")
    return [infos[name] for name in ENTRIES]


def read_container(data: bytes) -> Container:
    """Open a Silt file, with the checks of section 3 in their order."""
    header = read_header(data, "file")
    _check_header(header)
    payload_info, chunks_info, manifest_info = _check_entries(header)
    body = memoryview(data)[8 + len(header.raw) :]
    manifest = bytes(body[manifest_info.begin : manifest_info.end])
    chunks = body[chunks_info.begin : chunks_info.end]
    for name, stored in (("manifest", manifest), ("chunks", chunks)):
        same = xxhash.xxh3_128_hexdigest(stored) == header.metadata.get(name)
        require(same, "checksum", f"silt.{name} differs from its checksum")
    whole = len(chunks) % CHUNK_RECORD.itemsize == 0
    require(whole, "coverage", f"silt.chunks: {len(chunks)} bytes are not whole records of 12 bytes")
    table = np.frombuffer(chunks, CHUNK_RECORD)
    ends = np.cumsum(table["size"], dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    payload = body[payload_info.begin : payload_info.end]
    require(total == len(payload), "coverage", f"chunks add up to {total} of {len(payload)} payload bytes")
    return Container(
        header.metadata, manifest, payload, table["size"].tolist(), table["sum"].tolist(), ends.tolist()
    )
