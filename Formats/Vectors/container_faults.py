"""Invalid vectors: the file, its header, and its checksums."""

from __future__ import annotations

from collections.abc import Callable

import xxhash

from faults import Case, fault, sample
from silt_seal import CHECK, Draft, chunk_table, seal
from vectors import Context


def _cut(context: Context, about: str, keep: int) -> Case:
    return Case("truncated", about, seal(sample(context))[:keep])


@fault
def truncated_length(context: Context) -> Case:
    return _cut(context, "The file has 7 bytes.", 7)


@fault
def truncated_empty(_: Context) -> Case:
    return Case("truncated", "The file is empty.", b"")


@fault
def truncated_header(context: Context) -> Case:
    return _cut(context, "The file ends within its header.", 300)


@fault
def truncated_payload(context: Context) -> Case:
    length = int.from_bytes(seal(sample(context))[:8], "little")
    return _cut(context, "The file ends within its payload.", 8 + length + 100)


@fault
def truncated_last_byte(context: Context) -> Case:
    return _cut(context, "The last byte of the file is missing.", -1)


@fault
def header_trailing_byte(context: Context) -> Case:
    return Case("header", "A byte follows the last entry.", seal(sample(context)) + b"\0")


@fault
def header_cap(context: Context) -> Case:
    length = (100_000_001).to_bytes(8, "little")
    return Case("header", "The header's length is 100,000,001.", length + seal(sample(context))[8:])


@fault
def header_not_an_object(context: Context) -> Case:
    return _text(context, "A space stands before the header's brace.", lambda text: " " + text)


@fault
def header_duplicate_entry(context: Context) -> Case:
    entry = '"silt.chunks":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    return _text(context, "An entry appears twice.", lambda text: text.rstrip()[:-1] + f",{entry}}}")


@fault
def header_duplicate_metadata(context: Context) -> Case:
    twice = '"format":"silt","format":"silt"'
    return _text(
        context, "A metadata key appears twice.", lambda text: text.replace('"format":"silt"', twice)
    )


@fault
def header_not_utf8(context: Context) -> Case:
    data = seal(sample(context)).replace(b"A test vector", b"A test ve\xfftor")
    return Case("header", "The header is not UTF-8.", data)


@fault
def header_nesting(context: Context) -> Case:
    deep = '"dtype":"U8","y":' + "[" * 31 + "]" * 31
    return _text(context, "The header nests 33 deep.", lambda text: text.replace('"dtype":"U8"', deep, 1))


def _text(context: Context, about: str, edit: Callable[[str], str], error: str = "header") -> Case:
    return Case(error, about, seal(sample(context), edit_text=edit))


def _header(context: Context, about: str, edit: Callable[[dict], object], error: str = "header") -> Case:
    return Case(error, about, seal(sample(context), edit_header=edit))


def _shift(header: dict, name: str, begin: int, end: int) -> None:
    """Move the offsets of an entry, and its shape with them."""
    offsets = header[name]["data_offsets"]
    offsets[0] += begin
    offsets[1] += end
    header[name]["shape"] = [offsets[1] - offsets[0]]


@fault
def header_hole(context: Context) -> Case:
    return _header(context, "A hole of 1 byte after the payload.", lambda h: _shift(h, "silt.payload", 0, -1))


@fault
def header_overlap(context: Context) -> Case:
    return _header(
        context, "The payload overlaps the chunk table.", lambda h: _shift(h, "silt.payload", 0, 1)
    )


@fault
def header_shape(context: Context) -> Case:
    def edit(header: dict) -> None:
        header["silt.payload"]["shape"][0] -= 1

    return _header(context, "Shape and offsets of an entry disagree.", edit)


@fault
def header_number(context: Context) -> Case:
    about = "An offset is written as 0.0."
    return _text(context, about, lambda text: text.replace('"data_offsets":[0,', '"data_offsets":[0.0,', 1))


@fault
def header_dtype(context: Context) -> Case:
    return _header(context, "An entry is I8.", lambda header: header["silt.manifest"].update(dtype="I8"))


@fault
def header_unknown_dtype(context: Context) -> Case:
    return _header(
        context, "An entry is of dtype U7.", lambda header: header["silt.chunks"].update(dtype="U7")
    )


@fault
def header_metadata_number(context: Context) -> Case:
    return _header(context, "A metadata value is a number.", lambda h: h["__metadata__"].update(about=1))


@fault
def header_missing_entry(context: Context) -> Case:
    def edit(header: dict) -> None:
        header["x-chunks"] = header.pop("silt.chunks")

    return _header(context, "There is no entry silt.chunks.", edit)


@fault
def header_entry_order(context: Context) -> Case:
    def edit(header: dict) -> None:
        header["x-first"] = header.pop("silt.payload")
        header["silt.payload"] = {"dtype": "U8", "shape": [0], "data_offsets": [len(data), len(data)]}

    data = b"".join(sample(context).chunks)
    return _header(context, "The payload is not the first entry.", edit)


@fault
def not_silt_other_format(context: Context) -> Case:
    return _header(context, "format is pt.", lambda h: h["__metadata__"].update(format="pt"), "not-silt")


@fault
def not_silt_no_metadata(context: Context) -> Case:
    data = (context.root / "bases" / "convert.safetensors").read_bytes().replace(b'"format"', b'"former"')
    return Case("not-silt", "A checkpoint whose metadata have no format.", data)


@fault
def version_metadata(context: Context) -> Case:
    return _header(
        context, "silt_version is 2.", lambda h: h["__metadata__"].update(silt_version="2"), "version"
    )


@fault
def version_manifest(context: Context) -> Case:
    def edit(draft: Draft) -> None:
        draft.manifest["silt"] = 2

    return Case("version", "silt is 2 in the manifest.", seal(sample(context, edit)))


@fault
def extension_entry(context: Context) -> Case:
    data = seal(sample(context), extra={"silt.more": b"more"})
    return Case("extension", "An unknown entry follows the manifest.", data)


@fault
def checksum_check(context: Context) -> Case:
    wrong = CHECK.replace("0000000000000000", "0123456789abcdef")
    return _text(context, "check is wrong.", lambda text: text.replace(CHECK, wrong), "checksum")


@fault
def checksum_padding(context: Context) -> Case:
    data = seal(sample(context), padding=8)
    end = 8 + int.from_bytes(data[:8], "little")
    return Case("checksum", "A space of the padding became a tab.", data[: end - 1] + b"\t" + data[end:])


@fault
def checksum_manifest(context: Context) -> Case:
    other = xxhash.xxh3_128_hexdigest(b"")
    edit = lambda header: header["__metadata__"].update(manifest=other)  # noqa: E731
    return _header(context, "The checksum of the manifest is wrong.", edit, "checksum")


@fault
def checksum_chunks(context: Context) -> Case:
    other = xxhash.xxh3_128_hexdigest(b"")
    edit = lambda header: header["__metadata__"].update(chunks=other)  # noqa: E731
    return _header(context, "The checksum of the chunk table is wrong.", edit, "checksum")


@fault
def checksum_chunk(context: Context) -> Case:
    draft = sample(context)
    table = chunk_table(draft.chunks)
    draft.chunks[1] = draft.chunks[1][:-1] + bytes([draft.chunks[1][-1] ^ 64])
    return Case("checksum", "A byte of a chunk is damaged.", seal(draft, table=table))


@fault
def checksum_tables(context: Context) -> Case:
    draft = sample(context)
    table = bytearray(chunk_table(draft.chunks))
    table[4] ^= 1
    return Case(
        "checksum", "The table of chunks has a wrong checksum for tables.", seal(draft, table=bytes(table))
    )
