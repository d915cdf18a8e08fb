"""The encoders of sections 6 to 8, plain and slow: they make test vectors, not products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from silt.residual import DIRECT_BITS, EXPONENT, classes, ordered
from silt.tables import ALPHABETS, CLASSES, CODED, ESCAPE, PLANES, RAW, RESIDUAL, ZERO

Table = list[int]
IDENTITY: Table = [4_096]


class BitWriter:
    """A bit stream of section 2."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.pending = self.count = 0

    def put(self, value: int, width: int) -> None:
        self.pending |= value << self.count
        self.count += width
        while self.count >= 8:
            self.bytes.append(self.pending & 255)
            self.pending >>= 8
            self.count -= 8

    def finish(self) -> bytes:
        return bytes(self.bytes) + bytes([self.pending] if self.count else [])


def leb128(value: int) -> bytes:
    """Section 2."""
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def normalise(counts: np.ndarray) -> Table:
    """Frequencies with sum 4,096, at least 1 for every symbol that occurs."""
    if not counts.any():
        counts = np.ones_like(counts)
    scaled = counts * 4_096 // counts.sum()
    table = np.where(counts > 0, np.maximum(scaled, 1), 0)
    while (excess := int(table.sum()) - 4_096) != 0:
        largest = int(table.argmax())
        table[largest] -= min(excess, int(table[largest]) // 2) if excess > 0 else excess
    return table.tolist()


def put_table(bits: BitWriter, table: Table, k: int | None = None) -> None:
    """Section 6.1, with the smallest k unless one is given."""
    last = max(symbol for symbol, frequency in enumerate(table) if frequency)
    steps = [after - before for before, after in zip([0, *table], table[:last], strict=False)]
    folded = [2 * step if step >= 0 else -2 * step - 1 for step in steps]
    if k is None:
        k = min(range(13), key=lambda k: sum(min(v >> k, 33 - k) + 1 + k for v in folded))
    bits.put(last, 8)
    bits.put(k, 4)
    for v in folded:
        quotient = min(v >> k, ESCAPE)
        bits.put((1 << quotient) - 1, quotient)
        if quotient == ESCAPE:
            bits.put(v, 14)
        else:
            bits.put(0, 1)
            bits.put(v & ((1 << k) - 1), k)


def rans(
    symbols: Sequence[int],
    tables: Sequence[Table],
    contexts: Sequence[int],
    lanes: int,
    final: Sequence[int] | None = None,
) -> bytes:
    """A stream of section 6; symbol i has the table `tables[contexts[i]]`.

    `final` makes invalid streams: the states that the lanes end with instead of 65,536.
    """
    starts = [np.cumsum([0, *table]).tolist() for table in tables]
    states, words = list(final or [65_536] * lanes), []
    for index in range(len(symbols) - 1, -1, -1):
        table, symbol, lane = contexts[index], symbols[index], index % lanes
        frequency, x = tables[table][symbol], states[lane]
        if x >= frequency << 20:
            words.append(x & 65_535)
            x >>= 16
        states[lane] = (x // frequency << 12) + x % frequency + starts[table][symbol]
    return np.array(states, "<u4").tobytes() + np.array(words[::-1], "<u2").tobytes()


def lanes_for(count: int) -> int:
    """L of section 6."""
    return 32 if count >= 8_192 else 1


@dataclass
class ResidualPlan:
    """A chunk of an exact part before entropy coding."""

    codes: list[int]
    classes: list[int]
    symbols: list[int]
    raw: list[tuple[int, int]]


def unit_codes(steps: np.ndarray, base: np.ndarray, unit: int, origin: int, dtype: str) -> list[int]:
    """q of each unit (section 7.2): 0 where nothing moved, else about 2 log2(mean step) + 2 E."""
    low, width = EXPONENT[dtype]
    exponents = (base >> low & ((1 << width) - 1)).astype(np.float64)
    scale = 2 * np.log2(np.abs(steps.astype(np.float64)) + 0.5) + 2 * exponents
    codes = []
    for start in range(0, len(steps), unit):
        moved = steps[start : start + unit].any()
        wanted = round(float(scale[start : start + unit].mean())) - origin
        codes.append(min(255, max(1, wanted)) if moved else 0)
    return codes


def plan_residual(
    result: np.ndarray, base: np.ndarray, unit: int, origin: int, dtype: str
) -> ResidualPlan | None:
    """Section 7.1 and 7.2 for one chunk; nothing where the result is the base, for an empty chunk."""
    if np.array_equal(result, base):
        return None
    width = result.dtype.itemsize * 8
    signed = np.dtype(f"i{width // 8}")
    steps = (ordered(result) - ordered(base)).view(signed)
    codes = unit_codes(steps, base, unit, origin, dtype)
    of_element = classes(base, np.array(codes, np.uint8), unit, origin, dtype)
    direct, symbols, raw = DIRECT_BITS[width], [], []
    for step in steps.tolist():
        z = 2 * step if step >= 0 else -2 * step - 1
        if z < 1 << direct:
            symbols.append(z)
        else:
            e = z.bit_length() - 1
            symbols.append((1 << direct) + 8 * (e - direct) + (z >> (e - 3) & 7))
            raw.append((z & ((1 << (e - 3)) - 1), e - 3))
    return ResidualPlan(codes, of_element.tolist(), symbols, raw)


@dataclass
class ResidualCoder:
    """The tables that some chunks share (section 7.3), and the coder of those chunks (section 7.4)."""

    width: int
    origin: int
    codes: Table
    tables: list[Table]
    starts: int

    @classmethod
    def fit(cls, plans: list[ResidualPlan], width: int, origin: int) -> ResidualCoder:
        alphabet = ALPHABETS[width]
        counts = np.zeros((CLASSES, alphabet), np.int64)
        codes = np.zeros(256, np.int64)
        for plan in plans:
            np.add.at(counts, (plan.classes, plan.symbols), 1)
            np.add.at(codes, plan.codes, 1)
        starts, tables = 0, [IDENTITY]
        for number in range(1, CLASSES):
            if number == 1 or counts[number].any():
                starts |= 1 << number
                tables.append(normalise(counts[number]))
            else:
                tables.append(tables[-1])
        return cls(width, origin, normalise(codes), tables, starts)

    def stored(self) -> bytes:
        bits = BitWriter()
        put_table(bits, self.codes)
        for number in range(1, CLASSES):
            if self.starts >> number & 1:
                put_table(bits, self.tables[number])
        head = bytes([RESIDUAL, self.width]) + self.origin.to_bytes(2, "little", signed=True)
        return head + self.starts.to_bytes(4, "little") + bits.finish()

    def chunk(self, plan: ResidualPlan) -> bytes:
        codes = rans(plan.codes, [self.codes], [0] * len(plan.codes), 1)
        symbols = rans(plan.symbols, self.tables, plan.classes, lanes_for(len(plan.symbols)))
        bits = BitWriter()
        for value, width in plan.raw:
            bits.put(value, width)
        return leb128(len(codes)) + leb128(len(symbols)) + codes + symbols + bits.finish()


@dataclass
class PlaneCoder:
    """The plane tables that some chunks share (section 8.2), and the coder of those chunks (section 8.3)."""

    modes: list[int]
    tables: list[Table]

    @classmethod
    def fit(cls, chunks: list[np.ndarray], width: int) -> PlaneCoder:
        modes, tables = [], []
        for plane in range(width):
            counts = sum((np.bincount(rows[:, plane], minlength=256) for rows in chunks), np.zeros(256, int))
            shares = counts[counts > 0] / max(int(counts.sum()), 1)
            entropy = float(-(shares * np.log2(shares)).sum())
            modes.append(ZERO if counts[1:].sum() == 0 else RAW if entropy > 7.5 else CODED)
            tables.append(normalise(counts))
        return cls(modes, tables)

    def stored(self) -> bytes:
        bits = BitWriter()
        for mode, table in zip(self.modes, self.tables, strict=True):
            if mode == CODED:
                put_table(bits, table)
        return bytes([PLANES, len(self.modes), *self.modes]) + bits.finish()

    def chunk(self, rows: np.ndarray) -> bytes:
        out = b""
        for plane, (mode, table) in enumerate(zip(self.modes, self.tables, strict=True)):
            data = rows[:, plane].tobytes()
            if mode == RAW:
                out += data
            elif mode == CODED:
                stream = rans(data, [table], [0] * len(data), lanes_for(len(data)))
                out += leb128(len(stream)) + stream
        return out
