"""A plain writer of Silt files, for test vectors: what each tensor becomes is said part by part.

A `Builder` collects files and turns them into a `Draft` (manifest and chunks, both open to changes); `seal`
makes the bytes of the file and computes all its checksums.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lz4.block
import numpy as np
import xxhash
import zstandard

from silt.convert import convert
from silt.digests import FILE_PIECE, cell_elements, root, tensor_digest, tree_digest
from silt.tensors import element_bytes, element_count
from silt_coders import PlaneCoder, ResidualCoder, plan_residual

ORIGINS = {
    "F32": 60,
    "BF16": 60,
    "F16": -40,
    "F8_E4M3": -40,
    "F8_E4M3FNUZ": -40,
    "F8_E5M2": -40,
    "F8_E5M2FNUZ": -40,
}
CHECK = '"check":"0000000000000000"'


@dataclass(frozen=True)
class TensorData:
    """A tensor of a checkpoint."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @property
    def digest(self) -> str:
        return tensor_digest(self.data, self.dtype, self.shape)

    @property
    def patterns(self) -> np.ndarray:
        return np.frombuffer(self.data, f"<u{element_bytes(self.dtype)}")


@dataclass(frozen=True)
class PartSpec:
    """How to write a part. Parts of one `group` share a chunk of tables; None is a chunk of their own."""

    kind: str
    codec: str | None = None
    elements: int | None = None
    unit: int = 64
    group: str | None = None


@dataclass(frozen=True)
class TensorSpec:
    """How to write a tensor."""

    result: TensorData
    parts: list[PartSpec]
    base: TensorData | None = None


@dataclass
class Draft:
    """A Silt file before it is sealed."""

    manifest: dict[str, Any]
    chunks: list[bytes]

    def copy(self) -> Draft:
        return copy.deepcopy(self)


@dataclass
class _Pending:
    """A coded part whose chunks are still to be made."""

    fields: dict[str, Any]
    spec: PartSpec
    dtype: str
    plans: list[Any]


def records(tensors: list[TensorData]) -> list[tuple[str, str, tuple[int, ...], str]]:
    """What the root of these tensors is made of."""
    return [(tensor.name, tensor.dtype, tensor.shape, tensor.digest) for tensor in tensors]


def safetensors_file(
    tensors: list[TensorData], metadata: dict[str, str] | None = None, padding: int = 0
) -> tuple[str, bytes]:
    """The header text and the bytes of a safetensors file, its tensors in the order given."""
    entries: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    end = 0
    for tensor in tensors:
        begin, end = end, end + len(tensor.data)
        shape = list(tensor.shape)
        entries[tensor.name] = {"dtype": tensor.dtype, "shape": shape, "data_offsets": [begin, end]}
    header = json.dumps(entries, ensure_ascii=False, separators=(",", ":")) + " " * padding
    raw = header.encode()
    return header, len(raw).to_bytes(8, "little") + raw + b"".join(tensor.data for tensor in tensors)


@dataclass
class Builder:
    """Collects the files of a result; `base` are the tensors of its base."""

    base: list[TensorData]
    form: str = "file"
    files: list[dict[str, Any]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    tensors: list[TensorData] = field(default_factory=list)
    pending: list[_Pending] = field(default_factory=list)

    def add_safetensors(self, path: str, header: str, specs: list[TensorSpec]) -> None:
        raw = header.encode()
        data = len(raw).to_bytes(8, "little") + raw + b"".join(spec.result.data for spec in specs)
        tensors = {spec.result.name: self._tensor(spec) for spec in specs}
        self._file(path, "safetensors", data, {"header": header, "tensors": tensors})
        self.tensors += [spec.result for spec in specs]

    def add_stored(self, path: str, data: bytes, codec: str) -> None:
        fields: dict[str, Any] = {"digest": tree_digest(data, FILE_PIECE), "codec": codec}
        if data:
            fields["chunk"] = len(self.chunks)
        for start in range(0, len(data), FILE_PIECE):
            self.chunks.append(compress(data[start : start + FILE_PIECE], codec))
        self._file(path, "stored", data, fields)

    def add_base(self, path: str, data: bytes, source: str) -> None:
        self._file(path, "base", data, {"digest": tree_digest(data, FILE_PIECE), "from": source})

    def build(self) -> Draft:
        """Code all parts, group by group, and write the manifest."""
        groups: dict[str, list[_Pending]] = {}
        for number, pending in enumerate(self.pending):
            groups.setdefault(pending.spec.group or f"own {number}", []).append(pending)
        for group in groups.values():
            self._code(group)
        sizes = [element_count(tensor.dtype, tensor.shape) for tensor in self.tensors]
        base_sizes = [element_count(tensor.dtype, tensor.shape) for tensor in self.base]
        manifest = {
            "silt": 1,
            "contract": "exact",
            "requires": [],
            "writer": "silt_writer.py 1",
            "form": self.form,
            "base": {
                "root": root(records(self.base)),
                "tensors": len(self.base),
                "parameters": sum(base_sizes),
            },
            "result": {
                "root": root(records(self.tensors)),
                "tensors": len(self.tensors),
                "parameters": sum(sizes),
                "bytes": sum(file["bytes"] for file in self.files),
            },
            "files": self.files,
        }
        return Draft(manifest, self.chunks)

    def _file(self, path: str, kind: str, data: bytes, fields: dict[str, Any]) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        self.files.append({"path": path, "kind": kind, "bytes": len(data), "sha256": sha256, **fields})

    def _tensor(self, spec: TensorSpec) -> dict[str, Any]:
        result, base = spec.result, spec.base
        entry: dict[str, Any] = {"digest": result.digest}
        patterns = np.empty(0, np.uint8)
        if base is not None:
            named = {"name": base.name, "dtype": base.dtype, "shape": list(base.shape), "digest": base.digest}
            own = {
                "name": result.name,
                "dtype": result.dtype,
                "shape": list(result.shape),
                "digest": result.digest,
            }
            entry["base"] = {key: value for key, value in named.items() if value != own[key]}
            patterns = convert(base.patterns, base.dtype, result.dtype)
        start, total, entry["parts"] = 0, element_count(result.dtype, result.shape), []
        for part in spec.parts:
            end = total if part.elements is None else start + part.elements
            entry["parts"].append(self._part(result, patterns, part, start, end))
            start = end
        return entry

    def _part(
        self, result: TensorData, base: np.ndarray, part: PartSpec, start: int, end: int
    ) -> dict[str, Any]:
        fields: dict[str, Any] = {"kind": part.kind}
        if part.elements is not None:
            fields["elements"] = part.elements
        if part.kind == "copy":
            return fields
        fields["codec"] = part.codec
        if part.kind == "exact":
            fields["unit"] = part.unit
        grid = cell_elements(result.dtype, result.shape)
        cuts = [start, *range((start // grid + 1) * grid, end, grid), end]
        plans: list[Any] = []
        for first, last in zip(cuts, cuts[1:], strict=False):
            new, old = result.patterns[first:last], base[first:last]
            if part.kind == "exact":
                plans.append(plan_residual(new, old, part.unit, ORIGINS[result.dtype], result.dtype))
            else:
                data = new ^ old if part.kind == "xor" else new
                rows = data[:, None].view(np.uint8) if data.any() else None
                plans.append(rows)
        self.pending.append(_Pending(fields, part, result.dtype, plans))
        return fields

    def _code(self, group: list[_Pending]) -> None:
        """Write the chunks of parts that share tables, the chunk of tables first."""
        first = group[0]
        width = element_bytes(first.dtype)
        plans = [plan for pending in group for plan in pending.plans if plan is not None]
        coder: ResidualCoder | PlaneCoder | None = None
        if first.spec.codec == "rans":
            exact = first.spec.kind == "exact"
            origin = ORIGINS.get(first.dtype, 0)
            coder = ResidualCoder.fit(plans, 8 * width, origin) if exact else PlaneCoder.fit(plans, width)
            self.chunks.append(coder.stored())
        tables = len(self.chunks) - 1
        for pending in group:
            if coder is not None:
                pending.fields["tables"] = tables
            pending.fields["chunk"] = len(self.chunks)
            for plan in pending.plans:
                if plan is None:
                    self.chunks.append(b"")
                elif coder is not None:
                    self.chunks.append(coder.chunk(plan))
                else:
                    codec = pending.spec.codec
                    planes = plan if codec == "none" else plan.T
                    self.chunks.append(compress(planes.tobytes(), codec))


def compress(data: bytes, codec: str | None) -> bytes:
    """Section 8.1 for bytes in the order in which they are stored."""
    if codec == "zstd":
        return zstandard.ZstdCompressor(level=19, write_content_size=True).compress(data)
    return lz4.block.compress(data, store_size=False) if codec == "lz4" else data


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
            "contract": "exact",
            "base": draft.manifest["base"]["root"],
            "result": draft.manifest["result"]["root"],
            "manifest": xxhash.xxh3_128_hexdigest(manifest),
            "chunks": xxhash.xxh3_128_hexdigest(table),
            "check": "0" * 16,
            "about": "A test vector of the Silt format.",
        }
    }
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
