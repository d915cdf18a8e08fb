"""Invalid vectors: the chunk table, tables, and what chunks hold."""

from __future__ import annotations

from collections.abc import Callable

import lz4.block
import zstandard

from faults import INVALID, SMALL, Case, Edit, Fault, broken_with, directory_sample, file, part, sample, tensor
from silt.bits import read_leb128
from silt.tables import CODED, PLANES, ZERO
from silt_coders import BitWriter, Table, leb128, put_table, rans
from silt_seal import Draft, chunk_table, seal
from silt_writer import PartSpec, TensorData, TensorSpec
from vectors import Context, file_draft

A_TABLES, A, B, C_TABLES, C, D = range(6)
Change = Callable[[bytes], bytes]
FLAT = [16] * 256


def _chunk(index: int, change: Change) -> Edit:
    def edit(draft: Draft) -> None:
        changed = change(draft.chunks[index])
        if changed == draft.chunks[index]:
            raise AssertionError(f"chunk {index} is as it was")
        draft.chunks[index] = changed

    return edit


def _byte(position: int, value: int) -> Change:
    return lambda chunk: chunk[:position] + bytes([value]) + chunk[position + 1 :]


def _tables(*fields: tuple[int, int]) -> Change:
    """Residual tables: a flat table of unit codes, then for class 1 a table of (value, width) fields."""

    def change(chunk: bytes) -> bytes:
        bits = BitWriter()
        put_table(bits, FLAT)
        for value, width in fields:
            bits.put(value, width)
        return chunk[:4] + (2).to_bytes(4, "little") + bits.finish()

    return change


def _split(chunk: bytes) -> tuple[bytes, bytes, bytes]:
    """Unit codes, symbols and raw bits of a residual chunk."""
    codes, position = read_leb128(memoryview(chunk), 0, "")
    symbols, position = read_leb128(memoryview(chunk), position, "")
    rest = chunk[position:]
    return rest[:codes], rest[codes : codes + symbols], rest[codes + symbols :]


def _join(codes: bytes, symbols: bytes, raw: bytes) -> bytes:
    return leb128(len(codes)) + leb128(len(symbols)) + codes + symbols + raw


def _symbols(change: Change) -> Change:
    def on_chunk(chunk: bytes) -> bytes:
        codes, symbols, raw = _split(chunk)
        return _join(codes, change(symbols), raw)

    return on_chunk


def _codes(change: Change) -> Change:
    def on_chunk(chunk: bytes) -> bytes:
        codes, symbols, raw = _split(chunk)
        return _join(change(codes), symbols, raw)

    return on_chunk


def _raw(change: Change) -> Change:
    def on_chunk(chunk: bytes) -> bytes:
        codes, symbols, raw = _split(chunk)
        return _join(codes, symbols, change(raw))

    return on_chunk


def _coded(name: str, width: int, table: Table, stream: bytes) -> Edit:
    """Give a whole tensor one coded plane: this stream of symbols under this table."""

    def edit(draft: Draft) -> None:
        bits = BitWriter()
        put_table(bits, table)
        modes = [CODED, *[ZERO] * (width - 1)]
        draft.chunks[part(draft, name)["chunk"]] = leb128(len(stream)) + stream
        part(draft, name).update(codec="rans", tables=len(draft.chunks))
        draft.chunks.append(bytes([PLANES, width, *modes]) + bits.finish())

    return edit


def _final_state() -> Edit:
    return _coded("d", 4, FLAT, rans([1] * 10, [FLAT], [0] * 10, 1, [65_537]))


def _wide(change: Change, final: list[int] | None = None) -> Callable[[Context], bytes]:
    """A file with one stream of 32 lanes, changed."""

    def data(context: Context) -> bytes:
        table, symbols = [4_000, 96], [int(index % 50 == 7) for index in range(8_200)]
        stream = change(rans(symbols, [table], [0] * len(symbols), 32, final))
        wide = TensorData("wide", "U8", (8_200,), bytes(symbols))
        draft = file_draft(context, SMALL, [TensorSpec(wide, [PartSpec("whole", "none")])])
        _coded("wide", 1, table, stream)(draft)
        return seal(draft)

    return data


WIDE = {
    "chunk-lanes-final-state": ("The final state of lane 17 is 65,537.",
                                _wide(lambda stream: stream, [65_536] * 17 + [65_537] + [65_536] * 14)),
    "chunk-lanes-low-state": ("Lane 31 begins at 65,535.",
                              _wide(lambda stream: stream[:124] + b"\xff\xff\0\0" + stream[128:])),
    "chunk-lanes-word-left": ("A word is left over after 32 lanes.", _wide(lambda stream: stream + b"\0\0")),
    "chunk-lanes-word-missing": ("The words of 32 lanes run out.", _wide(lambda stream: stream[:-2])),
    "chunk-lanes-few": ("The stream of 8,200 symbols has 31 states.", _wide(lambda stream: stream[:124])),
}  # fmt: skip


def _oversized(index: int, size: int) -> Edit:
    return lambda draft: draft.chunks.__setitem__(index, bytes(size))


def _stored_chunk(path: str, data: bytes) -> Edit:
    return lambda draft: draft.chunks.__setitem__(file(draft, path)["chunk"], data)


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def _to_none(data: bytes) -> Edit:
    def edit(draft: Draft) -> None:
        part(draft, "d")["codec"] = "none"
        draft.chunks[D] = data

    return edit


def _xor_none(draft: Draft) -> None:
    """Three bytes for the xor of one element of 4 bytes."""
    tensor(draft, "d")["parts"].insert(0, {"kind": "whole", "codec": "none", "elements": 1, "chunk": 6})
    draft.chunks.append(b"abc")


CHUNKS = {
    "limit-chunk": ("limit", "A chunk for 40 bytes has 65,617.", _oversized(B, 65_617)),
    "limit-tables": ("limit", "A chunk of tables has 65,537 bytes.", _oversized(A_TABLES, 65_537)),
    "tables-empty": ("tables", "A chunk of tables is empty.", _chunk(A_TABLES, lambda _: b"")),
    "tables-type": ("tables", "The tables are of type 3.", _chunk(A_TABLES, _byte(0, 3))),
    "tables-of-planes": ("tables", "An exact part has tables of planes.", _chunk(A_TABLES, _byte(0, 2))),
    "tables-width": ("tables", "The tables of a BF16 residual say W = 32.", _chunk(A_TABLES, _byte(1, 32))),
    "tables-reserved-bit": ("tables", "Bit 0 of starts is set.",
                            _chunk(A_TABLES, lambda chunk: chunk[:4] + bytes([chunk[4] | 1]) + chunk[5:])),
    "tables-first-class": ("tables", "Bit 1 of starts is clear.",
                           _chunk(A_TABLES, lambda chunk: chunk[:4] + bytes([chunk[4] & 253]) + chunk[5:])),
    "tables-end-early": ("tables", "The bit stream ends within a table.",
                         _chunk(A_TABLES, lambda chunk: chunk[:-2])),
    "tables-byte-left": ("tables", "A byte follows the last table.",
                         _chunk(A_TABLES, lambda chunk: chunk + b"\0")),
    "tables-pad-bits": ("tables", "Unused bits after the last table are set.",
                        _chunk(A_TABLES, lambda chunk: chunk[:-1] + bytes([chunk[-1] | 128]))),
    "tables-alphabet": ("tables", "Symbol 144 in an alphabet of 144.",
                        _chunk(A_TABLES, _tables((144, 8), (0, 4), *[(0, 1)] * 144))),
    "tables-k": ("tables", "k is 13.", _chunk(A_TABLES, _tables((1, 8), (13, 4), (0, 14)))),
    "tables-sum": ("tables", "Two frequencies of 2,048 leave none for the last symbol.",
                   _chunk(A_TABLES, _tables((2, 8), (12, 4), (1, 1), (0, 1), (0, 12), (0, 1), (0, 12)))),
    "tables-negative": ("tables", "A frequency is -1.", _chunk(A_TABLES, _tables((1, 8), (0, 4), (1, 2)))),
    "tables-difference": ("tables", "A folded difference is 8,193.",
                          _chunk(A_TABLES, _tables((1, 8), (0, 4), ((1 << 20) - 1, 20), (8_193, 14)))),
    "tables-needless-escape": ("tables", "A folded difference of 2 is escaped.",
                               _chunk(A_TABLES, _tables((1, 8), (0, 4), ((1 << 20) - 1, 20), (2, 14)))),
    "tables-planes": ("tables", "Tables of 3 planes for elements of 4 bytes.", _chunk(C_TABLES, _byte(1, 3))),
    "tables-mode": ("tables", "The mode of a plane is 3.", _chunk(C_TABLES, _byte(2, 3))),
    "chunk-final-state": ("chunk", "The final state of the lane is 65,537.", _final_state()),
    "chunk-word-left": ("chunk", "A word is left over.",
                        _chunk(A, _symbols(lambda stream: stream + b"\0\0"))),
    "chunk-word-missing": ("chunk", "The words run out.", _chunk(A, _symbols(lambda stream: stream[:-2]))),
    "chunk-odd-stream": ("chunk", "A stream ends within a word.",
                         _chunk(A, _symbols(lambda stream: stream[:-1]))),
    "chunk-low-state": ("chunk", "A lane begins at 65,535.",
                        _chunk(A, _symbols(lambda stream: b"\xff\xff\0\0" + stream[4:]))),
    "chunk-no-state": ("chunk", "The stream of unit codes has 2 bytes.",
                       _chunk(A, _codes(lambda stream: stream[:2]))),
    "chunk-raw-short": ("chunk", "A byte of the raw bits is missing.", _chunk(A, _raw(lambda raw: raw[:-1]))),
    "chunk-raw-long": ("chunk", "A byte follows the raw bits.", _chunk(A, _raw(lambda raw: raw + b"\0"))),
    "chunk-pad-bits": ("chunk", "Unused bits after the raw bits are set.",
                       _chunk(A, _raw(lambda raw: raw[:-1] + bytes([raw[-1] | 128])))),
    "chunk-length": ("chunk", "The stream of symbols is longer than the chunk.",
                     _chunk(A, lambda chunk: chunk[:1] + leb128(4_000) + chunk[3:])),
    "chunk-leb128-groups": ("chunk", "A LEB128 number has a superfluous zero group.",
                            _chunk(A, lambda chunk: bytes([chunk[0] | 128, 0]) + chunk[1:])),
    "chunk-leb128-large": ("chunk", "A LEB128 number is 2^32.",
                           _chunk(A, lambda chunk: b"\x80\x80\x80\x80\x10" + chunk[1:])),
    "chunk-zstd-size": ("chunk", "A zstd chunk decodes to 39 bytes, not 40.",
                        _chunk(B, lambda _: _zstd(bytes(39)))),
    "chunk-zstd-frames": ("chunk", "A second zstd frame follows.",
                          _chunk(B, lambda chunk: chunk + _zstd(b""))),
    "chunk-not-zstd": ("chunk", "A chunk of codec zstd is no zstd frame.", _chunk(B, lambda _: b"planes")),
    "chunk-lz4-size": ("chunk", "An LZ4 chunk decodes to 36 bytes, not 40.",
                       _chunk(D, lambda _: lz4.block.compress(bytes(36), store_size=False))),
    "chunk-lz4-damaged": ("chunk", "An LZ4 block refers to what is before its begin.",
                          _chunk(D, lambda _: b"\x1fa\xff\xff\x10\x50abcde")),
    "chunk-none-short": ("chunk", "A chunk of codec none has 39 bytes, not 40.", _to_none(bytes(39))),
    "chunk-none-of-part": ("chunk", "A chunk for one element of 4 bytes has 3.", _xor_none),
    "chunk-planes-left": ("chunk", "A byte follows the last plane.", _chunk(C, lambda chunk: chunk + b"\0")),
    "chunk-plane-short": ("chunk", "The last plane is a byte short.", _chunk(C, lambda chunk: chunk[:-1])),
}  # fmt: skip

STORED = {
    "chunk-stored-empty": ("chunk", "The chunk of a stored file is empty.",
                           _stored_chunk("docs/notes.txt", b"")),
    "chunk-stored-size": ("chunk", "A stored piece decodes to 1,048,575 bytes.",
                          _stored_chunk("tokenizer/vocab.txt", _zstd(bytes(1_048_575)))),
}  # fmt: skip


def _table_case(about: str, make: Callable[[bytes], bytes]) -> Callable[[Context], Case]:
    """A fault in the chunk table itself."""

    def case(context: Context) -> Case:
        draft = sample(context)
        return Case("coverage", about, seal(draft, table=make(chunk_table(draft.chunks))))

    return case


TABLE = {
    "coverage-sizes": _table_case("The chunks' sizes add up to a byte more than the payload.",
                                  lambda table: bytes([table[0] + 1]) + table[1:]),
    "coverage-table-length": _table_case("The chunk table ends within a record.",
                                         lambda table: table + b"\0" * 4),
}  # fmt: skip


def _wide_case(about: str, make: Callable[[Context], bytes]) -> Fault:
    return lambda context: Case("chunk", about, make(context))


def _register() -> None:
    for name, (error, about, edit) in CHUNKS.items():
        INVALID[name] = broken_with(sample, error, about, edit)
    for name, (error, about, edit) in STORED.items():
        INVALID[name] = broken_with(directory_sample, error, about, edit, "sharded")
    for name, (about, data) in WIDE.items():
        INVALID[name] = _wide_case(about, data)
    INVALID.update(TABLE)


_register()
