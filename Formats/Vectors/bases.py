"""The tiny base checkpoints of the vectors, and ways to change them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from silt.residual import ordered
from silt.tensors import DTYPE_BITS, element_bytes
from silt_writer import TensorData, safetensors_file

SPECIAL = {
    "F32": [
        *[0, 0x8000_0000, 1, 0x807F_FFFF, 0x0080_0000, 0x7F7F_FFFF, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000],
        *[0xFFC1_2345, 0x7F80_0001, 0xFFBF_FFFF, 0x7FFF_FFFF, 0x3F80_0000, 0xBF80_0001, 0x0000_8000],
    ],
    "BF16": [
        0,
        0x8000,
        1,
        0x807F,
        0x0080,
        0x7F7F,
        0x7F80,
        0xFF80,
        0x7FC0,
        0xFFC1,
        0x7F81,
        0xFFFF,
        0x3F80,
        0xBF81,
    ],
    "F16": [
        0,
        0x8000,
        1,
        0x83FF,
        0x0400,
        0x7BFF,
        0x7C00,
        0xFC00,
        0x7E00,
        0xFE12,
        0x7C01,
        0xFFFF,
        0x3C00,
        0xBC01,
    ],
}

# F32 values at which the narrowings of section 8.4 decide: ties, overflow, subnormals, NaN with payloads.
NARROWING = SPECIAL["F32"] + [
    0x3F80_8000, 0x3F81_8000, 0x3F80_7FFF, 0x3F80_8001, 0x7F7F_8000, 0x7F7F_7FFF, 0x0000_7FFF, 0x0000_8001,
    0x0001_8000, 0x7F80_8000, 0x7F80_1FFF, 0xFF80_2000, 0x3F80_1000, 0x3F80_3000, 0x3F80_0FFF, 0x3F80_1001,
    0x477F_E000, 0x477F_EFFF, 0x477F_F000, 0xC77F_F000, 0x4780_0000, 0x3880_0000, 0x387F_FFFF, 0x387F_E000,
    0x387F_C000, 0x387F_F000, 0x3380_0000, 0x3300_0000, 0x3300_0001, 0x32FF_FFFF, 0x33C0_0000, 0x33BF_FFFF,
    0x3400_0000, 0x3420_0000, 0xB300_0000, 0xB300_0001, 0x3840_1000, 0x3840_3000, 0x0080_8000, 0x8000_8000,
]  # fmt: skip


def tensor(name: str, dtype: str, shape: tuple[int, ...], patterns: np.ndarray) -> TensorData:
    """A tensor whose data are these patterns, repeated or cut to its shape."""
    count = math.prod(shape) * min(DTYPE_BITS[dtype], 8) // 8
    data = np.resize(patterns, count).astype(f"<u{element_bytes(dtype)}").tobytes()
    return TensorData(name, dtype, shape, data)


def floats(rng: np.random.Generator, dtype: str, count: int) -> np.ndarray:
    """Patterns of weights of an ordinary network, with the special values in front."""
    f32 = rng.normal(0, 0.02, count).astype(np.float32)
    if dtype == "F32":
        patterns = f32.view(np.uint32)
    elif dtype == "BF16":
        patterns = (f32.view(np.uint32) >> 16).astype(np.uint16)
    elif dtype == "F16":
        patterns = f32.astype(np.float16).view(np.uint16)
    else:
        return rng.permutation(np.resize(np.arange(256, dtype=np.uint8), count))
    special = SPECIAL[dtype][: count // 4]
    patterns[: len(special)] = special
    return patterns


def moved(rng: np.random.Generator, source: TensorData, size: float, still: float = 0.3) -> TensorData:
    """The tensor with a share of its values moved by some steps; a few values become anything."""
    patterns = source.patterns
    steps = np.rint(rng.standard_t(2, len(patterns)) * size).astype(np.int64)
    steps[rng.random(len(patterns)) < still] = 0
    result = ordered(ordered(patterns) + steps.astype(patterns.dtype))
    wild = rng.random(len(patterns)) < 0.02
    anything = rng.integers(0, 1 << 8 * patterns.itemsize, len(patterns), dtype=np.uint64)
    data = np.where(wild, anything.astype(patterns.dtype), result).tobytes()
    return TensorData(source.name, source.dtype, source.shape, data)


def make(root: Path) -> dict[str, list[TensorData]]:
    """Write all bases below `root`; the tensors of each, by its path there."""
    rng = np.random.default_rng(20_261_123)

    def weights(name: str, dtype: str, *shape: int) -> TensorData:
        return tensor(name, dtype, shape, floats(rng, dtype, math.prod(shape)))

    def anything(name: str, dtype: str, *shape: int, top: int = 256) -> TensorData:
        return tensor(name, dtype, shape, rng.integers(0, top, max(1, math.prod(shape))))

    fp8 = ("F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
    tiny = [
        weights("embed.weight", "BF16", 40, 24),
        weights("half.weight", "F16", 24, 20),
        weights("full.weight", "F32", 20, 16),
        *(weights(dtype.lower(), dtype, 32, 16) for dtype in fp8),
        anything("ids", "I64", 1, 48, top=5_000),
        anything("flags", "BOOL", 8, top=2),
        anything("four", "F4", 6, 8),
        anything("six", "F6_E2M3", 4, 4),
        tensor("empty.rows", "F32", (0, 4), np.zeros(1)),
        tensor("empty.columns", "BF16", (4, 0), np.zeros(1)),
        weights("scalar", "F32"),
    ]
    small = [weights("a", "BF16", 20, 16), anything("b", "I32", 10), weights("c", "F32", 8, 8)]
    a, b, c = small
    bases = {
        "tiny.safetensors": tiny,
        "small.safetensors": small,
        "lanes.safetensors": [weights("odd", "BF16", 97, 100), weights("even", "F16", 64, 128)],
        "cells.safetensors": [tensor("wide", "F8_E4M3", (300, 1000), floats(rng, "F8_E4M3", 1000))],
        "convert.safetensors": [
            tensor("f32", "F32", (8, 16), np.array([*NARROWING, *floats(rng, "F32", 128)])),
            tensor("f16", "F16", (8, 16), np.array([*SPECIAL["F16"], *floats(rng, "F16", 128)])),
            tensor("bf16", "BF16", (8, 16), np.array([*SPECIAL["BF16"], *floats(rng, "BF16", 128)])),
        ],
        "wrong/no-a.safetensors": [b, c],
        "wrong/no-c.safetensors": [a, b],
        "wrong/dtype-a.safetensors": [TensorData("a", "F16", a.shape, a.data), b, c],
        "wrong/dtype-c.safetensors": [a, b, TensorData("c", "I32", c.shape, c.data)],
        "wrong/shape-a.safetensors": [TensorData("a", "BF16", (16, 20), a.data), b, c],
        "wrong/shape-c.safetensors": [a, b, TensorData("c", "F32", (64,), c.data)],
        "wrong/short-a.safetensors": [TensorData("a", "BF16", (19, 16), a.data[: 19 * 32]), b, c],
        "wrong/content-a.safetensors": [moved(rng, a, 1.0), b, c],
        "wrong/content-c.safetensors": [a, b, TensorData("c", "F32", c.shape, c.data[:-1] + b"\x7b")],
    }
    for path, tensors in bases.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(safetensors_file(tensors, {"format": "pt"})[1])
    shards = [[weights("l.0", "BF16", 24, 16), weights("l.1", "F16", 8, 8)], [weights("l.2", "F32", 6, 8)]]
    bases["sharded"] = [tensor for shard in shards for tensor in shard]
    _write_sharded(root / "sharded", shards, "a base\n")
    _write_sharded(root / "wrong" / "sharded-readme", shards, "A base\n")
    _write_sharded(root / "wrong" / "sharded-no-config", shards, "a base\n")
    (root / "wrong" / "sharded-no-config" / "config.json").unlink()
    bases["loose"] = [*shards[1], *shards[0]]
    (root / "loose").mkdir(exist_ok=True)
    for name, shard in zip(("b", "a"), shards, strict=True):
        (root / "loose" / f"{name}.safetensors").write_bytes(safetensors_file(shard)[1])
    bases["wide.safetensors"] = [
        tensor("wide", "BF16", (263, 1000), floats(rng, "BF16", 1000)),
        tensor("flat", "F16", (262_150,), floats(rng, "F16", 500)),
    ]
    bases["ranks.safetensors"] = [
        weights("scalar", "BF16"), weights("bias", "F32", 37), weights("one", "F16", 1),
        weights("conv", "F16", 4, 3, 5), weights("four", "BF16", 3, 1, 2, 4), weights("row", "F32", 1, 40),
    ]  # fmt: skip
    for path in ("wide.safetensors", "ranks.safetensors"):
        (root / path).write_bytes(safetensors_file(bases[path], {"format": "pt"})[1])
    bases["stack.safetensors"] = [
        *(weights(f"e.{number}", "BF16", 8, 16) for number in range(3)),
        *(weights(name, "F32", 6, 8) for name in "qkv"), weights("half", "F16", 8, 16),
        weights("rows", "BF16", 30, 16), anything("four", "F4", 6, 6), anything("six", "F4", 2, 7, 2),
    ]  # fmt: skip
    (root / "stack.safetensors").write_bytes(safetensors_file(bases["stack.safetensors"], {"format": "pt"})[1])
    model = [weights("w", "BF16", 12, 16), weights("x", "F32", 6, 8)]
    head = [weights("w", "BF16", 12, 16), weights("head", "F32", 5, 8)]
    w, last = head
    bases["extra"], bases["extra/heads/lm.safetensors"] = model, head
    wrong_heads = {
        "content": safetensors_file([w, moved(rng, last, 900.0)])[1],
        "shape": safetensors_file([w, replace(last, shape=(8, 5))])[1],
        "dtype": safetensors_file([w, replace(last, dtype="I32")])[1],
        "tensor": safetensors_file([w])[1],
        "text": b"This is no checkpoint.\n",
    }
    _write_extra(root / "extra", model, safetensors_file(head)[1])
    _write_extra(root / "wrong" / "extra-no-file", model, None)
    for name, data in wrong_heads.items():
        _write_extra(root / "wrong" / f"extra-{name}", model, data)
    return bases


def _write_extra(directory: Path, model: list[TensorData], head: bytes | None) -> None:
    """A base that has a file of tensors besides model.safetensors, which are none of its model."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.safetensors").write_bytes(safetensors_file(model, {"format": "pt"})[1])
    if head is not None:
        (directory / "heads").mkdir(exist_ok=True)
        (directory / "heads" / "lm.safetensors").write_bytes(head)


def _write_sharded(directory: Path, shards: list[list[TensorData]], readme: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    weight_map: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        (directory / name).write_bytes(safetensors_file(shard, {"format": "pt"}, number)[1])
        weight_map |= {tensor.name: name for tensor in shard}
    index = {"metadata": {}, "weight_map": weight_map}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    (directory / "config.json").write_text('{"model_type": "vector"}\n')
    (directory / "README.md").write_text(readme)
    not_named = [TensorData("l.0", "U8", (4,), b"none")]
    (directory / "other.safetensors").write_bytes(safetensors_file(not_named)[1])
