"""The base: a single safetensors file, or a directory of files (section 4.4)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .digests import FILE_PIECE, tensor_digest, tree_digest
from .errors import SiltError, given, require
from .jsontext import parse_object
from .manifest import File
from .paths import check_path
from .sources import Source
from .tensors import TensorInfo, read_header

INDEX = "model.safetensors.index.json"


def _named_files(directory: Path) -> list[Path]:
    """The files that the index of a base directory names; none without an index."""
    index = directory / INDEX
    if not index.is_file():
        return []
    text = index.read_bytes().removeprefix(b"\xef\xbb\xbf")
    weight_map = parse_object(text, "header", "header", INDEX).get("weight_map")
    fault = f"{INDEX}: weight_map is not an object of strings"
    if not isinstance(weight_map, dict):
        raise SiltError("header", fault)
    require(all(isinstance(name, str) for name in weight_map.values()), "header", fault)
    return [directory / check_path(name, INDEX) for name in sorted(set(weight_map.values()))]


def _checkpoint_files(directory: Path) -> list[Path]:
    """The safetensors files of a base directory: model.safetensors, else those of an index that are all there, else all."""
    single = directory / "model.safetensors"
    if single.is_file():
        return [single]
    named = _named_files(directory)
    return named if named and all(file.is_file() for file in named) else sorted(directory.glob("*.safetensors"))


Found = tuple[TensorInfo, np.ndarray]


def _read(file: Path) -> dict[str, Found]:
    """The tensors of a safetensors file, which is mapped, not read as a whole."""
    data = np.memmap(file, np.uint8, "r") if file.stat().st_size else np.empty(0, np.uint8)
    header = read_header(data, f"base: {file.name}")
    body = data[8 + len(header.raw) :]
    return {name: (info, body[info.begin : info.end]) for name, info in header.tensors.items()}


class Base:
    """Looks up base tensors and files, with their checks."""

    def __init__(self, path: Path) -> None:
        require(path.exists(), "base-missing", f"{path}: no such base")
        self.directory = path if path.is_dir() else None
        self.tensors: dict[str, list[Found]] = {}
        self.others: dict[str, dict[str, Found]] = {}
        for file in _checkpoint_files(path) if path.is_dir() else [path]:
            require(file.is_file(), "base-missing", f"base: no file {file.name}")
            for name, found in _read(file).items():
                self.tensors.setdefault(name, []).append(found)

    def _found(self, wanted: Source, where: str) -> list[Found]:
        """The tensors of this name, in the file that is named or among those of the checkpoint."""
        if wanted.file is None:
            return self.tensors.get(wanted.name, [])
        if wanted.file not in self.others:
            self.others[wanted.file] = _read(self._path(wanted.file, where))
        other = self.others[wanted.file]
        return [other[wanted.name]] if wanted.name in other else []

    def tensor(self, wanted: Source) -> np.ndarray:
        """The bytes of a base tensor, after the checks of its dtype, shape and digest."""
        of = "" if wanted.file is None else f" of file {wanted.file!r}"
        where = f"base: tensor {wanted.name!r}{of}"
        found = self._found(wanted, where)
        require(bool(found), "base-missing", f"{where}: not there")
        require(len(found) == 1, "base-content", f"{where}: in more than one file")
        info, data = found[0]
        require(info.dtype == wanted.dtype, "base-dtype", f"{where}: {info.dtype}, not {wanted.dtype}")
        require(info.shape == wanted.shape, "base-shape", f"{where}: {info.shape}, not {wanted.shape}")
        digest = tensor_digest(data, info.dtype, info.shape)
        require(digest == wanted.digest, "base-content", f"{where}: digest {digest}, not {wanted.digest}")
        return data

    def _path(self, path: str, where: str) -> Path:
        """A file below the base directory."""
        if self.directory is None or not (self.directory / path).is_file():
            raise SiltError("base-missing", f"{where}: the base has no such file")
        return self.directory / path

    def file(self, wanted: File) -> bytes:
        """The bytes of a file of kind base, after the checks of its length and digest."""
        where = f"base: file {wanted.source!r}"
        path = self._path(given(wanted.source), where)
        same_length = path.stat().st_size == wanted.bytes
        require(same_length, "base-content", f"{where}: {path.stat().st_size} bytes, not {wanted.bytes}")
        data = path.read_bytes()
        require(tree_digest(data, FILE_PIECE) == wanted.digest, "base-content", f"{where}: another digest")
        return data
