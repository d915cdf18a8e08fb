"""Small checkpoints made by hand: every dtype of safetensors, awkward values, awkward headers."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

#: Bits of one element.
DTYPE_BITS: dict[str, int] = {
    **dict.fromkeys(["F4"], 4),
    **dict.fromkeys(["F6_E2M3", "F6_E3M2"], 6),
    **dict.fromkeys(["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"], 8),
    **dict.fromkeys(["I16", "U16", "F16", "BF16"], 16),
    **dict.fromkeys(["I32", "U32", "F32"], 32),
    **dict.fromkeys(["C64", "F64", "I64", "U64"], 64),
}

#: NaNs (quiet, signalling, negative, with payload), -0.0, infinities, denormals, the largest finite value.
SPECIALS: dict[str, list[int]] = {
    "BF16": [0x7FC0, 0x7F81, 0xFFD5, 0xFFFF, 0x8000, 0x7F80, 0xFF80, 0x0001, 0x807F, 0x7F7F, 0xFF7F],
    "F16": [0x7E00, 0x7C01, 0xFE55, 0xFFFF, 0x8000, 0x7C00, 0xFC00, 0x0001, 0x83FF, 0x7BFF, 0xFBFF],
    "F32": [
        *[0x7FC00000, 0x7F800001, 0xFFC12345, 0xFFFFFFFF, 0x80000000, 0x7F800000, 0xFF800000],
        *[0x00000001, 0x807FFFFF, 0x7F7FFFFF, 0xFF7FFFFF],
    ],
    "F64": [0x7FF8 << 48, (0x7FF0 << 48) + 1, 0xFFF8123456789ABC, 1 << 63, 0x7FF0 << 48, 0xFFF0 << 48, 1],
}


@dataclass(frozen=True)
class Tensor:
    """A tensor as it stands in a file."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes = field(repr=False)


Tensors = dict[str, Tensor]


def element_count(shape: tuple[int, ...]) -> int:
    """Product of the extents."""
    return int(np.prod(shape, dtype=np.int64)) if shape else 1


def byte_count(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor; the bits must fill them."""
    bits = element_count(shape) * DTYPE_BITS[dtype]
    assert bits % 8 == 0, f"{dtype} {shape} ends inside a byte"
    return bits // 8


def patterns(tensor: Tensor) -> np.ndarray:
    """A writable copy of the bit patterns; bytes for dtypes of fewer than 8 bits."""
    width = max(1, DTYPE_BITS[tensor.dtype] // 8)
    return np.frombuffer(tensor.data, f"<u{width}").copy()


def bf16_from_f32(values: np.ndarray) -> np.ndarray:
    """Patterns of finite float32 values rounded to bfloat16, ties to even."""
    bits = values.astype("<f4").view("<u4").astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")


def random_tensor(
    rng: np.random.Generator, dtype: str, shape: tuple[int, ...], specials: bool = True
) -> Tensor:
    """Weights of a plausible size for the common floats, else random bits; special values among them."""
    count = element_count(shape)
    values = (rng.standard_normal(count) * 0.02).astype("<f4")
    if dtype == "F32":
        bits = values.view("<u4").copy()
    elif dtype == "BF16":
        bits = bf16_from_f32(values)
    elif dtype == "F16":
        bits = values.astype("<f2").view("<u2").copy()
    elif dtype == "F64":
        bits = rng.standard_normal(count).astype("<f8").view("<u8").copy()
    elif dtype == "BOOL":
        bits = rng.integers(0, 2, count, dtype=np.uint8)
    else:
        bits = rng.integers(0, 256, byte_count(dtype, shape), dtype=np.uint8)
    if specials and dtype in SPECIALS and count:
        chosen = rng.choice(SPECIALS[dtype], size=min(count, 2 * len(SPECIALS[dtype])))
        places = rng.choice(count, size=chosen.size, replace=False)
        bits[places] = np.array(chosen, dtype=np.uint64).astype(bits.dtype)
    return Tensor(dtype, shape, bits.tobytes())


def tuned(rng: np.random.Generator, tensor: Tensor, share: float = 0.5, steps: int = 4) -> Tensor:
    """The tensor with a share of its patterns moved by a few steps, some of them across special values."""
    bits = patterns(tensor)
    if tensor.dtype == "BOOL":
        moved = bits ^ (rng.random(bits.size) < share / 8).astype(np.uint8)
        return Tensor(tensor.dtype, tensor.shape, moved.tobytes())
    move = rng.integers(-steps, steps + 1, bits.size) * (rng.random(bits.size) < share)
    moved = (bits + move.astype(bits.dtype)).astype(bits.dtype)
    if bits.size and tensor.dtype in SPECIALS:
        special = np.array(rng.choice(SPECIALS[tensor.dtype], size=3), dtype=np.uint64)
        moved[rng.integers(0, bits.size, 3)] = special.astype(moved.dtype)
    return Tensor(tensor.dtype, tensor.shape, moved.tobytes())


def header_of(tensors: Tensors, metadata: dict[str, str] | None, shuffled: bool = False) -> bytes:
    """Header JSON without padding. `shuffled` lists the tensors backwards, with the metadata last."""
    entries: dict[str, object] = {}
    position = 0
    for name, tensor in tensors.items():
        span = [position, position + len(tensor.data)]
        entries[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": span}
        position = span[1]
    extra = {} if metadata is None else {"__metadata__": metadata}
    listed = dict(reversed(entries.items())) | extra if shuffled else extra | entries
    return json.dumps(listed, separators=(",", ":"), ensure_ascii=shuffled).encode()


def write_safetensors(
    path: Path,
    tensors: Tensors,
    metadata: dict[str, str] | None = None,
    padding: int | None = None,
    residue: int = 0,
    shuffled: bool = False,
) -> Path:
    """Writes a file.

    Args:
        padding: how many spaces follow the header; else as many as bring its length to `residue` modulo 8.
        residue: see `padding`. Anything but 0 misaligns the data.
        shuffled: the header lists the tensors in another order than the data have.
    """
    header = header_of(tensors, metadata, shuffled)
    header += b" " * (padding if padding is not None else (residue - len(header)) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(header)) + header)
        for tensor in tensors.values():
            stream.write(tensor.data)
    return path


def read_safetensors(path: Path) -> Tensors:
    """Reads a file, with the rules that matter to a test."""
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length])
    body = raw[8 + length :]
    found: Tensors = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1].get("data_offsets", [-1])):
        if name == "__metadata__":
            continue
        begin, stop = entry["data_offsets"]
        assert begin == end, f"{path.name}: hole before {name}"
        end = stop
        found[name] = Tensor(entry["dtype"], tuple(entry["shape"]), body[begin:stop])
    assert end == len(body), f"{path.name}: {len(body) - end} bytes after the last tensor"
    return found


def write_sharded(
    directory: Path, tensors: Tensors, shards: int, metadata: dict[str, str] | None = None
) -> Path:
    """Writes a checkpoint in shards with their index."""
    names = list(tensors)
    weight_map: dict[str, str] = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        part = {name: tensors[name] for name in names[shard::shards]}
        write_safetensors(directory / file, part, metadata)
        weight_map |= dict.fromkeys(part, file)
    total = sum(len(tensor.data) for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    return directory


def write_model(directory: Path, tensors: Tensors, **options: Any) -> Path:
    """Writes a checkpoint directory with one file and a configuration."""
    write_safetensors(directory / "model.safetensors", tensors, **options)
    (directory / "config.json").write_text('{"model_type": "bert"}\n')
    return directory


def small_model(rng: np.random.Generator, dtype: str = "BF16", prefix: str = "", width: int = 48) -> Tensors:
    """A few tensors as a transformer has them."""
    shapes = {
        "embeddings.word_embeddings.weight": (200, width),
        "encoder.layer.0.attention.query.weight": (width, width),
        "encoder.layer.0.attention.query.bias": (width,),
        "encoder.layer.0.output.dense.weight": (width, 4 * width),
        "encoder.layer.0.LayerNorm.weight": (width,),
    }
    return {prefix + name: random_tensor(rng, dtype, shape) for name, shape in shapes.items()}


def tuned_model(rng: np.random.Generator, tensors: Tensors, share: float = 0.5, steps: int = 4) -> Tensors:
    """A fine-tune of a model: the same names, other bits."""
    return {name: tuned(rng, tensor, share, steps) for name, tensor in tensors.items()}


#: The tensors of `lossy_model` that a lossy method takes by default.
LOSSY_NAMES = (
    "encoder.layer.0.attention.query.weight",
    "encoder.layer.0.output.dense.weight",
    "encoder.layer.0.wide.dense.weight",
    "encoder.conv.weight",
)


def float_tensor(values: np.ndarray, dtype: str) -> Tensor:
    """A tensor of finite values, rounded to the dtype."""
    numbers = values.astype("<f4")
    if dtype == "BF16":
        data = bf16_from_f32(numbers.reshape(-1)).tobytes()
    else:
        data = numbers.astype("<f4" if dtype == "F32" else "<f2").tobytes()
    return Tensor(dtype, values.shape, data)


def lossy_pair(rng: np.random.Generator, dtype: str, size: float = 0.002) -> tuple[Tensors, Tensors]:
    """A small transformer of finite values and its fine-tune, whose deltas are normal with deviation `size`.

    One matrix has more than one cell, an odd number of columns, and a delta that is mostly of rank 4; one
    tensor has rank 3.
    """
    shapes = {
        "embeddings.word_embeddings.weight": (120, 48),
        "embeddings.LayerNorm.weight": (48,),
        LOSSY_NAMES[0]: (48, 48),
        "encoder.layer.0.attention.query.bias": (48,),
        LOSSY_NAMES[1]: (48, 192),
        LOSSY_NAMES[2]: (700, 401),
        LOSSY_NAMES[3]: (8, 5, 7),
        "classifier.weight": (2, 48),
        "classifier.bias": (2,),
    }
    base: Tensors = {}
    fine: Tensors = {}
    for name, shape in shapes.items():
        before = (rng.standard_normal(shape) * 0.05).astype("<f4")
        delta = rng.standard_normal(shape)
        if name == LOSSY_NAMES[2]:
            left, right = rng.standard_normal((shape[0], 4)), rng.standard_normal((4, shape[1]))
            delta = 0.3 * delta + 0.5 * left @ right
        base[name] = float_tensor(before, dtype)
        fine[name] = float_tensor(before + (delta * size).astype("<f4"), dtype)
    integers = np.arange(64, dtype="<i8").tobytes()
    base["embeddings.position_ids"] = fine["embeddings.position_ids"] = Tensor("I64", (1, 64), integers)
    base["empty.weight"] = fine["empty.weight"] = Tensor(dtype, (0, 48), b"")
    return base, fine
