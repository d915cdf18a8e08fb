"""Section 8: planes, for the kinds xor and whole."""

from __future__ import annotations

from dataclasses import dataclass

import lz4.block
import numpy as np
import zstandard

from .bits import read_leb128
from .errors import SiltError, require
from .rans import Stream, decode, lanes_for
from .tables import CODED, RAW, PlaneTables


@dataclass(frozen=True)
class Cell:
    """A chunk of an xor or whole part, and how many elements it holds."""

    data: memoryview
    count: int
    where: str


def decompress(data: memoryview, codec: str, size: int, where: str) -> bytes:
    """What a chunk of codec none, zstd or lz4 decodes to, which has to be `size` bytes (section 8.1)."""
    try:
        if codec == "zstd":
            stated = zstandard.frame_content_size(data)
            require(stated in (-1, size), "chunk", f"{where}: a zstd frame of {stated} bytes, not {size}")
            decoder = zstandard.ZstdDecompressor()
            decoded = decoder.decompress(data, max_output_size=size, allow_extra_data=False)
        elif codec == "lz4":
            decoded = lz4.block.decompress(data, uncompressed_size=size)
        else:
            decoded = bytes(data)
    except (zstandard.ZstdError, lz4.block.LZ4BlockError) as error:
        raise SiltError("chunk", f"{where}: does not decode ({error})") from None
    require(len(decoded) == size, "chunk", f"{where}: decodes to {len(decoded)} bytes, not {size}")
    return decoded


def decode_compressed(cell: Cell, codec: str, width: int) -> np.ndarray:
    """The data of a chunk of codec none, zstd or lz4, as rows of `width` bytes."""
    data = np.frombuffer(decompress(cell.data, codec, cell.count * width, cell.where), np.uint8)
    return data.reshape(cell.count, width) if codec == "none" else data.reshape(width, cell.count).T


def decode_planes(cells: list[Cell], tables: PlaneTables) -> list[np.ndarray]:
    """The data of chunks of codec rans, as rows of one byte for each plane (section 8.3)."""
    width = len(tables.modes)
    results = [np.zeros((cell.count, width), np.uint8) for cell in cells]
    streams, targets = [], []
    for cell, result in zip(cells, results, strict=True):
        position = 0
        for plane, mode in enumerate(tables.modes):
            where = f"{cell.where}: plane {plane}"
            size = 0
            if mode == RAW:
                size = cell.count
            elif mode == CODED:
                size, position = read_leb128(cell.data, position, where)
            data = cell.data[position : position + size]
            require(len(data) == size, "chunk", f"{where}: {len(data)} of {size} bytes")
            position += size
            if mode == RAW:
                result[:, plane] = np.frombuffer(data, np.uint8)
            elif mode == CODED:
                contexts = np.full(cell.count, tables.of_plane[plane], np.uint8)
                streams.append(Stream(data, contexts, lanes_for(cell.count), where))
                targets.append(result[:, plane])
        left = len(cell.data) - position
        require(left == 0, "chunk", f"{cell.where}: {left} bytes after the last plane")
    for target, symbols in zip(targets, decode(streams, tables.symbols), strict=True):
        target[:] = symbols
    return results
