"""Makes the pair of the speed benchmark: the project's pair tiled to any size, without repetition that a long window finds.

usage: make_pair.py SRC_BASE SRC_FINE OUT_BASE OUT_FINE --gib 4 [--repeat 16]

Like Memory/tile_pair.py, with two differences. Only tensors that both sides have are tiled: some rivals refuse all others. And
every copy moves the base's values by 0 to 3 representable steps, at random, and the fine-tuned ones by the same: the difference
of the ordered integers stays what it was, so the delta keeps its statistics and its rank, but no 64 bytes come twice.
BF16 only.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "Memory"))
from tile_pair import Source, copies_for, sources, strip_prefix

#: Exponents from here on are left alone: a step could reach infinity.
TOP = 0x7F00


def matched(base: list[Source], fine: list[Source]) -> list[tuple[Source, Source]]:
    """The tensors that both sides have with the same shape and dtype."""
    known = {strip_prefix(tensor.name): tensor for tensor in base}
    pairs = [(known.get(strip_prefix(tensor.name)), tensor) for tensor in fine]
    return [(old, new) for old, new in pairs if old and (old.dtype, old.shape) == (new.dtype, new.shape)]


def values(source: Source) -> np.ndarray:
    """The bit patterns of a tensor."""
    with source.path.open("rb") as stream:
        stream.seek(source.offset)
        return np.frombuffer(stream.read(source.size), np.uint16)


def moved(base: np.ndarray, fine: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Both patterns further from zero by the same random steps, where they have one sign and room."""
    steps = random.integers(0, 4, base.size, np.uint16)
    same = ((base ^ fine) & 0x8000) == 0
    room = np.maximum(base & 0x7FFF, fine & 0x7FFF) < TOP
    steps *= same & room
    return base + steps, fine + steps


def header(names: list[tuple[str, Source]], repeat: int) -> bytes:
    """The start of a safetensors file."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, source in names:
        end = position + source.size * repeat
        shape = [source.shape[0] * repeat, *source.shape[1:]]
        entries[name] = {"dtype": source.dtype, "shape": shape, "data_offsets": [position, end]}
        position = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def make_pair(base: Path, fine: Path, out_base: Path, out_fine: Path, size: int, repeat: int) -> None:
    """Writes both files; they have the same names and the same layout."""
    pairs = [pair for pair in matched(sources(base), sources(fine)) if pair[1].shape]
    if any(new.dtype != "BF16" for _, new in pairs):
        raise ValueError("the pair is not BF16")
    copies = copies_for([new for _, new in pairs], -(-size // repeat))
    names = [(f"copy.{copy}.{new.name}", new) for copy in range(copies) for _, new in pairs]
    random = np.random.default_rng(20_260)
    with out_base.open("wb") as old_file, out_fine.open("wb") as new_file:
        start = header(names, repeat)
        old_file.write(start)
        new_file.write(start)
        loaded = [(values(old), values(new)) for old, new in pairs]
        for _ in range(copies):
            for old, new in loaded:
                for _ in range(repeat):
                    first, second = moved(old, new, random)
                    old_file.write(first.data)
                    new_file.write(second.data)


def main() -> int:
    """Writes a pair."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("src_base", "src_fine", "out_base", "out_fine"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--gib", type=float, default=4, help="size of the fine-tuned model (4)")
    parser.add_argument("--repeat", type=int, default=16, help="copies of a tensor in one tensor (16)")
    options = parser.parse_args()
    size = int(options.gib * (1 << 30))
    make_pair(options.src_base, options.src_fine, options.out_base, options.out_fine, size, options.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
