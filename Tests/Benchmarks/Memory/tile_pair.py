"""Makes a pair of any size by tiling a real one: every tensor again and again, as `NAME.copy.N`.

usage: tile_pair.py SRC_BASE SRC_FINE OUT_BASE OUT_FINE --gib 4 [--shards K] [--repeat N] [--single-tensor]

The sources are files or directories in Hub layout; the results are directories, with an index when there are
shards. Tensors that only one side has are tiled on that side. Copies are streamed: memory stays at one
buffer.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

#: Bytes copied at once.
BUFFER = 4 << 20


@dataclass(frozen=True)
class Source:
    """A tensor in a file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    offset: int
    size: int


def sources(path: Path) -> list[Source]:
    """The tensors of a model, in file order."""
    index = path / "model.safetensors.index.json"
    if path.is_file():
        files = [path]
    elif index.is_file():
        files = [path / name for name in sorted(set(json.loads(index.read_text())["weight_map"].values()))]
    else:
        files = [path / "model.safetensors"]
    found = []
    for file in files:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(length))
        for name, entry in header.items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                shape = tuple(entry["shape"])
                found.append(Source(name, entry["dtype"], shape, file, 8 + length + begin, end - begin))
    return found


def strip_prefix(name: str) -> str:
    """The name of a tensor inside the wrapped model."""
    return name.removeprefix("bert.").removeprefix("model.")


def copies_for(tensors: list[Source], size: int) -> int:
    """How many copies reach so many bytes."""
    return max(1, -(-size // sum(tensor.size for tensor in tensors)))


def write_shard(path: Path, entries: list[tuple[str, Source, int]]) -> None:
    """Writes tensors under new names; the number says how often the data repeat along the first extent."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, source, times in entries:
        shape = [source.shape[0] * times, *source.shape[1:]] if times > 1 else list(source.shape)
        end = position + source.size * times
        header[name] = {"dtype": source.dtype, "shape": shape, "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as target:
        target.write(struct.pack("<Q", len(text)) + text)
        for _, source, times in entries:
            with source.path.open("rb") as stream:
                for _ in range(times):
                    copy_range(stream, source.offset, source.size, target)


def copy_range(stream: BinaryIO, offset: int, size: int, target: BinaryIO) -> None:
    """Copies a range of one open file to the end of another."""
    stream.seek(offset)
    while size > 0:
        data = stream.read(min(size, BUFFER))
        if not data:
            raise EOFError(f"{stream.name} ends early")
        target.write(data)
        size -= len(data)


def write_model(directory: Path, entries: list[tuple[str, Source, int]], shards: int) -> None:
    """Writes a model directory, cut into consecutive shards of about equal size."""
    directory.mkdir(parents=True, exist_ok=True)
    if shards == 1:
        write_shard(directory / "model.safetensors", entries)
        return
    total = sum(source.size * times for _, source, times in entries)
    parts: list[list[tuple[str, Source, int]]] = [[] for _ in range(shards)]
    position = 0
    for entry in entries:
        parts[min(shards - 1, position * shards // total)].append(entry)
        position += entry[1].size * entry[2]
    weight_map: dict[str, str] = {}
    for number, part in enumerate(parts, 1):
        name = f"model-{number:05}-of-{shards:05}.safetensors"
        write_shard(directory / name, part)
        weight_map |= {entry[0]: name for entry in part}
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def main() -> int:
    """Writes both models."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("src_base", "src_fine", "out_base", "out_fine"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--gib", type=float, default=4, help="size of the fine-tuned model (4)")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument(
        "--repeat",
        type=int,
        default=1,
        help="repeat each tensor so often along its first extent, for tensors as large models have",
    )
    parser.add_argument(
        "--single-tensor",
        action="store_true",
        help="not many tensors but the largest one, repeated along its first extent",
    )
    options = parser.parse_args()
    if options.shards < 1 or options.repeat < 1 or options.gib <= 0:
        parser.error("--shards, --repeat and --gib must be positive")
    base, fine = sources(options.src_base), sources(options.src_fine)
    size = int(options.gib * (1 << 30))
    if options.single_tensor:
        widest = max(fine, key=lambda tensor: tensor.size)
        base = [tensor for tensor in base if strip_prefix(tensor.name) == strip_prefix(widest.name)]
        if not base:
            parser.error(f"the base has no tensor {widest.name}")
        times = copies_for([widest], size)
        models = [[(base[0].name, base[0], times)], [(widest.name, widest, times)]]
    else:
        copies = copies_for(fine, size // options.repeat)
        models = [
            [
                (f"{tensor.name}.copy.{copy}", tensor, options.repeat if tensor.shape else 1)
                for copy in range(copies)
                for tensor in side
            ]
            for side in (base, fine)
        ]
    for directory, entries in zip((options.out_base, options.out_fine), models, strict=True):
        write_model(directory, entries, options.shards)
        written = sum(path.stat().st_size for path in directory.iterdir())
        print(f"{directory}: {len(entries)} tensors, {written / (1 << 30):.2f} GiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
