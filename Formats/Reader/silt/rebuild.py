"""Rebuilding a result: sections 4.2, 4.3 and 9, with every digest checked before anything is given back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from . import planes, residual
from .base import Base
from .components import predict
from .container import Container
from .convert import convert
from .coverage import Slice, check_coverage, slices
from .digests import FILE_PIECE, tensor_digest, tree_digest
from .errors import SiltError, given, require
from .manifest import File, Manifest, Part, Tensor
from .notes import AdapterTensor
from .sources import Run
from .tables import read_plane_tables, read_residual_tables
from .tensors import element_bytes, element_count


def rebuild(container: Container, manifest: Manifest, base: Base) -> Iterator[tuple[str, bytes]]:
    """Each file of the result with its path, in the order of the manifest.

    Nothing may be made visible before the last file has come: a later one may still be refused.
    """
    check_coverage(container, manifest)
    for file in manifest.files:
        where = f"file {file.path!r}"
        data = _FILE_KINDS[file.kind](container, file, base, where)
        require(len(data) == file.bytes, "result", f"{where}: {len(data)} bytes, not {file.bytes}")
        if file.digest is not None:
            same = tree_digest(data, FILE_PIECE) == file.digest
            require(same, "result", f"{where}: differs from its digest")
        same = file.sha256 is None or hashlib.sha256(data).hexdigest() == file.sha256
        require(same, "result", f"{where}: differs from its SHA-256")
        yield file.path, data


def _safetensors(container: Container, file: File, base: Base, where: str) -> bytes:
    header = given(file.header).raw
    pieces: list[bytes | memoryview] = [len(header).to_bytes(8, "little"), header]
    for tensor in file.tensors:
        pieces.append(rebuild_tensor(container, tensor, base, f"{where}: tensor {tensor.info.name!r}").data)
    return b"".join(pieces)


def adapter_tensors(container: Container, manifest: Manifest) -> Iterator[tuple[AdapterTensor, bytes]]:
    """The tensors of an adapter that have bytes of their own (section 12.8)."""
    for tensor in manifest.adapter:
        where = f"adapter: tensor {tensor.name!r}"
        data = _pieces(container, tensor, where)
        same = tree_digest(data, FILE_PIECE) == tensor.digest
        require(same, "result", f"{where}: differs from its digest")
        yield tensor, data


def _stored(container: Container, file: File, _base: Base, where: str) -> bytes:
    return _pieces(container, file, where)


def _pieces(container: Container, file: File | AdapterTensor, where: str) -> bytes:
    pieces = []
    for start in range(0, file.bytes, FILE_PIECE):
        index = given(file.chunk) + start // FILE_PIECE
        data = container.chunk(index, where)
        require(len(data) > 0, "chunk", f"{where}: chunk {index} is empty")
        size = min(FILE_PIECE, file.bytes - start)
        pieces.append(planes.decompress(data, given(file.codec), size, f"{where}: chunk {index}"))
    return b"".join(pieces)


def _from_base(_container: Container, file: File, base: Base, _where: str) -> bytes:
    return base.file(file)


_FILE_KINDS = {"safetensors": _safetensors, "stored": _stored, "base": _from_base}


Spans = list[tuple[int, int]]


def rebuild_tensor(container: Container, tensor: Tensor, base: Base, where: str) -> np.ndarray:
    """The bytes of one tensor; its digest and those of its base tensors are checked (section 10)."""
    info = tensor.info
    count = element_count(info.dtype, info.shape)
    data = _patterns(container, tensor, base, [(0, count)], where).view(np.uint8)
    same = tensor.digest is None or tensor_digest(data, info.dtype, info.shape) == tensor.digest
    require(same, "result", f"{where}: what was rebuilt differs from its digest")
    return data


def _overlaps(start: int, end: int, wanted: Spans) -> bool:
    return any(start < last and first < end for first, last in wanted)


def _zeros(tensor: Tensor, where: str) -> np.ndarray:
    """Room for a tensor's patterns."""
    info = tensor.info
    try:
        return np.zeros(element_count(info.dtype, info.shape), f"<u{element_bytes(info.dtype)}")
    except (MemoryError, ValueError):
        raise SiltError("limit", f"{where}: too large to hold") from None


def _patterns(container: Container, tensor: Tensor, base: Base, wanted: Spans, where: str) -> np.ndarray:
    """A tensor's patterns: those of the parts that overlap what is wanted, and 0 elsewhere."""
    parts = [(n, part) for n, part in enumerate(tensor.parts) if _overlaps(part.start, part.end, wanted)]
    predicted = _predicted(container, tensor, base, [(part.start, part.end) for _, part in parts], where)
    result = _zeros(tensor, where)
    for number, part in parts:
        place = f"{where}: part {number}"
        own = slice(part.start, part.end)
        if part.components:
            predicted[own] = predict(container, predicted[own], tensor.info.dtype, part.components, place)
        if part.kind == "copy":
            result[own] = predicted[own]
        elif part.kind == "exact":
            result[own] = np.concatenate(_exact(container, tensor, part, predicted, place))
        else:
            result[own] = np.concatenate(_planes(container, tensor, part, predicted, place))
    return result


def _predicted(container: Container, tensor: Tensor, base: Base, wanted: Spans, where: str) -> np.ndarray:
    """The base's patterns at what is wanted (section 4.3), from each source as far as it predicts that."""
    runs: list[list[Run]] = [[] for _ in tensor.sources]
    for run in tensor.runs:
        if _overlaps(run.start, run.end, wanted):
            runs[run.source].append(run)
    found = []
    for number, (source, own) in enumerate(zip(tensor.sources, runs, strict=True)):
        if not own:
            continue
        if source.tensor is None:
            stored = np.frombuffer(base.tensor(source).tobytes(), f"<u{element_bytes(source.dtype)}")
        else:
            needed = [(run.first, run.first + run.end - run.start) for run in own]
            place = f"{where}: source {number}: tensor {source.name!r}"
            stored = _patterns(container, source.tensor, base, needed, place)
        found.append((own, source.dtype, stored))
    result = _zeros(tensor, where)
    for own, dtype, stored in found:
        patterns = convert(stored, dtype, tensor.info.dtype)
        for run in own:
            result[run.start : run.end] = patterns[run.first : run.first + run.end - run.start]
    return result


def _chunks(
    container: Container, tensor: Tensor, part: Part, where: str
) -> Iterator[tuple[int, Slice, memoryview, str]]:
    """The chunks of a part that are not empty, each with its number in the part."""
    for number, piece in enumerate(slices(tensor, part)):
        data = container.chunk(piece.chunk, where)
        if len(data):
            yield number, piece, data, f"{where}: chunk {piece.chunk}"


def _exact(
    container: Container, tensor: Tensor, part: Part, base: np.ndarray, where: str
) -> list[np.ndarray]:
    """Section 7. Where the chunk is empty, the elements are the base's."""
    table_bytes = container.chunk(given(part.tables), where)
    width = base.dtype.itemsize * 8
    tables = read_residual_tables(table_bytes, width, f"{where}: tables in chunk {part.tables}")
    pieces = [base[piece.start : piece.end] for piece in slices(tensor, part)]
    chunks = list(_chunks(container, tensor, part, where))
    cells = [residual.Cell(data, base[piece.start : piece.end], place) for _, piece, data, place in chunks]
    results = residual.decode_residual(cells, tables, given(part.unit), tensor.info.dtype)
    for (number, _, _, _), result in zip(chunks, results, strict=True):
        pieces[number] = result
    return pieces


def _planes(
    container: Container, tensor: Tensor, part: Part, base: np.ndarray, where: str
) -> list[np.ndarray]:
    """Section 8. Where the chunk is empty, the data are 0."""
    pattern = np.dtype(f"<u{element_bytes(tensor.info.dtype)}")
    pieces = [np.zeros(piece.end - piece.start, pattern) for piece in slices(tensor, part)]
    chunks = list(_chunks(container, tensor, part, where))
    cells = [planes.Cell(data, piece.end - piece.start, place) for _, piece, data, place in chunks]
    if part.codec == "rans":
        table_bytes = container.chunk(given(part.tables), where)
        tables = read_plane_tables(table_bytes, pattern.itemsize, f"{where}: tables in chunk {part.tables}")
        results = planes.decode_planes(cells, tables)
    else:
        results = [planes.decode_compressed(cell, given(part.codec), pattern.itemsize) for cell in cells]
    for (number, _, _, _), rows in zip(chunks, results, strict=True):
        pieces[number] = np.ascontiguousarray(rows).view(pattern)[:, 0]
    if part.kind == "xor":
        cuts = slices(tensor, part)
        pieces = [piece ^ base[cut.start : cut.end] for piece, cut in zip(pieces, cuts, strict=True)]
    return pieces
