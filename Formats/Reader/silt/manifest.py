"""Section 4: the manifest, parsed into plain data. How its numbers add up is checked in coverage.py."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import zstandard

from .container import Container
from .digests import CELL, cell_elements
from .errors import SiltError, given, require
from .fields import Fields
from .jsontext import parse_object
from .notes import AdapterTensor, read_adapter, read_evaluations, read_packing, read_receipt
from .paths import check_tree
from .recipes import Component, read_components
from .sources import CONVERTIBLE, Run, Source, covered, read_runs, read_sources
from .tensors import Header, TensorInfo, element_count, parse_header

MAX_MANIFEST = 268_435_456
EXACT_DTYPES = ("F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
PLANE_CODECS = ("rans", "zstd", "lz4", "none")
CODECS = {"copy": (), "exact": ("rans",), "xor": PLANE_CODECS, "whole": PLANE_CODECS}


@dataclass(frozen=True)
class Part:
    """One part of a tensor: elements `start` to `end`."""

    kind: str
    start: int
    end: int
    codec: str | None
    chunk: int | None
    tables: int | None
    unit: int | None
    components: list[Component]


@dataclass(frozen=True)
class Tensor:
    """A tensor of the result and what makes it up; without a digest, nothing says what it has to be."""

    info: TensorInfo
    digest: str | None
    sources: list[Source]
    runs: list[Run]
    parts: list[Part]


@dataclass(frozen=True)
class File:
    """A file of the result: `header` and `tensors` of a safetensors file, `digest` of the other kinds."""

    path: str
    kind: str
    bytes: int
    sha256: str | None
    header: Header | None
    tensors: list[Tensor]
    digest: str | None
    codec: str | None
    chunk: int | None
    source: str | None


@dataclass(frozen=True)
class Manifest:
    """The whole manifest; of an adapter, the tensors that have bytes of their own."""

    contract: str
    writer: str
    form: str
    base: dict[str, Any]
    result: dict[str, Any]
    files: list[File]
    adapter: list[AdapterTensor]


def _decode(stored: bytes) -> bytes:
    """The JSON text of the manifest: one zstd frame, within its caps (section 4)."""
    try:
        size = zstandard.frame_content_size(stored)
        require(size >= 0, "manifest", "the manifest's zstd frame does not state its size")
        cap = min(MAX_MANIFEST, 1_048_576 + 64 * len(stored))
        require(size <= cap, "limit", f"the manifest decodes to {size} bytes, more than {cap}")
        text = zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise SiltError("manifest", f"the manifest is not one zstd frame ({error})") from None
    require(len(text) == size, "manifest", "the manifest's zstd frame misstates its size")
    return text


def _part(value: Any, where: str, info: TensorInfo, start: int, last: bool) -> Part:
    fields = Fields(value, where, "kind components elements codec chunk tables unit")
    kind = fields.choice("kind", tuple(CODECS))
    codec = fields.choice("codec", CODECS[kind]) if kind != "copy" else None
    coded, exact = kind != "copy", kind == "exact"
    fields.kind_has({"codec": coded, "chunk": coded, "tables": codec == "rans", "unit": exact})
    if last:
        fields.absent("elements", "in the last part")
    total = element_count(info.dtype, info.shape)
    end = total if last else start + fields.integer("elements", 1)
    require(start < end <= total, "coverage", f"{where}: elements {start} to {end} of {total}")
    chunk = fields.integer("chunk") if coded else None
    tables = fields.integer("tables") if codec == "rans" else None
    unit = fields.integer("unit") if exact else None
    components: list[Component] = []
    if fields.has("components"):
        require(kind != "whole", "extension", f"{where}: field 'components' does not belong here")
        columns = _columns(where, info, start, end)
        raw = fields.take("components", list)
        components = read_components(raw, where, info.name, (end - start) // columns, columns)
    return Part(kind, start, end, codec, chunk, tables, unit, components)


def _columns(where: str, info: TensorInfo, start: int, end: int) -> int:
    """K of a part with components, which is a matrix of whole rows (section 12.1)."""
    require(info.dtype in CONVERTIBLE, "manifest", f"{where}: components for a tensor of {info.dtype}")
    columns = math.prod(info.shape[1:]) if len(info.shape) >= 2 else 1
    require(columns <= CELL, "manifest", f"{where}: components for rows of {columns} elements")
    grid = cell_elements(info.dtype, info.shape)
    require(start % grid == 0, "manifest", f"{where}: components, but it begins within a cell")
    require((end - start) % columns == 0, "manifest", f"{where}: components, but it ends within a row")
    return columns


def _parts(fields: Fields, info: TensorInfo) -> list[Part]:
    total = element_count(info.dtype, info.shape)
    where = fields.where
    parts: list[Part] = []
    raw_parts = fields.take("parts", list)
    fits = (total > 0) == (len(raw_parts) > 0)
    require(len(raw_parts) <= 1_024, "limit", f"{where}: {len(raw_parts)} parts")
    require(fits, "coverage", f"{where}: {len(raw_parts)} parts for {total} elements")
    for index, raw in enumerate(raw_parts):
        start = parts[-1].end if parts else 0
        parts.append(_part(raw, f"{where}: part {index}", info, start, index == len(raw_parts) - 1))
    grid = cell_elements(info.dtype, info.shape)
    for index, part in enumerate(parts):
        place = f"{where}: part {index}"
        if part.kind == "exact":
            require(info.dtype in EXACT_DTYPES, "manifest", f"{place}: exact is not for {info.dtype}")
            unit = given(part.unit)
            divides = unit > 0 and grid % unit == 0
            require(divides, "manifest", f"{place}: unit {unit} does not divide the grid's {grid}")
    return parts


def _tensor(
    value: Any, where: str, file: str, info: TensorInfo, lossy: bool, earlier: dict[tuple[str, str], Tensor]
) -> Tensor:
    fields = Fields(value, where, "digest receipt sources runs parts")
    parts = _parts(fields, info)
    near = lossy and any(part.components for part in parts)
    digest = fields.hex("digest", 32) if fields.has("digest") else None
    if fields.has("receipt"):
        require(lossy, "manifest", f"{where}: a receipt in an exact file")
        read_receipt(fields.value["receipt"], where)
    refers = any(part.kind != "whole" for part in parts)
    fault = "missing" if refers else "not used"
    require(fields.has("sources") == refers, "manifest", f"{where}: sources are {fault}")
    if not refers:
        require(digest is not None, "manifest", f"{where}: no digest")
        fields.absent("runs", "where there are no sources")
        return Tensor(info, digest, [], [], parts)
    sources = read_sources(fields.take("sources", list), where, file, info, digest, earlier)
    tied = any(source.tensor is not None and source.tensor.digest is None for source in sources)
    require(digest is not None or near or tied, "manifest", f"{where}: no digest")
    raw_runs = fields.take("runs", list) if fields.has("runs") else None
    runs = read_runs(raw_runs, where, sources, element_count(info.dtype, info.shape))
    predicted = covered(runs, [(part.start, part.end) for part in parts if part.kind != "whole"])
    require(predicted, "coverage", f"{where}: no source predicts some elements of its parts")
    return Tensor(info, digest, sources, runs, parts)


FILE_FIELDS = {
    "safetensors": "path kind bytes sha256 header tensors",
    "stored": "path kind bytes sha256 digest codec chunk",
    "base": "path kind bytes sha256 digest from",
}


def _file(value: Any, where: str, lossy: bool, earlier: dict[tuple[str, str], Tensor]) -> File:
    kind = Fields(value, where, " ".join(FILE_FIELDS.values())).choice("kind", tuple(FILE_FIELDS))
    fields = Fields(value, where, FILE_FIELDS[kind])
    path, size = fields.path("path"), fields.integer("bytes")
    where = f"file {path!r}"
    changes = lossy and kind == "safetensors"
    if changes:
        fields.absent("sha256", "under the contract lossy")
    sha256 = None if changes else fields.hex("sha256", 64)
    if kind == "safetensors":
        header = parse_header(fields.take("header", str).encode("utf-8"), where)
        total = 8 + len(header.raw) + header.data_bytes
        require(total == size, "header", f"{where}: its header describes {total} bytes, the manifest {size}")
        raw = fields.take("tensors", dict)
        same = all(name in raw for name in header.tensors) and len(raw) == len(header.tensors)
        require(same, "coverage", f"{where}: header and manifest name different tensors")
        tensors = []
        for name, info in header.tensors.items():
            tensor = _tensor(raw[name], f"{where}: tensor {name!r}", path, info, lossy, earlier)
            tensors.append(tensor)
            earlier[path, name] = tensor
        return File(path, kind, size, sha256, header, tensors, None, None, None, None)
    digest = fields.hex("digest", 32)
    if kind == "base":
        return File(path, kind, size, sha256, None, [], digest, None, None, fields.path("from"))
    codec = fields.choice("codec", ("zstd", "none"))
    require(fields.has("chunk") == (size > 0), "manifest", f"{where}: chunk of a file of {size} bytes")
    chunk = fields.integer("chunk") if size else None
    return File(path, kind, size, sha256, None, [], digest, codec, chunk, None)


def read_manifest(container: Container) -> Manifest:
    """The manifest of a container, with every check of section 4 that it allows alone."""
    value = parse_object(_decode(container.manifest), "manifest", "limit", "manifest")
    version = value.get("silt")
    require(version is None or type(version) is int, "manifest", "manifest: 'silt' is not an integer")
    require(version is None or version == 1, "version", f"manifest: silt is {version}; this reader knows 1")
    requires = value.get("requires", [])
    names = isinstance(requires, list) and all(isinstance(name, str) for name in requires)
    require(names, "manifest", "manifest: 'requires' is not an array of strings")
    require(not requires, "extension", f"manifest: requires {', '.join(requires)}")
    known = "silt contract requires writer form base result files source receipt evaluations packing adapter"
    fields = Fields(value, "manifest", known)
    for name, kind in (("silt", int), ("requires", list)):
        fields.take(name, kind)
    contract = fields.choice("contract", (container.metadata["contract"],))
    writer, form = fields.take("writer", str), fields.choice("form", ("file", "directory"))
    raw_files = enumerate(fields.take("files", list))
    earlier: dict[tuple[str, str], Tensor] = {}
    files = [_file(raw, f"file {index}", contract == "lossy", earlier) for index, raw in raw_files]
    tensors = [tensor for file in files for tensor in file.tensors]
    rooted = all(tensor.digest is not None for tensor in tensors)
    base = _summary(container, fields, "base", "tensors parameters", True)
    result = _summary(container, fields, "result", "tensors parameters bytes", rooted)
    adapter = _notes(fields, contract, {tensor.info.name: _products(tensor) for tensor in tensors})
    check_tree([file.path for file in files])
    return Manifest(contract, writer, form, base, result, files, adapter)


def _summary(container: Container, fields: Fields, name: str, numbers: str, rooted: bool) -> dict[str, Any]:
    """`base` or `result`; the latter has no root where a tensor has no digest."""
    summary = Fields(fields.take(name, dict), f"manifest: {name}", f"root {numbers}")
    if not rooted:
        summary.absent("root", "where a tensor has no digest")
    root = summary.hex("root", 64) if rooted else None
    same = root == container.metadata.get(name)
    require(same, "manifest", f"manifest: the root of the {name} is not the metadata's")
    return {"root": root} | {number: summary.integer(number) for number in numbers.split()}


def _products(tensor: Tensor) -> int:
    """How many low-rank components a tensor has."""
    return sum(component.kind == "low-rank" for part in tensor.parts for component in part.components)


def _notes(fields: Fields, contract: str, products: dict[str, int]) -> list[AdapterTensor]:
    """The fields that may be there besides, of which a reader checks the types; what read_adapter gives."""
    if contract == "exact":
        for name in ("source", "receipt", "evaluations"):
            fields.absent(name, "under the contract exact")
    if fields.has("source"):
        fields.hex("source", 64)
    if fields.has("receipt"):
        read_receipt(fields.value["receipt"], fields.where)
    if fields.has("evaluations"):
        read_evaluations(fields.value["evaluations"], fields.where)
    if fields.has("packing"):
        read_packing(fields.value["packing"], fields.where)
    if fields.has("adapter"):
        return read_adapter(fields.value["adapter"], fields.where, products)
    return []
