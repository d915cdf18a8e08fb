"""Invalid vectors: the chunks of matrices and masks, and their tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import zstandard

from faults import INVALID, SMALL, Case
from silt.bits import read_leb128
from silt_adaptive import adaptive
from silt_coders import BitWriter, PlaneCoder, leb128, put_table, rans
from silt_seal import Draft, seal
from silt_specs import MaskSpec, MatrixSpec, SparseSpec
from valid_matrices import codes, deltas, signs
from vectors import Context, lossy_draft, near, predicted

SHAPE = (20, 16)
COUNT = 320
RNG = np.random.default_rng(5)
KEEP = RNG.random(SHAPE) < 0.2
KEPT, NONE = int(KEEP.sum()), KEEP & False
INT4 = MatrixSpec("int4", "none", codes(RNG, 7, SHAPE), step=0.01)
INT8 = replace(INT4, type="int8")
FLOATS = MatrixSpec("bf16", "none", deltas(RNG, "bf16", SHAPE))
ROWS = replace(INT8, step=None, scales=np.array([0x3B00, 0x3B80]))
FLAT = [16] * 256
Change = Callable[[bytes], bytes]


def _mask(by: str, codec: str, keep: np.ndarray = KEEP, over: str = "elements", width: int = 8) -> MatrixSpec:
    return replace(INT4, masks=(MaskSpec(over, by, codec, keep, width),))


GAPS = np.diff(np.flatnonzero(KEEP), prepend=-1) - 1


def _matrix(draft: Draft) -> dict:
    return draft.manifest["files"][0]["tensors"]["a"]["parts"][0]["components"][0]["matrix"]


def _case(
    error: str, about: str, matrix: MatrixSpec, change: Change, tables: bool = False
) -> Callable[[Context], Case]:
    """A file of one sparse matrix whose (last) chunk, or else chunk of tables (the first), is changed."""

    def case(context: Context) -> Case:
        base = context.base(SMALL)["a"]
        draft = lossy_draft(context, SMALL, [predicted(base, [near(SparseSpec(matrix))])])
        index = 0 if tables else _matrix(draft)["chunk"]
        if matrix.masks and matrix.masks[0].over == "columns" and not tables:
            index = _matrix(draft)["masks"][0]["chunk"]
        changed = change(draft.chunks[index])
        if changed == draft.chunks[index]:
            raise AssertionError(f"chunk {index} is as it was")
        draft.chunks[index] = changed
        return Case(error, about, seal(draft))

    return case


def _split(chunk: bytes) -> tuple[bytes, bytes]:
    """What a LEB128 length precedes, and the rest."""
    size, position = read_leb128(memoryview(chunk), 0, "")
    return chunk[position : position + size], chunk[position + size :]


def _first(change: Change) -> Change:
    """Change the mask, or the scales, at the begin of a chunk."""

    def on_chunk(chunk: bytes) -> bytes:
        first, rest = _split(chunk)
        changed = change(first)
        return leb128(len(changed)) + changed + rest

    return on_chunk


def _to(data: bytes) -> Change:
    return lambda _: data


def _add(data: bytes) -> Change:
    return lambda chunk: chunk + data


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def _cut(chunk: bytes) -> bytes:
    return chunk[:-1]


def _plane(symbols: list[int], number: bool = False) -> bytes:
    """A plane coded under FLAT, with its number of bytes before it if that is wanted."""
    stream = rans(symbols, [FLAT], [0] * len(symbols), 1)
    return leb128(len(symbols)) * number + leb128(len(stream)) + stream


def _coded(error: str, about: str, matrix: MatrixSpec, change: Change) -> Callable[[Context], Case]:
    """As `_case`, under a table whose symbols are all alike (FLAT)."""

    def case(context: Context) -> Case:
        bits = BitWriter()
        put_table(bits, FLAT)
        base = context.base(SMALL)["a"]
        draft = lossy_draft(context, SMALL, [predicted(base, [near(SparseSpec(matrix))])])
        draft.chunks[0] = bytes([2, 1, 2]) + bits.finish()
        index = _matrix(draft)["chunk"]
        draft.chunks[index] = change(draft.chunks[index])
        return Case(error, about, seal(draft))

    return case


def _scales(*patterns: int) -> Change:
    full = np.resize(patterns, 20)
    return _first(_to(adaptive(np.diff(full, prepend=0).tolist(), True)))


def _gaps(gaps: np.ndarray | list[int]) -> bytes:
    return leb128(len(gaps)) + b"".join(leb128(int(gap)) for gap in gaps)


PLAIN, RANS, ADAPTIVE = _mask("gaps", "none"), _mask("gaps", "rans"), _mask("gaps", "adaptive")
BITS = _mask("bits", "none")
COLUMNS = np.arange(16) % 2 == 0
FOLDED = np.where(INT4.data < 0, -2 * INT4.data - 1, 2 * INT4.data).reshape(-1)
NARROW = _mask("bits", "rans", width=3)
SYMBOLS = [0] * (20 * 6)
LATE = np.append(GAPS[:-1], 320)

FAULTS = {
    "chunk-code-int4": _case("chunk", "A code of int4 is -8.", INT4, lambda chunk: b"\xff" + chunk[1:]),
    "chunk-code-int8": _case("chunk", "A code of int8 is -128.", INT8, lambda chunk: b"\xff" + chunk[1:]),
    "chunk-code-int2": _case("chunk", "A code of int2 is -2.",
                             replace(INT4, type="int2", data=np.sign(INT4.data)),
                             lambda chunk: b"\xff" + chunk[1:]),
    "chunk-code-rans": _coded("chunk", "A code of int4 under rANS is 8.", replace(INT4, codec="rans"),
                              _to(_plane([16, *FOLDED[1:].tolist()]))),
    "chunk-code-sign": _coded("chunk", "A sign is 2.", replace(INT4, type="sign", codec="rans",
                                                             data=np.where(INT4.data < 0, -1, 1)),
                              _to(_plane([2] + [0] * 319))),
    "chunk-code-adaptive": _case("chunk", "A code of int4 in an adaptive stream is 8.",
                                 replace(INT4, codec="adaptive"),
                                 _to(adaptive([8, *INT4.data.reshape(-1)[1:].tolist()], True))),
    "chunk-values-short": _case("chunk", "A byte of the values is missing.", INT4, _cut),
    "chunk-values-left": _case("chunk", "A byte follows the values.", INT4, _add(b"\0")),
    "chunk-floats-short": _case("chunk", "A byte of plain floats is missing.", FLOATS, _cut),
    "chunk-floats-zstd": _case("chunk", "Floats under zstd decode to two bytes more.",
                               replace(FLOATS, codec="zstd"), _to(_zstd(bytes(642)))),
    "chunk-values-pad-bits": _case("chunk", "Unused bits after the values are set.",
                                   replace(INT4, type="sign", data=signs(RNG, SHAPE),
                                           masks=(MaskSpec("elements", "gaps", "none", np.arange(320).reshape(
                                               SHAPE) < 9),)),
                                   lambda chunk: chunk[:-1] + bytes([chunk[-1] | 128])),
    "chunk-values-of-none": _case("chunk", "Bytes for values, but none stays.",
                                  replace(_mask("gaps", "none", NONE), fill=True), _add(b"\1")),
    "chunk-adaptive-zero": _case("chunk", "An adaptive stream ends with a byte 0.",
                                 replace(INT4, codec="adaptive"), _add(b"\0")),
    "chunk-adaptive-unread": _case("chunk", "An adaptive stream has bytes that are not read.",
                                   replace(INT4, codec="adaptive"), _add(bytes(8) + b"\1")),
    "chunk-scales-length": _case("chunk", "The scales are longer than the chunk.", ROWS,
                                 lambda chunk: leb128(5_000) + chunk[1:]),
    "chunk-scales-missing": _case("chunk", "The chunk ends before the length of its scales.",
                                  replace(ROWS, masks=PLAIN.masks),
                                  lambda chunk: leb128(len(_split(chunk)[0])) + _split(chunk)[0]),
    "chunk-scale-negative": _case("chunk", "A scale is -1.", ROWS, _scales(0x3B00, 0xBF80)),
    "chunk-scale-minus-zero": _case("chunk", "A scale is -0.0.", ROWS, _scales(0x3B00, 0x8000)),
    "chunk-scale-below-zero": _case("chunk", "The pattern of a scale is -1.", ROWS, _scales(-1, 0x3B00)),
    "chunk-scale-infinity": _case("chunk", "A scale is infinite.", ROWS, _scales(0x3B00, 0x7F80)),
    "chunk-scale-nan": _case("chunk", "A scale is a NaN.", ROWS, _scales(0x3B00, 0x7FC0)),
    "chunk-scales-unread": _case("chunk", "The stream of scales has bytes that are not read.", ROWS,
                                 _first(_add(bytes(8) + b"\1"))),
    "chunk-mask-length": _case("chunk", "A mask is longer than the chunk.", PLAIN,
                               lambda chunk: leb128(5_000) + chunk[2:]),
    "chunk-mask-short": _case("chunk", "A mask by bits is a byte short.", BITS, _first(_cut)),
    "chunk-mask-long": _case("chunk", "A mask by bits has a byte too many.", BITS, _first(_add(b"\0"))),
    "chunk-mask-pad-bits": _case("chunk", "Unused bits of a mask over rows are set.",
                                 _mask("bits", "none", np.arange(20) < 5, "rows"),
                                 _first(lambda mask: mask[:-1] + bytes([mask[-1] | 128]))),
    "chunk-mask-row-end": _coded("chunk", "A symbol has a bit past the end of a row.", NARROW,
                                 _first(_to(_plane([0] * 5 + [2] + [0] * 114)))),
    "chunk-mask-symbol": _coded("chunk", "A symbol of three positions is 8.", NARROW,
                                _first(_to(_plane([8, *SYMBOLS[1:]])))),
    "chunk-mask-plane-left": _coded("chunk", "A byte follows the symbols of a mask.", NARROW,
                                    _first(_to(_plane([7, *SYMBOLS[1:]]) + b"\0"))),
    "chunk-gap-past-end": _case("chunk", "A gap leads past the end.", PLAIN, _first(_to(_gaps(LATE)))),
    "chunk-gap-past-end-rans": _coded("chunk", "A gap in bytes leads past the end.", RANS, _first(
        _to(_plane([255, 65], True)))),
    "chunk-gap-past-end-adaptive": _case("chunk", "A gap in an adaptive stream leads past the end.", ADAPTIVE,
                                         _first(_to(leb128(KEPT) + adaptive(LATE.tolist(), False)))),
    "chunk-gaps-many": _case("chunk", "321 gaps for 320 positions.", PLAIN, _first(_to(_gaps([0] * 321)))),
    "chunk-gaps-many-adaptive": _case("chunk", "2^32 - 1 gaps in an adaptive stream.", ADAPTIVE,
                                      _first(_to(leb128(2**32 - 1)))),
    "chunk-gaps-many-rans": _coded("chunk", "322 bytes of gaps for 320 positions.", RANS,
                                   _first(_to(_plane([0] * 322, True)))),
    "chunk-gap-open": _coded("chunk", "The last gap ends with a byte 255.", RANS,
                             _first(_to(_plane([3, 255], True)))),
    "chunk-gaps-left": _case("chunk", "A byte follows the gaps.", PLAIN, _first(_add(b"\0"))),
    "chunk-gaps-left-rans": _case("chunk", "A byte follows the number of no gaps.",
                                  replace(_mask("gaps", "rans", NONE), fill=True), _first(_add(b"\0"))),
    "chunk-gaps-short": _case("chunk", "The gaps end before their number.", PLAIN, _first(_cut)),
    "chunk-gaps-leb128": _case("chunk", "A gap has a superfluous zero group.", PLAIN,
                               _first(lambda mask: mask[:-1] + bytes([mask[-1] | 128, 0]))),
    "chunk-columns-empty": _case("chunk", "The chunk of a mask over columns is empty.",
                                 _mask("bits", "none", COLUMNS, "columns"), _to(b"")),
    "chunk-columns-left": _case("chunk", "A byte follows a mask over columns.",
                                _mask("gaps", "none", COLUMNS, "columns"), _add(b"\0")),
    "tables-matrix-width": _case("tables", "Values of bf16 have tables of one plane.",
                                 replace(FLOATS, codec="rans"),
                                 _to(PlaneCoder([2], [FLAT]).stored()), True),
    "tables-mask-width": _case("tables", "A mask has tables of two planes.", RANS,
                               _to(PlaneCoder([1, 1], [FLAT, FLAT]).stored()), True),
    "tables-matrix-type": _case("tables", "Values have tables of a residual.", replace(INT4, codec="rans"),
                                lambda chunk: b"\1" + chunk[1:], True),
    "tables-matrix-empty": _case("tables", "A matrix whose chunk is empty has a damaged table.",
                                 replace(INT4, codec="rans", masks=(MaskSpec("elements", "gaps", "none",
                                                                             NONE),)),
                                 lambda chunk: chunk + b"\1", True),
}  # fmt: skip

INVALID.update(FAULTS)
