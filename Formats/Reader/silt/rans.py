"""Section 6: the rANS decoder.

`decode` takes many streams at once. Streams of one lane go through a plain loop. Those of 32 lanes run in
lock step: numpy holds the states of all lanes of all streams, and each step decodes one symbol for every
lane. A stream that has ended goes on with the identity table, which leaves a lane's state as it is and reads
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import SiltError, require

SCALE = 4_096
LOW = 65_536
WIDE_LANES = 32
WIDE_FROM = 8_192
IDENTITY = 0
BATCH_STREAMS = 32


class TableSet:
    """Tables packed for decoding: entry 4096 * table + m is symbol << 24 | (f - 1) << 12 | (m - c).

    Table 0 is the identity (f(0) = 4096, class 0 of section 7.2); the tables given follow from 1 on.
    """

    def __init__(self, frequencies: list[np.ndarray]) -> None:
        identity = np.array([SCALE], np.int64)
        self.packed = np.concatenate([self._pack(table) for table in (identity, *frequencies)])
        self.listed: list[int] = self.packed.tolist()

    @staticmethod
    def _pack(table: np.ndarray) -> np.ndarray:
        starts = np.cumsum(table) - table
        symbols = np.repeat(np.arange(len(table)), table)
        within = np.arange(SCALE) - starts[symbols]
        return symbols << 24 | (table[symbols] - 1) << 12 | within


@dataclass(frozen=True)
class Stream:
    """One stream: its bytes, the table of each of its symbols, its lanes, and a name for messages."""

    data: memoryview
    contexts: np.ndarray
    lanes: int
    where: str


def lanes_for(count: int) -> int:
    """L for a stream of `count` symbols."""
    return WIDE_LANES if count >= WIDE_FROM else 1


def decode(streams: list[Stream], tables: TableSet) -> list[np.ndarray]:
    """The symbols of each stream, as u8."""
    results: list[np.ndarray] = [np.empty(0, np.uint8)] * len(streams)
    wide = [index for index, stream in enumerate(streams) if stream.lanes == WIDE_LANES]
    for index, stream in enumerate(streams):
        if stream.lanes == 1:
            results[index] = _decode_narrow(stream, tables)
    for start in range(0, len(wide), BATCH_STREAMS):
        batch = wide[start : start + BATCH_STREAMS]
        for index, symbols in zip(batch, _decode_wide([streams[i] for i in batch], tables), strict=True):
            results[index] = symbols
    return results


def _open(stream: Stream) -> tuple[np.ndarray, np.ndarray]:
    """The initial states and the words of a stream."""
    head = 4 * stream.lanes
    whole = len(stream.data) >= head and len(stream.data) % 2 == 0
    require(whole, "chunk", f"{stream.where}: a rANS stream of {len(stream.data)} bytes")
    states = np.frombuffer(stream.data[:head], "<u4").astype(np.int64)
    require(bool((states >= LOW).all()), "chunk", f"{stream.where}: a lane begins below {LOW}")
    return states, np.frombuffer(stream.data[head:], "<u2")


def _finish(stream: Stream, states: np.ndarray, left: int) -> None:
    require(left >= 0, "chunk", f"{stream.where}: the rANS words run out")
    require(left == 0, "chunk", f"{stream.where}: {left} rANS words are left over")
    require(bool((states == LOW).all()), "chunk", f"{stream.where}: the final rANS state is wrong")


def _decode_narrow(stream: Stream, tables: TableSet) -> np.ndarray:
    states, word_array = _open(stream)
    words, packed = word_array.tolist(), tables.listed
    x, position = int(states[0]), 0
    symbols = bytearray(len(stream.contexts))
    for index, context in enumerate(stream.contexts.tolist()):
        if context == IDENTITY:
            continue
        entry = packed[context << 12 | x & 4_095]
        symbols[index] = entry >> 24
        x = ((entry >> 12 & 4_095) + 1) * (x >> 12) + (entry & 4_095)
        if x < LOW:
            if position == len(words):
                raise SiltError("chunk", f"{stream.where}: the rANS words run out")
            x = x << 16 | words[position]
            position += 1
    _finish(stream, np.array([x]), len(words) - position)
    return np.frombuffer(bytes(symbols), np.uint8)


def _decode_wide(streams: list[Stream], tables: TableSet) -> list[np.ndarray]:
    opened = [_open(stream) for stream in streams]
    x = np.stack([states for states, _ in opened])
    ends = np.cumsum([len(words) for _, words in opened])
    next_word = (ends - [len(words) for _, words in opened])[:, None]
    words = np.concatenate([words for _, words in opened] + [np.zeros(1, np.uint16)]).astype(np.int64)

    counts = [len(stream.contexts) for stream in streams]
    steps = -(-max(counts) // WIDE_LANES)
    padded = np.full((len(streams), steps * WIDE_LANES), IDENTITY, np.uint8)
    for row, stream in zip(padded, streams, strict=True):
        row[: len(stream.contexts)] = stream.contexts
    contexts = padded.reshape(len(streams), steps, WIDE_LANES).swapaxes(0, 1).copy()
    symbols = np.empty((steps, len(streams), WIDE_LANES), np.uint8)
    beyond = len(words) - 1
    for step in range(steps):
        entry = tables.packed[np.multiply(contexts[step], SCALE, dtype=np.int64) + (x & 4_095)]
        np.right_shift(entry, 24, out=symbols[step], casting="unsafe")
        x = ((entry >> 12 & 4_095) + 1) * (x >> 12) + (entry & 4_095)
        low = x < LOW
        taken = np.cumsum(low, axis=1)
        at = np.minimum(next_word + taken - 1, beyond)
        x = np.where(low, x << 16 | words[at], x)
        next_word = next_word + taken[:, -1:]
    left = ends - next_word[:, 0]
    for stream, states, words_left in zip(streams, x, left.tolist(), strict=True):
        _finish(stream, states, words_left)
    rows = symbols.swapaxes(0, 1).reshape(len(streams), -1)
    return [row[:count] for row, count in zip(rows, counts, strict=True)]
