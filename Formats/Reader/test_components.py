"""Section 12: known answers, exact rational arithmetic, and slow scalar twins written from the text."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import xxhash

from silt.components import add, fma, low_rank
from silt.container import Container
from silt.errors import given
from silt.matrix import decode_matrix
from silt.philox import philox, stays, words
from silt.recipes import Matrix, read_components
from silt_matrices import ChunkStore, encode_matrix
from silt_specs import MaskSpec, MatrixSpec, dense

SPECIAL = np.array(
    [0, 0x8000_0000, 1, 0x8000_0001, 0x007F_FFFF, 0x0080_0000, 0x8080_0000, 0x3F80_0000, 0xBF80_0000,
     0x3F80_0001,
     0x7F7F_FFFF, 0xFF7F_FFFF, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC1_2345, 0x7F80_0001, 0x1F80_0000,
     0x2000_0001, 0x5F00_0001, 0x3380_0000, 0x3400_0000, 0x4B80_0001],
    np.uint32,
).view(np.float32)  # fmt: skip


def nearest(exact: Fraction) -> float:
    """Binary32 nearest to a rational number, ties to even, as a float."""
    if exact == 0:
        return 0.0
    exponent = exact.numerator.bit_length() - exact.denominator.bit_length()
    exponent -= abs(exact) < Fraction(2) ** exponent
    unit = Fraction(2) ** (max(exponent, -126) - 23)
    rounded = round(exact / unit) * unit
    magnitude = math.inf if abs(rounded) >= 2**128 else float(abs(rounded))
    return -magnitude if exact < 0 else magnitude


def scalar_fma(x: float, y: float, a: float) -> float:
    """Finite arguments: the exact sum, rounded once. Others: binary64, in which nothing is rounded then."""
    if all(map(math.isfinite, (x, y, a))):
        exact = Fraction(x) * Fraction(y) + Fraction(a)
        return nearest(exact) if exact else x * y + a
    return x * y + a


def same(found: float, wanted: float) -> bool:
    if math.isnan(wanted):
        return math.isnan(found)
    return found == wanted and math.copysign(1, found) == math.copysign(1, wanted)


def test_philox_known_answers() -> None:
    """The published answers of Random123 for philox4x32 with 10 rounds."""
    full = 0xFFFF_FFFF
    answers = [
        ([0] * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([full] * 4, (full, full), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], (0xA4093822, 0x299F31D0),
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ]  # fmt: skip
    for counter, key, answer in answers:
        found = philox(np.array([counter], np.uint64), key)[0]
        assert " ".join(f"{word:08x}" for word in found.tolist()) == answer


def test_positions_of_seeded_masks() -> None:
    seed, identity = 0x1234_5678_9ABC, 0xFEDC_BA98_7654_3210
    for start in (0, 1, 7, (1 << 34) - 2, (1 << 36) + 5):
        found = words(seed, identity, start, 11).tolist()
        for offset, word in enumerate(found):
            t = start + offset
            counter = [t // 4 % 2**32, t // 2**34, identity % 2**32, identity // 2**32]
            block = philox(np.array([counter], np.uint64), (seed % 2**32, seed // 2**32))[0]
            assert word == block[t % 4]
    kept = stays(5, round(0.9 * 2**32), 77, 0, 100_000)
    assert abs(kept.mean() - 0.1) < 0.005


def test_fma() -> None:
    rng = np.random.default_rng(6)
    grid = np.array(np.meshgrid(SPECIAL, SPECIAL, SPECIAL)).reshape(3, -1)
    anything = rng.integers(0, 1 << 32, (3, 4_000), dtype=np.uint64).astype(np.uint32).view(np.float32)
    ordinary = rng.normal(0, 1, (3, 4_000)).astype(np.float32)
    # Addends that cancel the product but for some of its last bits, and sums next to a tie.
    near = ordinary.copy()
    near[2] = -(near[0] * near[1])
    ties = (rng.integers(-(1 << 12), 1 << 12, (3, 6_000)) * 2.0 + 1).astype(np.float32)
    ties[2] = (rng.integers(1 << 23, 1 << 24, 6_000) * 2.0 ** rng.integers(-30, 40, 6_000)).astype(np.float32)
    small = (ordinary * np.float32(1e-22)).astype(np.float32)
    small[2] = (ordinary[2] * np.float32(1e-42)).astype(np.float32)
    # Products of 2^46 + 1 and 2^46 - 1 units, which only their last bit keeps off a tie.
    x = np.array([8_384_513, (1 << 23) + 1, 8_384_513]) * 2.0**-35
    y = np.array([8_392_705, (1 << 23) - 1, -8_392_705]) * 2.0**-35
    close = np.repeat(np.array([x, y, np.ones(3)], np.float32), 2, axis=1)
    close[2, 1::2] += np.float32(2.0**-23)
    for x, y, a in (close, grid, anything, ordinary, near, ties, small):
        with np.errstate(all="ignore"):
            found = fma(x, y, a)
        for *arguments, one in np.stack([x, y, a, found]).T.tolist():
            assert same(one, scalar_fma(*arguments)), (arguments, one)


def test_low_rank() -> None:
    rng = np.random.default_rng(7)
    left = (rng.normal(0, 1, (3, 5)) * 10.0 ** rng.integers(-20, 20, (3, 5))).astype(np.float32)
    right = rng.normal(0, 1, (3, 4)).astype(np.float32)
    scale = np.float32(0.3)
    found = low_rank(left, right, scale)
    for i in range(5):
        for j in range(4):
            a = 0.0
            for k in range(3):
                a = scalar_fma(float(left[k, i]), float(right[k, j]), a)
            assert same(float(found[i, j]), nearest(Fraction(a) * Fraction(float(scale))))


def test_addition() -> None:
    """Pattern by pattern: what stays the base's, and the one NaN that is written."""
    f32 = [
        (0x8000_0000, 0x0000_0000, 0x8000_0000),  # -0.0 and nothing to add
        (0x8000_0000, 0x8000_0000, 0x8000_0000),
        (0x7F80_0000, 0x3F80_0000, 0x7F80_0000),  # an infinity, a NaN with its payload
        (0x7F80_0001, 0x7F80_0000, 0x7F80_0001),
        (0x3F80_0000, 0xFFC0_1234, 0x7FC0_0000),  # a sum that is no number
        (0x3F80_0000, 0xFF80_0000, 0xFF80_0000),
        (0x7F7F_FFFF, 0x7F7F_FFFF, 0x7F80_0000),  # overflow
        (0x3F80_0000, 0xBF80_0000, 0x0000_0000),  # cancelled
        (0x0000_0001, 0x0000_0001, 0x0000_0002),  # subnormals
    ]
    base, total, answer = (np.array(column, np.uint32) for column in zip(*f32, strict=True))
    assert add(base, total.view(np.float32), "F32").tolist() == answer.tolist()
    numbers = np.array([np.nan, np.inf, 65_504.0], np.float32)
    assert add(np.full(3, 0x3C00, np.uint16), numbers, "F16").tolist() == [0x7E00, 0x7C00, 0x7BFF]
    assert add(np.full(3, 0x3F80, np.uint16), numbers, "BF16").tolist() == [0x7FC0, 0x7F80, 0x4780]
    # What gets too little to move, a NaN, an infinity.
    base, total = np.array([0x3F80, 0x7F81, 0xFF80], np.uint16), np.array([2.0**-9, 1, 1], np.float32)
    assert (add(base, total, "BF16") == base).all()


def container(chunks: list[bytes]) -> Container:
    sums = [xxhash.xxh3_64_intdigest(chunk) for chunk in chunks]
    ends = np.cumsum([len(chunk) for chunk in chunks]).tolist()
    return Container({}, b"", memoryview(b"".join(chunks)), [len(chunk) for chunk in chunks], sums, ends)


def matrix_of(entry: dict[str, object], rows: int, columns: int) -> Matrix:
    (component,) = read_components([{"kind": "sparse", "matrix": entry}], "", "name", rows, columns)
    return component.matrices[0]


CODES = {"int8": 127, "int4": 7, "int2": 1, "int": (1 << 24) - 1, "sign": 1}


def random_matrices() -> list[MatrixSpec]:
    """All types and codecs, and masks of all kinds, at random."""
    rng, specs = np.random.default_rng(11), []
    codecs = {"int8": 3, "int4": 3, "int2": 3, "int": 1, "sign": 2, "f32": 3, "f16": 3, "bf16": 3}
    for kind, count in codecs.items():
        for number in range(count):
            shape = tuple(int(side) for side in rng.integers(1, 60, 2))
            if kind in CODES:
                codec = {"int": ["adaptive"]}.get(kind, ["none", "rans", "adaptive"])[number]
                data = rng.integers(-CODES[kind], CODES[kind] + 1, shape)
                data = np.where(data < 0, -1, 1) if kind == "sign" else data
                scales = None if number == 0 else rng.integers(0, 0x7F80, 7)
                spec = MatrixSpec(kind, codec, data, step=0.1 if number == 0 else None, scales=scales)
                spec = replace(spec, by_rows=number == 1, scale_group=None if number == 1 else 9)
            else:
                codec = ["none", "zstd", "rans"][number]
                bits = 32 if kind == "f32" else 16
                data = rng.integers(0, 1 << bits, shape, dtype=np.uint64).astype(f"u{bits // 8}")
                spec = MatrixSpec(kind, codec, data)
            specs.append(replace(spec, q=[None, 0.25, rng.uniform(0.1, 1, shape[0]).tolist()][number]))
    stored = [("bits", "none"), ("bits", "rans"), ("gaps", "none"), ("gaps", "rans"), ("gaps", "adaptive")]
    for number, (by, codec) in enumerate(stored):
        for share in (0.0, 0.02, 0.5, 1.0):
            rows, columns = (int(side) for side in rng.integers(1, 700, 2))
            data = rng.integers(-7, 8, (rows, columns))
            width = int(rng.integers(1, 9))
            over = {"elements": (rows, columns), "rows": (rows,), "columns": (columns,)}
            masks = [
                MaskSpec(name, by, codec, rng.random(shape) < share, width) for name, shape in over.items()
            ]
            masks[number % 2] = MaskSpec(masks[number % 2].over, "seeded", seed=3, threshold=1 << 30)
            masks = [mask for mask in masks if mask.over != "columns" or given(mask.keep).any()]
            order = rng.permutation(len(masks)).tolist()
            ordered = tuple(masks[place] for place in order)
            specs.append(MatrixSpec("int4", "rans", data, ordered, step=2.0, fill=True))
    return specs


@pytest.mark.parametrize("spec", random_matrices(), ids=lambda spec: f"{spec.type}-{spec.codec}")
def test_matrices(spec: MatrixSpec) -> None:
    store = ChunkStore([])
    entry = encode_matrix(spec, "name", store)
    found = decode_matrix(container(store.chunks), matrix_of(entry, *spec.data.shape), "")
    assert (found.view(np.uint32) == dense(spec, "name").view(np.uint32)).all()
