"""Lossy packing in the size benchmark: the matrices that methods take, and what a setting makes of them.

Methods leave embeddings, heads, norms and biases exact. To measure the matrices alone, they are written to a
pair of files of their own: then the payload of the Silt file is their chunks and nothing else, and the whole
file is all that it takes to store them.
"""

from __future__ import annotations

import json
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairs import Pair, TensorRecord, counterpart_names, read_header

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Matrix:
    """A matrix of the fine-tuned model that the base has, and its delta."""

    name: str
    base: TensorRecord
    fine: TensorRecord
    delta: Floats = field(repr=False)


@dataclass(frozen=True)
class Measured:
    """One packing of the matrices: sizes, and how far the result is from them."""

    file_bytes: int
    payload_bytes: int
    l2: float


def values(record: TensorRecord) -> Floats:
    """The values of an F32, F16 or BF16 tensor."""
    if record.dtype == "BF16":
        return (np.frombuffer(record.data, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(record.data, "<f4" if record.dtype == "F32" else "<f2").astype("<f4")


def write_file(path: Path, records: list[TensorRecord]) -> Path:
    """Writes a safetensors file."""
    header: dict[str, object] = {}
    end = 0
    for record in records:
        begin, end = end, end + len(record.data)
        header[record.name] = {
            "dtype": record.dtype,
            "shape": list(record.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for record in records:
            stream.write(record.data)
    return path


class LossyPair:
    """A pair of checkpoints, and its matrices as a pair of files.

    Raises:
        RuntimeError: Silt failed; the message is its own.
    """

    def __init__(self, pair: Pair, program: Path, work: Path) -> None:
        self.pair = pair
        self.program = program
        self.work = work
        self.base = pair.base.stage(work / "base")
        self.fine = pair.fine.stage(work / "fine")
        packed = work / "whole.silt"
        self.run("pack", self.base, self.fine, "-o", packed, "--method", "random", "--values", "int4")
        listed = self.run("inspect", packed)["tensors"]
        self.reference_bytes = packed.stat().st_size
        chosen = {entry["name"] for entry in listed if entry["receipt"]}
        before, after = pair.base.tensors(), pair.fine.tensors()
        source = counterpart_names(before, after)
        self.matrices = [
            Matrix(name, before[source[name]], after[name], values(after[name]) - values(before[source[name]]))
            for name in after
            if name in chosen
        ]
        self.old = write_file(work / "base.safetensors", [matrix.base for matrix in self.matrices])
        self.new = write_file(work / "fine.safetensors", [matrix.fine for matrix in self.matrices])
        #: What the whole file takes beside the chunks of the matrices.
        self.rest_bytes = (
            self.reference_bytes - self.measure("--method", "random", "--values", "int4").payload_bytes
        )

    @property
    def parameters(self) -> int:
        """Elements of all matrices."""
        return sum(matrix.delta.size for matrix in self.matrices)

    def run(self, *words: object) -> dict:
        """Runs Silt with --json."""
        command = [str(self.program), *map(str, words), "--json"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(command[1:])}: {result.stderr.strip()}")
        return json.loads(result.stdout)

    def pack(self, output: Path, *options: object) -> dict:
        """Packs the matrices."""
        return self.run("pack", self.old, self.new, "-o", output, "--force", *options)

    def measure(self, *options: object) -> Measured:
        """Packs the matrices; sizes and the distance that the receipt states."""
        with tempfile.TemporaryDirectory(dir=self.work) as place:
            packed = Path(place) / "m.silt"
            report = self.pack(packed, *options)
            begin, end = read_header(packed)[1]["silt.payload"]["data_offsets"]
            distance = report["receipt"]["relative_l2"] if report["receipt"] else 1.0
            return Measured(packed.stat().st_size, end - begin, distance)

    def steps(self, *options: object) -> dict[str, float]:
        """The step of each matrix's integers, which the manifest states."""
        import zstandard

        with tempfile.TemporaryDirectory(dir=self.work) as place:
            packed = Path(place) / "m.silt"
            self.pack(packed, *options)
            raw, header = read_header(packed)
            begin, end = header["silt.manifest"]["data_offsets"]
            data = packed.read_bytes()[8 + len(raw) :]
            manifest = json.loads(zstandard.decompress(data[begin:end]))
        found = {}
        for name, tensor in manifest["files"][0]["tensors"].items():
            for component in tensor["parts"][0].get("components", []):
                found[name] = component["matrix"]["values"].get("step", 0.0)
        return found
