"""Section 4: the manifest, parsed into plain data. How its numbers add up is checked in coverage.py."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import zstandard

from .container import Container
from .digests import cell_elements
from .errors import SiltError, require
from .jsontext import is_integer, parse_object
from .paths import check_path, check_tree
from .tensors import Header, TensorInfo, element_count, parse_header

I63 = 1 << 63
MAX_MANIFEST = 268_435_456
EXACT_DTYPES = ("F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
CONVERTIBLE = ("F32", "F16", "BF16")
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


@dataclass(frozen=True)
class BaseTensor:
    """The base tensor that the parts of a tensor refer to."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    digest: str


@dataclass(frozen=True)
class Tensor:
    """A tensor of the result and what makes it up."""

    info: TensorInfo
    digest: str
    base: BaseTensor | None
    parts: list[Part]


@dataclass(frozen=True)
class File:
    """A file of the result: `header` and `tensors` of a safetensors file, `digest` of the other kinds."""

    path: str
    kind: str
    bytes: int
    sha256: str
    header: Header | None
    tensors: list[Tensor]
    digest: str | None
    codec: str | None
    chunk: int | None
    source: str | None


@dataclass(frozen=True)
class Manifest:
    """The whole manifest."""

    writer: str
    form: str
    base: dict[str, Any]
    result: dict[str, Any]
    files: list[File]


class Fields:
    """An object of the manifest: takes known fields with their types, refuses unknown ones."""

    def __init__(self, value: Any, where: str, known: str) -> None:
        require(isinstance(value, dict), "manifest", f"{where}: not an object")
        self.value, self.where = value, where
        for name in value:
            known_name = name in known.split() or name.startswith("x-")
            require(known_name, "extension", f"{where}: unknown field {name!r}")

    def has(self, name: str) -> bool:
        return name in self.value

    def take(self, name: str, kind: type) -> Any:
        require(name in self.value, "manifest", f"{self.where}: no field {name!r}")
        value = self.value[name]
        require(type(value) is kind, "manifest", f"{self.where}: {name!r} is not of type {kind.__name__}")
        return value

    def integer(self, name: str) -> int:
        value = self.take(name, int)
        require(is_integer(value, I63), "manifest", f"{self.where}: {name!r} is not below 2^63")
        return value

    def hex(self, name: str, digits: int) -> str:
        value = self.take(name, str)
        good = re.fullmatch(f"[0-9a-f]{{{digits}}}", value) is not None
        require(good, "manifest", f"{self.where}: {name!r} is not {digits} hex digits")
        return value

    def choice(self, name: str, values: tuple[str, ...]) -> str:
        value = self.take(name, str)
        known = ", ".join(values)
        require(value in values, "manifest", f"{self.where}: {name!r} is {value!r}, not one of {known}")
        return value

    def path(self, name: str) -> str:
        return check_path(self.take(name, str), self.where)

    def shape(self, name: str) -> tuple[int, ...]:
        value = self.take(name, list)
        good = all(is_integer(extent, I63) for extent in value)
        require(good, "manifest", f"{self.where}: {name!r} is not a list of integers")
        return tuple(value)


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


def _part(value: Any, where: str, start: int, total: int, last: bool) -> Part:
    fields = Fields(value, where, "kind elements codec chunk tables unit")
    kind = fields.choice("kind", tuple(CODECS))
    codec = fields.choice("codec", CODECS[kind]) if kind != "copy" else None
    coded = kind != "copy"
    wanted = {"elements": not last, "codec": coded, "chunk": coded}
    wanted |= {"tables": codec == "rans", "unit": kind == "exact"}
    for name, wants in wanted.items():
        there = "is missing" if wants else "does not belong here"
        fault = "manifest" if wants or name == "elements" else "extension"
        require(fields.has(name) == wants, fault, f"{where}: field {name!r} {there}")
    end = total if last else start + fields.integer("elements")
    require(last or end > start, "manifest", f"{where}: no elements")
    require(start < end <= total, "coverage", f"{where}: elements {start} to {end} of {total}")
    chunk = fields.integer("chunk") if wanted["chunk"] else None
    tables = fields.integer("tables") if wanted["tables"] else None
    unit = fields.integer("unit") if wanted["unit"] else None
    return Part(kind, start, end, codec, chunk, tables, unit)


def _base_tensor(value: Any, where: str, info: TensorInfo, digest: str) -> BaseTensor:
    fields = Fields(value, f"{where}: base", "name dtype shape digest")
    name = fields.take("name", str) if fields.has("name") else info.name
    dtype = fields.take("dtype", str) if fields.has("dtype") else info.dtype
    shape = fields.shape("shape") if fields.has("shape") else info.shape
    base_digest = fields.hex("digest", 32) if fields.has("digest") else digest
    convertible = dtype == info.dtype or (dtype in CONVERTIBLE and info.dtype in CONVERTIBLE)
    require(convertible, "manifest", f"{where}: base of dtype {dtype} for a result of {info.dtype}")
    alike = len(shape) == len(info.shape) and shape[1:] == info.shape[1:]
    require(alike, "manifest", f"{where}: base of shape {shape} for a result of {info.shape}")
    return BaseTensor(name, dtype, shape, base_digest)


def _tensor(value: Any, where: str, info: TensorInfo) -> Tensor:
    fields = Fields(value, where, "digest base parts")
    digest = fields.hex("digest", 32)
    total = element_count(info.dtype, info.shape)
    parts: list[Part] = []
    raw_parts = fields.take("parts", list)
    fits = (total > 0) == (len(raw_parts) > 0)
    require(len(raw_parts) <= 1_024, "limit", f"{where}: {len(raw_parts)} parts")
    require(fits, "coverage", f"{where}: {len(raw_parts)} parts for {total} elements")
    for index, raw in enumerate(raw_parts):
        start = parts[-1].end if parts else 0
        parts.append(_part(raw, f"{where}: part {index}", start, total, index == len(raw_parts) - 1))
    refers = any(part.kind != "whole" for part in parts)
    fault = "missing" if refers else "not used"
    require(fields.has("base") == refers, "manifest", f"{where}: base is {fault}")
    base = _base_tensor(fields.take("base", dict), where, info, digest) if refers else None
    grid = cell_elements(info.dtype, info.shape)
    for index, part in enumerate(parts):
        place = f"{where}: part {index}"
        if part.kind == "exact":
            require(info.dtype in EXACT_DTYPES, "manifest", f"{place}: exact is not for {info.dtype}")
            divides = bool(part.unit) and grid % part.unit == 0
            require(divides, "manifest", f"{place}: unit {part.unit} does not divide the grid's {grid}")
        if part.kind != "whole":
            inside = part.end <= element_count(base.dtype, base.shape)
            require(inside, "coverage", f"{place}: the base tensor has no element {part.end - 1}")
    return Tensor(info, digest, base, parts)


FILE_FIELDS = {
    "safetensors": "path kind bytes sha256 header tensors",
    "stored": "path kind bytes sha256 digest codec chunk",
    "base": "path kind bytes sha256 digest from",
}


def _file(value: Any, where: str) -> File:
    kind = Fields(value, where, " ".join(FILE_FIELDS.values())).choice("kind", tuple(FILE_FIELDS))
    fields = Fields(value, where, FILE_FIELDS[kind])
    path, size, sha256 = fields.path("path"), fields.integer("bytes"), fields.hex("sha256", 64)
    where = f"file {path!r}"
    if kind == "safetensors":
        header = parse_header(fields.take("header", str).encode("utf-8"), where)
        total = 8 + len(header.raw) + header.data_bytes
        require(total == size, "header", f"{where}: its header describes {total} bytes, the manifest {size}")
        raw = fields.take("tensors", dict)
        same = all(name in raw for name in header.tensors) and len(raw) == len(header.tensors)
        require(same, "coverage", f"{where}: header and manifest name different tensors")
        infos = header.tensors.values()
        tensors = [_tensor(raw[info.name], f"{where}: tensor {info.name!r}", info) for info in infos]
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
    fields = Fields(value, "manifest", "silt contract requires writer form base result files")
    for name, kind in (("silt", int), ("requires", list)):
        fields.take(name, kind)
    fields.choice("contract", (container.metadata["contract"],))
    writer, form = fields.take("writer", str), fields.choice("form", ("file", "directory"))
    summaries = {}
    for name, numbers in (("base", "tensors parameters"), ("result", "tensors parameters bytes")):
        summary = Fields(fields.take(name, dict), f"manifest: {name}", f"root {numbers}")
        summaries[name] = {"root": summary.hex("root", 64)}
        summaries[name] |= {number: summary.integer(number) for number in numbers.split()}
        same = summaries[name]["root"] == container.metadata.get(name)
        require(same, "manifest", f"manifest: the root of the {name} is not the metadata's")
    files = [_file(raw, f"file {index}") for index, raw in enumerate(fields.take("files", list))]
    check_tree([file.path for file in files])
    return Manifest(writer, form, summaries["base"], summaries["result"], files)
