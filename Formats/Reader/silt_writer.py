"""A plain writer of Silt files, for test vectors: what each tensor becomes is said part by part.

A `Builder` collects files and turns them into a `Draft`, which silt_seal.py makes the bytes of a file.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import lz4.block
import numpy as np
import zstandard

from silt.digests import FILE_PIECE, cell_elements, root, tree_digest
from silt.manifest import EXACT_DTYPES
from silt.tensors import element_bytes
from silt_coders import PlaneCoder, ResidualCoder, plan_residual
from silt_matrices import ChunkStore, encode_component
from silt_seal import Draft
from silt_sources import Run, SourceSpec, TensorData, gather, source_fields
from silt_specs import ComponentSpec, prediction

ORIGINS = dict.fromkeys(EXACT_DTYPES, -40) | {"F32": 60, "BF16": 60}


@dataclass(frozen=True)
class PartSpec:
    """How to write a part. Parts of one `group` share a chunk of tables, and need the same `origin`."""

    kind: str
    codec: str | None = None
    elements: int | None = None
    unit: int = 64
    group: str | None = None
    origin: int | None = None
    components: tuple[ComponentSpec, ...] = ()


@dataclass(frozen=True)
class TensorSpec:
    """How to write a tensor; `known` says whether its digest is given. `base` stands for one source of the base."""

    result: TensorData
    parts: list[PartSpec]
    base: TensorData | None = None
    known: bool = True
    receipt: dict[str, float] | None = None
    sources: tuple[SourceSpec, ...] = ()
    runs: tuple[Run, ...] | None = None


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
    contract: str = "exact"
    extra: dict[str, Any] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    tensors: list[TensorData] = field(default_factory=list)
    pending: list[_Pending] = field(default_factory=list)
    known: bool = True

    def __post_init__(self) -> None:
        self.store = ChunkStore(self.chunks)

    def add_safetensors(self, path: str, header: str, specs: list[TensorSpec]) -> None:
        raw = header.encode()
        data = len(raw).to_bytes(8, "little") + raw + b"".join(spec.result.data for spec in specs)
        tensors = {spec.result.name: self._tensor(spec) for spec in specs}
        self._file(path, "safetensors", data, {"header": header, "tensors": tensors})
        self.tensors += [spec.result for spec in specs]
        self.known = self.known and all(spec.known for spec in specs)

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
        sizes = [tensor.count for tensor in self.tensors]
        base_sizes = [tensor.count for tensor in self.base]
        manifest = {
            "silt": 1,
            "contract": self.contract,
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
            **self.extra,
        }
        if not self.known:
            del manifest["result"]["root"]
        return Draft(manifest, self.chunks, self.contract)

    def _file(self, path: str, kind: str, data: bytes, fields: dict[str, Any]) -> None:
        entry: dict[str, Any] = {"path": path, "kind": kind, "bytes": len(data)}
        if self.contract == "exact" or kind != "safetensors":
            entry["sha256"] = hashlib.sha256(data).hexdigest()
        self.files.append(entry | fields)

    def _tensor(self, spec: TensorSpec) -> dict[str, Any]:
        result = spec.result
        entry: dict[str, Any] = {"digest": result.digest} if spec.known else {}
        if spec.receipt is not None:
            entry["receipt"] = spec.receipt
        patterns = np.empty(0, np.uint8)
        sources = spec.sources if spec.base is None else (SourceSpec(spec.base),)
        if sources:
            entry["sources"] = [source_fields(source, result, spec.known) for source in sources]
            patterns = gather([source.tensor for source in sources], spec.runs, result)
        if spec.runs is not None:
            entry["runs"] = [list(run) for run in spec.runs]
        start, total, entry["parts"] = 0, result.count, []
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
        if part.components:
            base = base.copy()
            base[start:end] = prediction(base[start:end], result.dtype, part.components, result.name)
            coded = [encode_component(spec, result.name, self.store) for spec in part.components]
            fields["components"] = coded
        if part.kind == "copy":
            return fields
        fields["codec"] = part.codec
        if part.kind == "exact":
            fields["unit"] = part.unit
        grid = cell_elements(result.dtype, result.shape)
        cuts = [start, *range((start // grid + 1) * grid, end, grid), end]
        plans: list[Any] = []
        for first, last in itertools.pairwise(cuts):
            new, old = result.patterns[first:last], base[first:last]
            if part.kind == "exact":
                plans.append(plan_residual(new, old, part.unit, origin_of(part, result.dtype), result.dtype))
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
            if exact:
                coder = ResidualCoder.fit(plans, 8 * width, origin_of(first.spec, first.dtype))
            else:
                coder = PlaneCoder.fit(plans, width)
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


def origin_of(part: PartSpec, dtype: str) -> int:
    """The origin of a part's unit codes (section 7.3)."""
    return ORIGINS[dtype] if part.origin is None else part.origin


def compress(data: bytes, codec: str | None) -> bytes:
    """Section 8.1 for bytes in the order in which they are stored."""
    if codec == "zstd":
        return zstandard.ZstdCompressor(level=19, write_content_size=True).compress(data)
    return lz4.block.compress(data, store_size=False) if codec == "lz4" else data
