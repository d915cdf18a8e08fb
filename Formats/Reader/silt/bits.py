"""Section 2: LEB128 and fields in a bit stream."""

from __future__ import annotations

import numpy as np

from .errors import SiltError, require


def read_leb128(data: memoryview, position: int, where: str) -> tuple[int, int]:
    """The integer at `position`, and the position after it."""
    value = 0
    for index, byte in enumerate(data[position : position + 5]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            proper = value < 1 << 32 and (byte > 0 or index == 0)
            require(proper, "chunk", f"{where}: a LEB128 number is too large, or too long")
            return value, position + index + 1
    raise SiltError("chunk", f"{where}: a LEB128 number does not end")


def read_fields(data: memoryview, widths: np.ndarray, where: str) -> np.ndarray:
    """Fields of these widths (at most 32 bits), one after the other; they fill the data but for zero bits."""
    ends = np.cumsum(widths, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    exact = len(data) == -(-total // 8)
    require(exact, "chunk", f"{where}: {len(data)} bytes of raw bits, {total} bits are needed")
    unused = total % 8 == 0 or data[-1] >> total % 8 == 0
    require(unused, "chunk", f"{where}: unused bits of the raw bits are set")
    padded = np.frombuffer(bytes(data) + bytes(8), np.uint8)
    begins = ends - widths
    first = begins >> 3
    window = np.zeros(len(widths), np.int64)
    for offset in range(5):
        window |= padded[first + offset].astype(np.int64) << 8 * offset
    return window >> (begins & 7) & ((np.int64(1) << widths) - 1)


def read_bits(data: memoryview, count: int, width: int, where: str) -> np.ndarray:
    """`count` fields of 1 to 8 bits, which fill the data but for zero bits, as u8."""
    total = count * width
    exact = len(data) == -(-total // 8)
    require(exact, "chunk", f"{where}: {len(data)} bytes for {total} bits")
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    require(not bits[total:].any(), "chunk", f"{where}: unused bits are set")
    padded = np.zeros((count, 8), np.uint8)
    padded[:, :width] = bits[:total].reshape(count, width)
    return np.packbits(padded, axis=1, bitorder="little")[:, 0]
