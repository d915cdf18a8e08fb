"""Section 12.5: adaptive streams, integers under a range coder with adaptive probabilities.

The loop is written out, because a call for each bit would cost as much as the bit itself.
"""

from __future__ import annotations

import numpy as np

from .errors import require

TOP = 1 << 24
MAX_BITS = 24
MAX_COUNT = 254
GAIN = [131_072 // (2 * n + 3) for n in range(MAX_COUNT + 1)]
LAST_UNARY = 15
UNARY = LAST_UNARY + 1
MEAN_CAP = 4_095


def magnitude_class(x: int) -> int:
    """k for x, the running mean in 1/16."""
    length = x.bit_length()
    return 2 * length if length < 2 else min(31, 2 * length + (x >> length - 2 & 1))


# Where the contexts U(k, 0) of each x begin. The mean is at most 4,095, so x is at most 65,520.
FIRST_UNARY = [UNARY * magnitude_class(x) for x in range(16 * MEAN_CAP + 1)]
# The contexts V(e, 0 to 2) follow those of all 32 classes.
FIRST_BELOW = [32 * UNARY + 3 * e for e in range(MAX_BITS + 1)]
CONTEXTS = 32 * UNARY + 3 * (MAX_BITS + 1)


def decode_adaptive(data: memoryview, count: int, signed: bool, where: str) -> np.ndarray:
    """The `count` integers of a stream, which has to end with them."""
    stream = bytes(data)
    size = len(stream)
    require(size == 0 or stream[-1] != 0, "chunk", f"{where}: an adaptive stream ends with a byte 0")
    require(count > 0 or size == 0, "chunk", f"{where}: an adaptive stream of no integers has bytes")
    chance, seen, gain = [32_768] * CONTEXTS, [0] * CONTEXTS, GAIN
    code, width, position = int.from_bytes(stream[:4].ljust(4, b"\0"), "big"), (1 << 32) - 1, 4
    mean, integers = 0, [0] * count
    for index in range(count):
        # The magnitude's length in bits, in unary.
        context = FIRST_UNARY[mean >> 4]
        length = 0
        while length < MAX_BITS:
            p, n = chance[context], seen[context]
            bound = (width >> 16) * p
            if n < MAX_COUNT:
                seen[context] = n + 1
            one = code >= bound
            if one:
                code -= bound
                width -= bound
                chance[context] = p - (p * gain[n] >> 16)
            else:
                width = bound
                chance[context] = p + ((65_536 - p) * gain[n] >> 16)
            while width < TOP:
                width <<= 8
                code = (code << 8 | (stream[position] if position < size else 0)) & 0xFFFF_FFFF
                position += 1
            if not one:
                break
            length += 1
            if length <= LAST_UNARY:
                context += 1
        # The bits below its leading 1: two in contexts, the others plain.
        magnitude = 1 if length else 0
        first = FIRST_BELOW[length]
        for place in range(length - 1):
            if place < 2:
                context = first if place == 0 else first + (magnitude & 1) + 1
                p, n = chance[context], seen[context]
                bound = (width >> 16) * p
                if n < MAX_COUNT:
                    seen[context] = n + 1
                if code < bound:
                    width = bound
                    chance[context] = p + ((65_536 - p) * gain[n] >> 16)
                    magnitude <<= 1
                else:
                    code -= bound
                    width -= bound
                    chance[context] = p - (p * gain[n] >> 16)
                    magnitude = magnitude << 1 | 1
            else:
                width >>= 1
                magnitude <<= 1
                if code >= width:
                    code -= width
                    magnitude |= 1
            while width < TOP:
                width <<= 8
                code = (code << 8 | (stream[position] if position < size else 0)) & 0xFFFF_FFFF
                position += 1
        mean += (256 * min(MEAN_CAP, magnitude) - mean) >> 4
        if signed and magnitude:
            width >>= 1
            if code >= width:
                code -= width
                magnitude = -magnitude
            while width < TOP:
                width <<= 8
                code = (code << 8 | (stream[position] if position < size else 0)) & 0xFFFF_FFFF
                position += 1
        integers[index] = magnitude
    require(position >= size, "chunk", f"{where}: {size - position} bytes of an adaptive stream are not read")
    return np.array(integers, np.int64)
