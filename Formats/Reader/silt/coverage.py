"""Sections 4.1, 4.2, 4.3 and 5: how chunks, parts, tensors and files add up, and the caps on chunks."""

from __future__ import annotations

from dataclasses import dataclass

from .components import matrices
from .container import Container
from .digests import FILE_PIECE, cell_elements, root
from .errors import SiltError, given, require
from .manifest import File, Manifest, Part, Tensor
from .recipes import Matrix
from .tensors import element_bytes

MAX_TABLES = 65_536


@dataclass(frozen=True)
class Slice:
    """The elements of a part that lie in one cell, and the chunk that holds them."""

    chunk: int
    start: int
    end: int


def slices(tensor: Tensor, part: Part) -> list[Slice]:
    """The chunks of a part, one for each cell that it touches (section 4.3)."""
    cell = cell_elements(tensor.info.dtype, tensor.info.shape)
    first, last = part.start // cell, (part.end - 1) // cell
    chunk = given(part.chunk)
    return [
        Slice(chunk + index - first, max(part.start, index * cell), min(part.end, (index + 1) * cell))
        for index in range(first, last + 1)
    ]


class _Usage:
    """Who uses each chunk."""

    def __init__(self, container: Container) -> None:
        self.sizes = container.sizes
        self.users: list[str | None] = [None] * len(container.sizes)

    def data(self, first: int, pieces: list[int], where: str) -> None:
        """Chunks from `first` on, decoding to these numbers of bytes."""
        for index, decoded in enumerate(pieces, first):
            require(self.users[index] is None, "coverage", f"{where}: chunk {index} is used already")
            self.users[index] = "data"
            cap = 2 * decoded + 65_536
            too_large = f"{where}: chunk {index} of {self.sizes[index]} bytes, more than {cap}"
            require(self.sizes[index] <= cap, "limit", too_large)

    def run(self, first: int, count: int, where: str) -> None:
        """Refuse a run of chunks that the table does not have, before anything is made of its length."""
        total = len(self.sizes)
        require(first + count <= total, "coverage", f"{where}: chunks {first} to {first + count} of {total}")

    def tables(self, index: int, where: str) -> None:
        """A chunk of tables, which parts may share."""
        self.run(index, 1, where)
        require(self.users[index] != "data", "coverage", f"{where}: chunk {index} is used already")
        self.users[index] = "tables"
        size = self.sizes[index]
        require(size <= MAX_TABLES, "limit", f"{where}: tables of {size} bytes, more than {MAX_TABLES}")


def _use_tensor(usage: _Usage, tensor: Tensor, where: str) -> None:
    cell = cell_elements(tensor.info.dtype, tensor.info.shape)
    width = element_bytes(tensor.info.dtype)
    for number, part in enumerate(tensor.parts):
        place = f"{where}: part {number}"
        if part.tables is not None:
            usage.tables(part.tables, place)
        if part.chunk is not None:
            usage.run(part.chunk, (part.end - 1) // cell - part.start // cell + 1, place)
            usage.data(part.chunk, [(s.end - s.start) * width for s in slices(tensor, part)], place)
        for matrix, name in matrices(part.components):
            _use_matrix(usage, matrix, f"{place}: {name}")


def _use_matrix(usage: _Usage, matrix: Matrix, where: str) -> None:
    """The chunks of a matrix and of its masks over columns; an element or a column counts as four bytes."""
    for mask in matrix.masks:
        if mask.tables is not None:
            usage.tables(mask.tables, where)
        if mask.chunk is not None:
            usage.run(mask.chunk, 1, where)
            usage.data(mask.chunk, [4 * matrix.columns], where)
    if matrix.values.tables is not None:
        usage.tables(matrix.values.tables, where)
    usage.run(matrix.chunk, matrix.cells, where)
    starts = range(0, matrix.rows, matrix.cell_rows)
    rows = [min(matrix.cell_rows, matrix.rows - start) for start in starts]
    usage.data(matrix.chunk, [4 * count * matrix.columns for count in rows], where)


def _use_file(usage: _Usage, file: File) -> None:
    where = f"file {file.path!r}"
    for tensor in file.tensors:
        _use_tensor(usage, tensor, f"{where}: tensor {tensor.info.name!r}")
    _use_pieces(usage, file.chunk, file.bytes, where)


def _use_pieces(usage: _Usage, chunk: int | None, size: int, where: str) -> None:
    """The chunks of a stored file, or of a tensor of an adapter that has bytes of its own."""
    if chunk is not None:
        count = -(-size // FILE_PIECE)
        usage.run(chunk, count, where)
        usage.data(chunk, [min(FILE_PIECE, size - index * FILE_PIECE) for index in range(count)], where)


def check_coverage(container: Container, manifest: Manifest) -> None:
    """Everything adds up: files, tensors, chunks; and the root of the result is that of its digests."""
    files = manifest.files
    if manifest.form == "file":
        single = len(files) == 1 and files[0].kind == "safetensors"
        require(single, "coverage", "a result of form file is not exactly one safetensors file")
    usage = _Usage(container)
    for file in files:
        _use_file(usage, file)
    for tensor in manifest.adapter:
        _use_pieces(usage, tensor.chunk, tensor.bytes, f"adapter: tensor {tensor.name!r}")
    if None in usage.users:
        raise SiltError("coverage", f"chunk {usage.users.index(None)} is not used")
    tensors = [tensor for file in files for tensor in file.tensors]
    counts = (len(tensors), sum(file.bytes for file in files))
    stated = (manifest.result["tensors"], manifest.result["bytes"])
    require(counts == stated, "coverage", f"result of {counts} tensors and bytes, stated as {stated}")
    if manifest.result["root"] is None:
        return
    records = [(t.info.name, t.info.dtype, t.info.shape, given(t.digest)) for t in tensors]
    same = root(records) == manifest.result["root"]
    require(same, "result", "the root of the result is not that of its digests")
