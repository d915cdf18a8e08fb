"""Section 12.5: a slow scalar twin written from the text, round trips, and streams that end wrongly."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from silt.adaptive import decode_adaptive
from silt.errors import SiltError
from silt.values import read_scales
from silt_adaptive import RangeEncoder, adaptive


class ScalarReader:
    """Section 12.5, sentence by sentence."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 4
        self.range, self.code = 2**32 - 1, int.from_bytes((data + b"\0\0\0\0")[:4], "big")
        self.contexts: dict[object, list[int]] = {}

    def renew(self) -> None:
        while self.range < 2**24:
            byte = self.data[self.position] if self.position < len(self.data) else 0
            self.position += 1
            self.range = self.range * 256 % 2**32
            self.code = (self.code * 256 + byte) % 2**32

    def bit(self, name: object) -> int:
        context = self.contexts.setdefault(name, [32_768, 0])
        p, n = context
        gain, bound = 131_072 // (2 * n + 3), (self.range >> 16) * p
        bit = int(self.code >= bound)
        if bit:
            self.code, self.range = self.code - bound, self.range - bound
            context[0] = p - ((p * gain) >> 16)
        else:
            self.range = bound
            context[0] = p + (((65_536 - p) * gain) >> 16)
        context[1] = min(n + 1, 254)
        self.renew()
        return bit

    def plain(self) -> int:
        self.range >>= 1
        bit = int(self.code >= self.range)
        self.code -= bit * self.range
        self.renew()
        return bit

    def integers(self, count: int, signed: bool) -> list[int]:
        a, found = 0, []
        for _ in range(count):
            x = a >> 4
            length = len(bin(x)) - 2 if x else 0
            k = 2 * length if length < 2 else min(31, 2 * length + ((x >> (length - 2)) & 1))
            e = 0
            while e < 24 and self.bit(("U", k, min(e, 15))):
                e += 1
            bits = [1] if e else []
            while len(bits) < e:
                place = len(bits) - 1
                if place == 0:
                    bits.append(self.bit(("V", e, 0)))
                elif place == 1:
                    bits.append(self.bit(("V", e, 1 + bits[1])))
                else:
                    bits.append(self.plain())
            m = int("".join(map(str, bits)) or "0", 2)
            found.append(-m if signed and m > 0 and self.plain() else m)
            a = a + math.floor(Fraction(256 * min(m, 4_095) - a, 16))
        return found


def streams() -> list[list[int]]:
    chance = random.Random(8)
    top = (1 << 24) - 1
    return [
        [0], [1], [top], [0] * 5_000, [1] * 3_000, [top] * 400, [3, 0, 0, top, 0, 0, 1] * 50,
        [chance.getrandbits(24) for _ in range(2_000)],
        [int(chance.expovariate(0.1)) for _ in range(5_000)],
        [int(chance.expovariate(1 / (1 + index % 3_000))) for index in range(9_000)],
        [chance.getrandbits(chance.randrange(25)) for _ in range(3_000)],
    ]  # fmt: skip


@pytest.mark.slow
def test_adaptive_streams() -> None:
    chance = random.Random(9)
    for magnitudes in streams():
        for signed in (False, True):
            integers = [-m if signed and chance.getrandbits(1) else m for m in magnitudes]
            data = adaptive(integers, signed)
            assert not data.endswith(b"\0")
            assert decode_adaptive(memoryview(data), len(integers), signed, "").tolist() == integers
            assert ScalarReader(data).integers(len(integers), signed) == integers


def test_adaptive_streams_of_anything() -> None:
    """Damaged streams decode to something, and both readers agree on what."""
    chance = random.Random(10)
    for _ in range(200):
        data = chance.choice([chance.randbytes(chance.randrange(60)), b"\xff" * chance.randrange(40)])
        data = data.rstrip(b"\0")
        twin = ScalarReader(data)
        wanted = twin.integers(50, True)
        if twin.position < len(data):
            with pytest.raises(SiltError, match="not read"):
                decode_adaptive(memoryview(data), 50, True, "")
        else:
            assert decode_adaptive(memoryview(data), 50, True, "").tolist() == wanted


def test_adaptive_streams_end() -> None:
    data = adaptive([5, 6, 7], False)
    for bad in (data + b"\0", data + bytes(9) + b"\1"):
        with pytest.raises(SiltError, match="chunk"):
            decode_adaptive(memoryview(bad), 3, False, "")
    assert decode_adaptive(memoryview(b""), 0, False, "").tolist() == []
    assert decode_adaptive(memoryview(b""), 3, True, "").tolist() == [0, 0, 0]


def test_carry() -> None:
    """Bits that drive the coded number to the end of its range, where carries run far."""
    for seed in range(30):
        chance, coder = random.Random(seed), RangeEncoder()
        bits = [int(chance.random() < 0.999) for _ in range(4_000)]
        for bit in bits:
            coder.plain(bit) if seed % 2 else coder.bit(bit, ("c",))
        reader = ScalarReader(coder.finish())
        assert [reader.plain() if seed % 2 else reader.bit("c") for _ in bits] == bits


def test_scales() -> None:
    patterns = [0, 0x3F80, 0x0001, 0x7F7F, 0x3C00]
    stored = adaptive(np.diff(patterns, prepend=0).tolist(), True)
    found = read_scales(memoryview(stored), 5, "").view(np.uint32)
    assert (found >> 16).tolist() == patterns
    for bad in ([0x7F80], [3, -4], [0x8000]):
        with pytest.raises(SiltError, match="chunk"):
            read_scales(memoryview(adaptive(bad, True)), len(bad), "")
