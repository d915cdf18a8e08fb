"""The last step of writing a Silt file: chunk table, manifest, header and checksums (sections 3 to 5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import xxhash
import zstandard

CHECK = '"check":"0000000000000000"'


@dataclass
class Draft:
    """A Silt file before it is sealed."""

    manifest: dict[str, Any]
    chunks: list[bytes]
    contract: str = "exact"


def chunk_table(chunks: list[bytes]) -> bytes:
    """Section 5."""
    return b"".join(
        len(chunk).to_bytes(4, "little") + xxhash.xxh3_64_intdigest(chunk).to_bytes(8, "little")
        for chunk in chunks
    )


def manifest_bytes(text: bytes) -> bytes:
    """Section 4: one zstd frame that states its content size."""
    return zstandard.ZstdCompressor(level=19, write_content_size=True).compress(text)


def seal(
    draft: Draft,
    *,
    padding: int | None = None,
    extra: dict[str, bytes] | None = None,
    manifest: bytes | None = None,
    table: bytes | None = None,
    edit_header: Callable[[dict[str, Any]], Any] | None = None,
    edit_text: Callable[[str], str] | None = None,
) -> bytes:
    """The bytes of the file. `padding` spaces end the header (by default, up to a multiple of 8 bytes).

    The other arguments replace or change what a valid file would have, before the `check` is computed.
    """
    if manifest is None:
        manifest = manifest_bytes(
            json.dumps(draft.manifest, ensure_ascii=False, separators=(",", ":")).encode()
        )
    table = chunk_table(draft.chunks) if table is None else table
    entries = {"silt.payload": b"".join(draft.chunks), "silt.chunks": table, "silt.manifest": manifest}
    entries |= extra or {}
    header: dict[str, Any] = {
        "__metadata__": {
            "format": "silt",
            "silt_version": "1",
            "contract": draft.contract,
            "base": draft.manifest["base"]["root"],
            "result": draft.manifest["result"].get("root"),
            "manifest": xxhash.xxh3_128_hexdigest(manifest),
            "chunks": xxhash.xxh3_128_hexdigest(table),
            "check": "0" * 16,
            "about": "A test vector of the Silt format.",
        }
    }
    if header["__metadata__"]["result"] is None:
        del header["__metadata__"]["result"]
    end = 0
    for name, data in entries.items():
        begin, end = end, end + len(data)
        header[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [begin, end]}
    if edit_header is not None:
        edit_header(header)
    text = json.dumps(header, separators=(",", ":"))
    text += " " * (-len(text) % 8 if padding is None else padding)
    if edit_text is not None:
        text = edit_text(text)
    check = xxhash.xxh3_64_hexdigest(text.encode())
    raw = text.replace(CHECK, f'"check":"{check}"', 1).encode()
    return len(raw).to_bytes(8, "little") + raw + b"".join(entries.values())
