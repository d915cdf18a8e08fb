"""BitX (ZipLLM) as we understand it: XOR with the counterpart, split into byte planes, zstd on each plane.

A re-creation, since its own program was not available. To be a fair rival it matches names with prefixes, as
Silt does; all that a reader needs is in the file and counts. It has no checksums.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zstandard

from pairs import DTYPE_BITS, TensorRecord, counterpart_names, read_header, read_tensors


def planes_of(record: TensorRecord, base: TensorRecord | None) -> list[bytes]:
    """The byte planes that are compressed; XORed where the counterpart has the same dtype and shape."""
    width = max(1, DTYPE_BITS[record.dtype] // 8)
    data = np.frombuffer(record.data, np.uint8)
    if base is not None and (base.dtype, base.shape) == (record.dtype, record.shape):
        data = data ^ np.frombuffer(base.data, np.uint8)
    planes = data.reshape(-1, width)
    return [planes[:, index].tobytes() for index in range(width)]


def encoder(level: int) -> Callable[[Path, Path, Path], None]:
    """An encoder at one zstd level."""

    def encode(base: Path, fine: Path, delta: Path) -> None:
        compressor = zstandard.ZstdCompressor(level=level)
        old = {record.name: record for record in read_tensors(base)}
        new = {record.name: record for record in read_tensors(fine)}
        source = counterpart_names(old, new)
        header = compressor.compress(read_header(fine)[0])
        frames = []
        for name, record in new.items():
            counterpart = old[source[name]] if name in source else None
            frames += [compressor.compress(plane) for plane in planes_of(record, counterpart)]
        sizes = struct.pack(f"<{len(frames) + 1}I", len(header), *map(len, frames))
        delta.write_bytes(sizes[:4] + header + sizes[4:] + b"".join(frames))

    return encode


def decode(base: Path, delta: Path, output: Path) -> None:
    """Rebuilds the file from base and frames."""
    decompressor = zstandard.ZstdDecompressor()
    raw = delta.read_bytes()
    (length,) = struct.unpack_from("<I", raw)
    header = decompressor.decompress(raw[4 : 4 + length])
    entries = {name: entry for name, entry in json.loads(header).items() if name != "__metadata__"}
    old = {record.name: record for record in read_tensors(base)}
    source = counterpart_names(old, entries)
    widths = [max(1, DTYPE_BITS[entry["dtype"]] // 8) for entry in entries.values()]
    position = 4 + length
    sizes = struct.unpack_from(f"<{sum(widths)}I", raw, position)
    position += 4 * len(sizes)
    pending = iter(sizes)
    body = bytearray(max((entry["data_offsets"][1] for entry in entries.values()), default=0))
    for (name, entry), width in zip(entries.items(), widths, strict=True):
        planes = []
        for _ in range(width):
            size = next(pending)
            planes.append(np.frombuffer(decompressor.decompress(raw[position : position + size]), np.uint8))
            position += size
        data = np.stack(planes, axis=1).reshape(-1)
        counterpart = old.get(source.get(name, ""))
        if counterpart and (counterpart.dtype, list(counterpart.shape)) == (entry["dtype"], entry["shape"]):
            data = data ^ np.frombuffer(counterpart.data, np.uint8)
        begin, end = entry["data_offsets"]
        body[begin:end] = data.tobytes()
    output.write_bytes(struct.pack("<Q", len(header)) + header + body)
