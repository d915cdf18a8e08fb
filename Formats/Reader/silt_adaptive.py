"""The encoder of section 12.5, plain and slow: it makes test vectors, not products."""

from __future__ import annotations

from collections.abc import Iterable

from silt.adaptive import MAX_BITS, MAX_COUNT, MEAN_CAP, magnitude_class

TOP = 1 << 24


class RangeEncoder:
    """Codes bits so that the decoder's `code` is what the coded number is above `low`."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.low, self.range = 0, (1 << 32) - 1
        self.contexts: dict[tuple[object, ...], tuple[int, int]] = {}

    def bit(self, bit: int, context: tuple[object, ...]) -> None:
        p, n = self.contexts.get(context, (32_768, 0))
        gain = 131_072 // (2 * n + 3)
        bound = (self.range >> 16) * p
        if bit:
            self._upper(bound, self.range - bound)
            p -= p * gain >> 16
        else:
            self.range = bound
            p += (65_536 - p) * gain >> 16
        self.contexts[context] = (p, min(n + 1, MAX_COUNT))
        self._normalise()

    def plain(self, bit: int) -> None:
        self.range >>= 1
        if bit:
            self._upper(self.range, self.range)
        self._normalise()

    def finish(self) -> bytes:
        """The shortest stream: the number with the most zero bytes at its end, without them."""
        for shift in (32, 24, 16, 8, 0):
            number = -(-self.low >> shift) << shift
            if number < self.low + self.range:
                break
        self._upper(number - self.low, 1)
        return bytes(self.bytes + self.low.to_bytes(4, "big")).rstrip(b"\0")

    def _upper(self, bound: int, width: int) -> None:
        """Go on `bound` above; what overflows is carried into the bytes written."""
        self.low, self.range = self.low + bound, width
        if self.low >> 32:
            self.low &= 0xFFFF_FFFF
            place = len(self.bytes) - 1
            while self.bytes[place] == 255:
                self.bytes[place] = 0
                place -= 1
            self.bytes[place] += 1

    def _normalise(self) -> None:
        while self.range < TOP:
            self.bytes.append(self.low >> 24)
            self.low = self.low << 8 & 0xFFFF_FFFF
            self.range <<= 8


def adaptive(integers: Iterable[int], signed: bool) -> bytes:
    """The stream of some integers."""
    coder, mean, count = RangeEncoder(), 0, 0
    for integer in integers:
        magnitude, k, count = abs(integer), magnitude_class(mean >> 4), count + 1
        length = magnitude.bit_length()
        for place in range(min(length + 1, MAX_BITS)):
            coder.bit(int(place < length), ("U", k, min(place, 15)))
        bits = [magnitude >> place & 1 for place in range(length - 2, -1, -1)]
        for place, bit in enumerate(bits):
            if place == 0:
                coder.bit(bit, ("V", length, 0))
            elif place == 1:
                coder.bit(bit, ("V", length, 1 + bits[0]))
            else:
                coder.plain(bit)
        if signed and magnitude:
            coder.plain(int(integer < 0))
        mean += (256 * min(magnitude, MEAN_CAP) - mean) // 16
    return coder.finish() if count else b""
