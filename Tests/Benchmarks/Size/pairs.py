"""Checkpoint pairs for the size benchmark: finding them, reading their tensors, and naming their inputs.

Only the safetensors files that hold the model count. Tokenizers, configurations and evaluation outputs
(`reference_*.safetensors`) are left out for every tool, Silt included.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Bits of one element, for the dtypes that the safetensors reference knows.
DTYPE_BITS: dict[str, int] = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8,
    "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip

#: Prefixes that wrap a whole model: a tensor and its namesake under one of them are counterparts.
PREFIXES = ("bert.", "model.")


@dataclass(frozen=True)
class TensorRecord:
    """One tensor of a safetensors file, with its raw bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @property
    def elements(self) -> int:
        """Number of values (1 for rank 0)."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count


@dataclass(frozen=True)
class Checkpoint:
    """A model: a name and the safetensors files that hold it, in order."""

    name: str
    files: tuple[Path, ...]

    @property
    def bytes(self) -> int:
        """Size of the model files together."""
        return sum(path.stat().st_size for path in self.files)

    def tensors(self) -> dict[str, TensorRecord]:
        """All tensors by name, in the order of the headers."""
        return {record.name: record for path in self.files for record in read_tensors(path)}

    def headers(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Dtype and shape of every tensor, without reading payloads."""
        return {
            name: (entry["dtype"], tuple(entry["shape"]))
            for path in self.files
            for name, entry in read_header(path)[1].items()
            if name != "__metadata__"
        }

    def digest(self) -> str:
        """SHA-256 over the model files."""
        state = hashlib.sha256()
        for path in self.files:
            state.update(len(path.name).to_bytes(4, "little") + path.name.encode())
            with path.open("rb") as stream:
                state.update(hashlib.file_digest(stream, "sha256").digest())
        return state.hexdigest()

    def stage(self, directory: Path) -> Path:
        """Copies the model files, and nothing else, into `directory`.

        Returns:
            What to hand to Silt: the file of a model that has one, else the directory.
        """
        directory.mkdir(parents=True, exist_ok=True)
        for path in self.files:
            copy = directory / path.name
            if not copy.exists() or copy.stat().st_size != path.stat().st_size:
                shutil.copyfile(path, copy)
        return directory / self.files[0].name if len(self.files) == 1 else directory


@dataclass(frozen=True)
class Pair:
    """A base and a model fine-tuned from it."""

    base: Checkpoint
    fine: Checkpoint

    @property
    def name(self) -> str:
        """Label for tables."""
        return f"{self.base.name} -> {self.fine.name}"

    @property
    def parameters(self) -> int:
        """Number of values in the fine-tuned model."""
        total = 0
        for _, shape in self.fine.headers().values():
            count = 1
            for extent in shape:
                count *= extent
            total += count
        return total

    def key(self) -> str:
        """Identity of the inputs, for caches."""
        return hashlib.sha256((self.base.digest() + self.fine.digest()).encode()).hexdigest()[:24]

    def shards(self) -> list[tuple[Path, Path]]:
        """Base and fine-tuned file of each shard, for tools that know files only.

        Raises:
            ValueError: the two models are cut differently.
        """
        if len(self.base.files) != len(self.fine.files):
            raise ValueError(f"{len(self.base.files)} base files but {len(self.fine.files)} fine-tuned files")
        return list(zip(self.base.files, self.fine.files, strict=True))


def strip_prefix(name: str) -> str:
    """The name of a tensor inside the wrapped model."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def counterpart_names(base: Iterable[str], fine: Iterable[str]) -> dict[str, str]:
    """Maps each fine-tuned name to the base name it stems from, where there is one."""
    known = set(base)
    stripped = {strip_prefix(name): name for name in base}
    found: dict[str, str] = {}
    for name in fine:
        source = name if name in known else stripped.get(strip_prefix(name))
        if source is not None:
            found[name] = source
    return found


def read_header(path: Path) -> tuple[bytes, dict[str, dict]]:
    """The header of a safetensors file: its bytes and the JSON object."""
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > 100_000_000:
            raise ValueError(f"{path}: header of {length} bytes")
        raw = stream.read(length)
    return raw, json.loads(raw)


def read_tensors(path: Path) -> Iterator[TensorRecord]:
    """The tensors of one file in header order, read one at a time."""
    raw, header = read_header(path)
    with path.open("rb") as stream:
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            stream.seek(8 + len(raw) + begin)
            yield TensorRecord(name, entry["dtype"], tuple(entry["shape"]), stream.read(end - begin))


def model_files(path: Path) -> tuple[Path, ...]:
    """The files that hold the model at `path` (a file, or a directory in Hub layout); empty if none does."""
    if path.is_file():
        return (path,)
    index = path / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        return tuple(path / name for name in names)
    single = path / "model.safetensors"
    return (single,) if single.is_file() else tuple(sorted(path.glob("model*.safetensors")))


def checkpoint(path: Path) -> Checkpoint:
    """The checkpoint at `path`.

    Raises:
        FileNotFoundError: nothing there is a model.
    """
    files = model_files(path)
    if not files or not all(file.is_file() for file in files):
        raise FileNotFoundError(f"{path}: no model*.safetensors, or a shard is missing")
    return Checkpoint(path.stem if path.is_file() else path.name, files)


def main_dtype(model: Checkpoint) -> str:
    """The dtype that most parameters have."""
    counts: Counter[str] = Counter()
    for dtype, shape in model.headers().values():
        count = 1
        for extent in shape:
            count *= extent
        counts[dtype] += count
    return counts.most_common(1)[0][0]


def find_pairs(directory: Path) -> list[Pair]:
    """Pairs below `directory`, by name: `STEM-base[-SUFFIX]` with every `STEM-TASK` of the same dtype."""
    folders = [path for path in sorted(directory.iterdir()) if path.is_dir()]
    models = [checkpoint(path) for path in folders if model_files(path)]
    bases = [model for model in models if "-base" in model.name]
    found = []
    for base in bases:
        stem = base.name.split("-base", 1)[0] + "-"
        for fine in models:
            if fine not in bases and fine.name.startswith(stem) and main_dtype(fine) == main_dtype(base):
                found.append(Pair(base, fine))
    return found
