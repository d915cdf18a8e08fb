"""Valid vectors of kinds, codecs, cells and conversions. The docstring of each is the sentence about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bases import floats, moved, tensor
from silt.convert import convert
from silt_writer import PartSpec, TensorData, TensorSpec
from vectors import COPY, Context, exact, file_vector, vector

FP8 = ("f8_e4m3", "f8_e5m2", "f8_e4m3fnuz", "f8_e5m2fnuz")


@vector
def copy_all(context: Context) -> tuple[str, bytes]:
    """Every tensor is a copy of the base's: dtypes of 4 to 64 bits, no elements, and a scalar."""
    base = "tiny.safetensors"
    return file_vector(context, base, [TensorSpec(t, COPY if t.data else [], t if t.data else None)
                                       for t in context.bases[base]])  # fmt: skip


def _exact_vector(context: Context, names: list[tuple[str, int, float]]) -> tuple[str, bytes]:
    base = context.base("tiny.safetensors")
    specs = [TensorSpec(moved(context.rng, base[n], size), [exact(unit)], base[n]) for n, unit, size in names]
    return file_vector(context, "tiny.safetensors", specs)


@vector
def exact_bf16(context: Context) -> tuple[str, bytes]:
    """A BF16 residual, a unit for each row, with NaN payloads, infinities, -0.0 and subnormals; raw bits."""
    return _exact_vector(context, [("embed.weight", 24, 4.0)])


@vector
def exact_f16(context: Context) -> tuple[str, bytes]:
    """An F16 residual with special values; units of 5 elements, in rows of 20."""
    return _exact_vector(context, [("half.weight", 5, 9.0)])


@vector
def exact_f32(context: Context) -> tuple[str, bytes]:
    """An F32 residual with special values and up to 28 raw bits for an element; a scalar of F32 besides."""
    return _exact_vector(context, [("full.weight", 16, 90_000.0), ("scalar", 1, 300.0)])


@vector
def exact_fp8(context: Context) -> tuple[str, bytes]:
    """Residuals of all four dtypes of 8 bits; the base has each of the 256 patterns."""
    return _exact_vector(context, [(name, 16, 1.5) for name in FP8])


@vector
def exact_lanes(context: Context) -> tuple[str, bytes]:
    """Streams of 32 lanes: 8,192 symbols, and 9,700 symbols, whose last group has 4."""
    base = context.base("lanes.safetensors")
    specs = [TensorSpec(moved(context.rng, base[name], 3.0), [exact(unit)], base[name])
             for name, unit in (("odd", 100), ("even", 128))]  # fmt: skip
    return file_vector(context, "lanes.safetensors", specs)


@vector
def exact_units(context: Context) -> tuple[str, bytes]:
    """Three exact parts in one tensor: units of 1 element, of more than the part has, and units that rest."""
    base = context.base("tiny.safetensors")["embed.weight"]
    result = moved(context.rng, base, 2.0)
    data = bytearray(result.data)
    data[800:1_600] = base.data[800:1_600]
    data[1_300] ^= 1
    result = replace(result, data=bytes(data))
    parts = [exact(1, 301), exact(262_128, 100), exact(6)]
    return file_vector(context, "tiny.safetensors", [TensorSpec(result, parts, base)])


@vector
def cells(context: Context) -> tuple[str, bytes]:
    """Tensors of two cells of 262 rows of 1,000; parts that begin within a cell; an empty chunk."""
    base = context.base("cells.safetensors")["wide"]
    result = bytearray(base.data)
    for index in context.rng.integers(0, 100_000, 3_000):
        result[index] = (result[index] + int(context.rng.integers(0, 5))) & 255
    result[290_000:] = bytes(reversed(result[290_000:]))
    wide = replace(base, data=bytes(result))
    parts = [PartSpec("copy", None, 5), exact(8, 270_000), PartSpec("xor", "rans")]
    blocks = tensor("blocks", "U8", (300, 1000), np.repeat(context.rng.integers(0, 4, 60), 5_000))
    return file_vector(context, "cells.safetensors", [
        TensorSpec(wide, parts, base),
        TensorSpec(blocks, [PartSpec("whole", "zstd", 262_001), PartSpec("whole", "lz4", 1_999),
                            PartSpec("whole", "rans")]),
    ])  # fmt: skip


@vector
def grid_without_rows(context: Context) -> tuple[str, bytes]:
    """Tensors whose cells have 262,144 elements: rank 1, rows longer than that, and a dtype of 4 bits."""
    ramp = (np.arange(700_000) % 4_999 < 5) * np.arange(700_000) % 7
    results = [
        tensor("flat", "I8", (262_150,), ramp),
        tensor("long.rows", "U8", (2, 262_145), ramp),
        tensor("four", "F4", (4, 150_000), ramp),
    ]
    return file_vector(context, "tiny.safetensors", [
        TensorSpec(result, [PartSpec("whole", codec)])
        for result, codec in zip(results, ("zstd", "rans", "lz4"), strict=True)
    ])  # fmt: skip


@vector
def xor_codecs(context: Context) -> tuple[str, bytes]:
    """Parts of kind xor with each codec, on elements of 1, 2, 4 and 8 bytes."""
    base = context.base("tiny.safetensors")
    names = (("ids", "rans"), ("embed.weight", "zstd"), ("full.weight", "lz4"), ("f8_e4m3", "none"),
             ("half.weight", "rans"), ("flags", "rans"))  # fmt: skip
    specs = [TensorSpec(moved(context.rng, base[n], 3.0), [PartSpec("xor", codec)], base[n])
             for n, codec in names]  # fmt: skip
    return file_vector(context, "tiny.safetensors", specs)


@vector
def whole_codecs(context: Context) -> tuple[str, bytes]:
    """Parts of kind whole with each codec and all three modes of planes; nothing refers to the base."""
    small = tensor("small", "U32", (30, 10), context.rng.integers(0, 1_000, 300))
    results = [
        (small, "rans"),
        (replace(small, name="small.zstd"), "zstd"),
        (replace(small, name="small.lz4"), "lz4"),
        (replace(small, name="small.none"), "none"),
        (tensor("weights", "F32", (100, 100), floats(context.rng, "F32", 10_000)), "rans"),
        (tensor("double", "F64", (5,), context.rng.integers(0, 1 << 63, 5)), "none"),
        (tensor("complex", "C64", (2, 2), context.rng.integers(0, 1 << 63, 4)), "zstd"),
        (tensor("scale", "F8_E8M0", (16,), context.rng.integers(100, 130, 16)), "rans"),
    ]
    return file_vector(
        context, "tiny.safetensors", [TensorSpec(r, [PartSpec("whole", c)]) for r, c in results]
    )


@vector
def grown_vocabulary(context: Context) -> tuple[str, bytes]:
    """A base tensor of 40 rows and a result of 46: an exact part, then a whole one."""
    base = context.base("tiny.safetensors")["embed.weight"]
    old = moved(context.rng, base, 2.0)
    new = tensor("new", "BF16", (6, 24), floats(context.rng, "BF16", 144))
    result = TensorData(base.name, "BF16", (46, 24), old.data + new.data)
    spec = TensorSpec(result, [exact(24, 960), PartSpec("whole", "zstd")], base)
    return file_vector(context, "tiny.safetensors", [spec])


@vector
def shrunk_vocabulary(context: Context) -> tuple[str, bytes]:
    """A base tensor of 40 rows and a result of 31; the digest of the base is over all of its rows."""
    base = context.base("tiny.safetensors")["embed.weight"]
    old = moved(context.rng, base, 2.0)
    result = TensorData(base.name, "BF16", (31, 24), old.data[: 31 * 48])
    return file_vector(context, "tiny.safetensors", [TensorSpec(result, [exact(24)], base)])


def _converted(context: Context, pairs: list[tuple[str, str]]) -> tuple[str, bytes]:
    """For each pair of dtypes, a tensor of three parts (copy, exact, xor) on the converted base."""
    base, specs = context.base("convert.safetensors"), []
    for source, target in pairs:
        same = convert(base[source].patterns, base[source].dtype, target)
        near = moved(context.rng, TensorData(f"{source}.as.{target}", target, (8, 16), same.tobytes()), 2.0)
        patterns = np.concatenate([same[:80], near.patterns[80:]])
        parts = [PartSpec("copy", None, 80), exact(16, 24), PartSpec("xor", "rans")]
        specs.append(TensorSpec(replace(near, data=patterns.tobytes()), parts, base[source]))
    return file_vector(context, "convert.safetensors", specs)


@vector
def convert_f32_to_bf16(context: Context) -> tuple[str, bytes]:
    """A base of F32 for a result of BF16: ties, overflow, subnormals, NaN payloads."""
    return _converted(context, [("f32", "BF16")])


@vector
def convert_f32_to_f16(context: Context) -> tuple[str, bytes]:
    """A base of F32 for a result of F16: ties, overflow, subnormals, NaN payloads."""
    return _converted(context, [("f32", "F16")])


@vector
def convert_others(context: Context) -> tuple[str, bytes]:
    """F16 to F32 and BF16, BF16 to F32 and F16."""
    return _converted(context, [("f16", "F32"), ("f16", "BF16"), ("bf16", "F32"), ("bf16", "F16")])
