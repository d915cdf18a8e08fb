"""Known answers, and slow scalar twins written from the text, for what the reader does with numpy."""

from __future__ import annotations

import bisect
import random
from fractions import Fraction

import numpy as np
import pytest
import xxhash

from bases import NARROWING
from silt.bits import read_fields, read_leb128
from silt.convert import convert
from silt.digests import cell_elements, root, tree_digest
from silt.errors import SiltError
from silt.rans import Stream, TableSet, decode
from silt.residual import DIRECT_BITS, classes, join, ordered, raw_widths, unfold
from silt.tables import BitReader
from silt_coders import BitWriter, leb128, normalise, put_table, rans


def value(pattern: int, exponent_bits: int, mantissa_bits: int) -> Fraction:
    """What a finite pattern stands for."""
    sign = -1 if pattern >> (exponent_bits + mantissa_bits) else 1
    exponent = pattern >> mantissa_bits & ((1 << exponent_bits) - 1)
    mantissa = pattern & ((1 << mantissa_bits) - 1)
    bias = (1 << (exponent_bits - 1)) - 1
    if exponent == 0:
        return sign * Fraction(mantissa) * Fraction(2) ** (1 - bias - mantissa_bits)
    return sign * Fraction((1 << mantissa_bits) + mantissa) * Fraction(2) ** (exponent - bias - mantissa_bits)


def test_ordered_integer() -> None:
    answers = {0x0000: 0, 0x0001: 1, 0x7FFF: 32_767, 0x8000: -1, 0x8001: -2, 0xFFFF: -32_768, 0xBF80: -16_257}
    patterns = np.array(list(answers), np.uint16)
    assert ordered(patterns).view(np.int16).tolist() == list(answers.values())
    for dtype in (np.uint8, np.uint16):
        everything = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
        assert (ordered(ordered(everything)) == everything).all()
    finite = [u for u in range(1 << 16) if u >> 10 & 31 != 31]
    by_value = sorted(finite, key=lambda u: (value(u, 5, 10), u < 0x8000))
    steps = np.diff(ordered(np.array(by_value, np.uint16)).view(np.int16).astype(int))
    assert (steps == 1).all()


def scalar_symbol(z: int, g: int) -> tuple[int, int, int]:
    """Section 7.1: the symbol of z, its raw bits and how many they are."""
    if z < 1 << g:
        return z, 0, 0
    e = z.bit_length() - 1
    return (1 << g) + 8 * (e - g) + (z >> (e - 3) & 7), z & ((1 << (e - 3)) - 1), e - 3


@pytest.mark.parametrize(("width", "alphabet"), [(8, 256), (16, 144), (32, 240)])
def test_symbol_map(width: int, alphabet: int) -> None:
    chance, g = random.Random(width), DIRECT_BITS[width]
    zs = [
        *range(1 << min(width, 16)),
        (1 << width) - 1,
        *(chance.randrange(1 << width) for _ in range(9_999)),
    ]
    symbols, raw, widths = (
        np.array(column) for column in zip(*(scalar_symbol(z, g) for z in zs), strict=True)
    )
    assert symbols.max() == alphabet - 1
    assert raw_widths(symbols, g).tolist() == widths.tolist()
    assert join(symbols, raw, g).tolist() == zs


def test_fold() -> None:
    assert unfold(np.array([0, 1, 2, 3, 4, (1 << 32) - 1])).tolist() == [0, -1, 1, -2, 2, -(1 << 31)]


@pytest.mark.parametrize(("dtype", "low", "bits"), [("F32", 23, 8), ("BF16", 7, 8), ("F16", 10, 5),
                         ("F8_E4M3", 3, 4), ("F8_E5M2", 2, 5)])  # fmt: skip
def test_classes(dtype: str, low: int, bits: int) -> None:
    kind = np.dtype(f"u{(low + bits + 1) // 8}")
    base = np.random.default_rng(1).integers(0, 1 << 8 * kind.itemsize, 1_000).astype(kind)
    codes = np.arange(0, 250, 2).astype(np.uint8)
    found = classes(base, codes, 8, -3, dtype).tolist()
    for index, pattern in enumerate(base.tolist()):
        q, exponent = int(codes[index // 8]), pattern >> low & ((1 << bits) - 1)
        assert found[index] == (0 if q == 0 else 1 + min(30, max(0, -3 + q - 2 * exponent)))


def test_table_coding() -> None:
    answers = {
        bytes([0, 0]): [4_096],
        bytes([1, 0x30]): [1, 4_095],
        bytes([0, 0x0D]): None,
    }
    for stored, table in answers.items():
        bits = BitReader(memoryview(stored), "")
        if table is None:
            with pytest.raises(SiltError, match="tables"):
                bits.table(256)
        else:
            assert bits.table(256)[: len(table)].tolist() == table
            bits.finish()
    chance = np.random.default_rng(2)
    for k in (None, 0, 3, 12):
        for size in (1, 2, 144, 256):
            table = normalise(chance.integers(0, 3, size) ** 9)
            writer = BitWriter()
            put_table(writer, table, k)
            reader = BitReader(memoryview(writer.finish()), "")
            assert reader.table(256).tolist() == table + [0] * (256 - size)
            reader.finish()


def scalar_rans(data: bytes, tables: list[list[int]], contexts: list[int], lanes: int) -> list[int]:
    """Section 6, symbol by symbol."""
    states = [int.from_bytes(data[4 * lane : 4 * lane + 4], "little") for lane in range(lanes)]
    position, symbols = 4 * lanes, []
    for index, context in enumerate(contexts):
        x, table = states[index % lanes], tables[context]
        m, s, c = x % 4_096, 0, 0
        while not c <= m < c + table[s]:
            c, s = c + table[s], s + 1
        x = table[s] * (x >> 12) + m - c
        if x < 65_536:
            x = x * 65_536 + int.from_bytes(data[position : position + 2], "little")
            position += 2
        states[index % lanes] = x
        symbols.append(s)
    assert states == [65_536] * lanes
    assert position == len(data)
    return symbols


@pytest.mark.parametrize("count", [1, 8_191, 8_192, 9_001])
def test_rans(count: int) -> None:
    chance, lanes = np.random.default_rng(count), 32 if count >= 8_192 else 1
    tables = [
        [4_096],
        [1, 4_095],
        normalise(chance.integers(0, 9, 144)),
        normalise(chance.integers(1, 99, 256)),
    ]
    contexts = chance.integers(0, 4, count).tolist()
    symbols = [int(chance.choice(np.flatnonzero(tables[context]))) for context in contexts]
    data = rans(symbols, tables, contexts, lanes)
    assert scalar_rans(data, tables, contexts, lanes) == symbols
    packed = TableSet([np.array(table) for table in tables[1:]])
    stream = Stream(memoryview(data), np.array(contexts, np.uint8), lanes, "")
    other = rans(symbols[:-1], tables, contexts[:-1], lanes)
    short = Stream(memoryview(other), np.array(contexts[:-1], np.uint8), lanes, "")
    first, second = decode([stream, short], packed)
    assert first.tolist() == symbols
    assert second.tolist() == symbols[:-1]


def test_bit_fields() -> None:
    chance = random.Random(4)
    widths = [chance.randrange(29) for _ in range(1_000)]
    values = [chance.getrandbits(width) if width else 0 for width in widths]
    writer = BitWriter()
    for field, width in zip(values, widths, strict=True):
        writer.put(field, width)
    data = memoryview(writer.finish())
    assert read_fields(data, np.array(widths), "").tolist() == values


def test_leb128() -> None:
    answers = {0: "00", 127: "7f", 128: "8001", 300: "ac02", (1 << 32) - 1: "ffffffff0f"}
    for number, stored in answers.items():
        assert leb128(number).hex() == stored
        assert read_leb128(memoryview(bytes.fromhex(stored)), 0, "") == (number, len(stored) // 2)
    for stored in ("", "80", "8000", "ffffffff10", "ffffffffff01", "8080808000"):
        with pytest.raises(SiltError, match="chunk"):
            read_leb128(memoryview(bytes.fromhex(stored)), 0, "")


BF16_VALUES = [value(u, 8, 7) for u in range(0x7F80)] + [Fraction(2) ** 128]
F16_VALUES = [value(u, 5, 10) for u in range(0x7C00)] + [Fraction(2) ** 16]


def scalar_narrow(u: int, dtype: str) -> int:
    """Section 8.4: the nearest pattern found by search, infinity counted as the next power of two."""
    values, infinity = (BF16_VALUES, 0x7F80) if dtype == "BF16" else (F16_VALUES, 0x7C00)
    sign, magnitude = u >> 31 << 15, u & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000:
        return u >> 16 | 0x0040 if dtype == "BF16" else sign | 0x7E00 | (u & 0x7F_FFFF) >> 13
    exact = Fraction(2) ** 200 if magnitude == 0x7F80_0000 else value(magnitude, 8, 23)
    above = bisect.bisect_left(values, exact)
    if above > infinity:
        return sign | infinity
    below = max(above - 1, 0)
    low, high = exact - values[below], values[above] - exact
    nearest = above if high < low or (high == low and above % 2 == 0) else below
    return sign | nearest


@pytest.mark.parametrize("dtype", ["BF16", "F16"])
def test_narrowing(dtype: str) -> None:
    chance = random.Random(5)
    patterns = NARROWING + [chance.getrandbits(32) for _ in range(3_000)]
    patterns += [(127 - 30 + chance.randrange(50)) << 23 | chance.getrandbits(11) << 12 for _ in range(3_000)]
    found = convert(np.array(patterns, np.uint32), "F32", dtype).tolist()
    assert found == [scalar_narrow(u, dtype) for u in patterns]


def test_widening() -> None:
    everything = np.arange(1 << 16).astype(np.uint16)
    assert (convert(everything, "BF16", "F32") == everything.astype(np.uint32) << 16).all()
    for half, wide in zip(range(1 << 16), convert(everything, "F16", "F32").tolist(), strict=True):
        if half >> 10 & 31 == 31:
            assert wide == (half >> 15) << 31 | 0x7F80_0000 | (half & 1_023) << 13
        else:
            assert wide >> 31 == half >> 15
            assert value(wide, 8, 23) == value(half, 5, 10)
    finite = everything[(everything >> 10 & 31) != 31]
    assert (convert(convert(finite, "F16", "F32"), "F32", "F16") == finite).all()


def test_grid_and_digests() -> None:
    shapes = {(): 262_144, (7,): 262_144, (2, 262_144): 262_144, (2, 262_145): 262_144, (9, 1_000): 262_000,
              (4, 0): 262_144, (0, 3): 262_143, (5, 10, 20): 262_000}  # fmt: skip
    assert {shape: cell_elements("BF16", shape) for shape in shapes} == shapes
    assert cell_elements("F4", (9, 1_000)) == 262_144
    data = bytes(range(256)) * 5
    pieces = b"".join(xxhash.xxh3_128(data[start : start + 500]).digest() for start in (0, 500, 1_000))
    assert tree_digest(data, 500) == xxhash.xxh3_128_hexdigest(pieces)
    assert tree_digest(b"", 500) == "99aa06d3014798d86001c324468d497f"
    assert root([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    first, second = ("b", "F32", (), "0" * 32), ("a", "F32", (1,), "f" * 32)
    assert root([first, second]) == root([second, first])
