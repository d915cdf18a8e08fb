"""The base: a single safetensors file, or a directory of files (section 4.4)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .digests import FILE_PIECE, tensor_digest, tree_digest
from .errors import SiltError, given, require
from .jsontext import parse_object
from .manifest import BaseTensor, File
from .paths import check_path
from .tensors import TensorInfo, read_header

INDEX = "model.safetensors.index.json"


def _checkpoint_files(directory: Path) -> list[Path]:
    """The safetensors files of a base directory: those of the index, else model.safetensors, else all."""
    index = directory / INDEX
    if index.is_file():
        weight_map = parse_object(index.read_bytes(), "header", "header", INDEX).get("weight_map")
        fault = f"{INDEX}: weight_map is not an object of strings"
        if not isinstance(weight_map, dict):
            raise SiltError("header", fault)
        require(all(isinstance(name, str) for name in weight_map.values()), "header", fault)
        return [directory / check_path(name, INDEX) for name in sorted(set(weight_map.values()))]
    single = directory / "model.safetensors"
    return [single] if single.is_file() else sorted(directory.glob("*.safetensors"))


class Base:
    """Looks up base tensors and files, with their checks. Files are mapped, not read as a whole."""

    def __init__(self, path: Path) -> None:
        require(path.exists(), "base-missing", f"{path}: no such base")
        self.directory = path if path.is_dir() else None
        self.tensors: dict[str, list[tuple[TensorInfo, np.ndarray]]] = {}
        for file in _checkpoint_files(path) if path.is_dir() else [path]:
            require(file.is_file(), "base-missing", f"base: no file {file.name}")
            data = np.memmap(file, np.uint8, "r") if file.stat().st_size else np.empty(0, np.uint8)
            header = read_header(data, f"base: {file.name}")
            body = data[8 + len(header.raw) :]
            for info in header.tensors.values():
                self.tensors.setdefault(info.name, []).append((info, body[info.begin : info.end]))

    def tensor(self, wanted: BaseTensor) -> np.ndarray:
        """The bytes of a base tensor, after the checks of its dtype, shape and digest."""
        where = f"base: tensor {wanted.name!r}"
        found = self.tensors.get(wanted.name, [])
        require(bool(found), "base-missing", f"{where}: not there")
        require(len(found) == 1, "base-content", f"{where}: in more than one file")
        info, data = found[0]
        require(info.dtype == wanted.dtype, "base-dtype", f"{where}: {info.dtype}, not {wanted.dtype}")
        require(info.shape == wanted.shape, "base-shape", f"{where}: {info.shape}, not {wanted.shape}")
        digest = tensor_digest(data, info.dtype, info.shape)
        require(digest == wanted.digest, "base-content", f"{where}: digest {digest}, not {wanted.digest}")
        return data

    def file(self, wanted: File) -> bytes:
        """The bytes of a file of kind base, after the checks of its length and digest."""
        where = f"base: file {wanted.source!r}"
        if self.directory is None or not (self.directory / given(wanted.source)).is_file():
            raise SiltError("base-missing", f"{where}: not there")
        path = self.directory / given(wanted.source)
        same_length = path.stat().st_size == wanted.bytes
        require(same_length, "base-content", f"{where}: {path.stat().st_size} bytes, not {wanted.bytes}")
        data = path.read_bytes()
        require(tree_digest(data, FILE_PIECE) == wanted.digest, "base-content", f"{where}: another digest")
        return data
