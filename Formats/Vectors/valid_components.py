"""Valid vectors of predictions, the contract lossy, and what comes with it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from bases import moved
from silt_specs import ComponentSpec, LowRankSpec, MaskSpec, MatrixSpec, SparseSpec
from silt_writer import PartSpec, TensorData, TensorSpec
from valid_matrices import SCALES, TINY, codes, deltas, seeded
from vectors import COPY, Context, file_vector, lossy_vector, near, predicted, vector


def factor(rng: np.random.Generator, rank: int, length: int, **fields: Any) -> MatrixSpec:
    """A full factor of BF16 values."""
    return MatrixSpec("bf16", "rans", deltas(rng, "bf16", (rank, length), 0.1), **fields)


def product(
    rng: np.random.Generator, rank: int, shape: tuple[int, ...], scale: float | None = None
) -> LowRankSpec:
    rows, columns = shape
    return LowRankSpec(factor(rng, rank, rows), factor(rng, rank, columns), scale)


def few(rng: np.random.Generator, shape: tuple[int, ...], size: float = 0.02) -> SparseSpec:
    """A sparse component with a mask as gaps."""
    mask = MaskSpec("elements", "gaps", "adaptive", rng.random(shape) < 0.1)
    return SparseSpec(MatrixSpec("bf16", "zstd", deltas(rng, "bf16", shape, size), (mask,)))


@vector
def lossy_low_rank(context: Context) -> tuple[str, bytes]:
    """Products of full factors, with a scale (negative, no binary fraction) and without; three dtypes."""
    base, rng, specs = context.base(TINY), context.rng, []
    for name, rank, scale in (("embed.weight", 4, 2), ("half.weight", 1, None), ("full.weight", 7, -0.3)):
        parts = [near(product(rng, rank, base[name].shape, scale))]
        specs.append(predicted(base[name], parts))
    return lossy_vector(context, TINY, specs)


@vector
def lossy_fused(context: Context) -> tuple[str, bytes]:
    """Sums next to ties: to round the product, or the sum in binary64, first would give others."""
    base = context.base(TINY)["full.weight"]
    # x y is 2^46 + 1 and 2^46 - 1; beside 2^24 halves of a unit, the 1 decides.
    left = np.resize([8_384_513, (1 << 23) + 1, -8_384_513, 1 - (1 << 23)], 20) * 2.0**-35
    right = np.resize([8_392_705, (1 << 23) - 1, (1 << 23) + 1], 16) * 2.0**-35
    sums = np.resize([1, 1 + 2.0**-23, -1, -1 - 2.0**-23, 2 - 2.0**-23], 16)
    factors = [np.stack([np.ones(20), left]), np.stack([sums, right])]
    first, second = (MatrixSpec("f32", "none", factor.astype(np.float32).view(np.uint32)) for factor in factors)
    return lossy_vector(context, TINY, [predicted(base, [near(LowRankSpec(first, second))])])


@vector
def lossy_factors(context: Context) -> tuple[str, bytes]:
    """Factors with masks, steps, scales and q; seeded masks of one seed differ from left to right."""
    base, rng = context.base(TINY)["embed.weight"], context.rng
    left = factor(rng, 6, 40, masks=(seeded(seed=5, rate=0.5),), q=0.5)
    right = factor(rng, 6, 24, masks=(seeded(seed=5, rate=0.5),), q=[0.5, 1, 0.25, 2, 3, 0.1])
    small = MatrixSpec("int8", "rans", codes(rng, 127, (6, 40)), scales=SCALES)
    columns = MaskSpec("columns", "bits", "none", rng.random(24) < 0.5)
    rows = MaskSpec("rows", "gaps", "adaptive", np.arange(6) % 2 == 0)
    tiny = MatrixSpec("int4", "none", codes(rng, 7, (6, 24)), (columns, rows), step=0.25)
    full = replace(tiny, masks=(replace(columns, keep=np.ones(24, bool)),))
    components = {
        "masked": LowRankSpec(left, right, 1.5),
        "codes": LowRankSpec(small, tiny),
        "none": LowRankSpec(left, full),
    }
    return lossy_vector(context, TINY, [
        predicted(base, [near(component)], replace(base, name=name)) for name, component in components.items()
    ])  # fmt: skip


@vector
def lossy_factor_cells(context: Context) -> tuple[str, bytes]:
    """A product of rank 300 whose right factor has two cells; the result has fewer rows than its base."""
    base, rng = context.base("wide.safetensors")["wide"], context.rng
    keep = rng.random((300, 1000)) < 0.004
    masks = (MaskSpec("elements", "gaps", "rans", keep),)
    q = (1 + np.arange(300) / 7).tolist()
    right = MatrixSpec("int4", "rans", codes(rng, 7, keep.shape), masks, scales=SCALES, q=q)
    left = MatrixSpec("f16", "none", deltas(rng, "f16", (300, 2), 1.0))
    parts = [near(LowRankSpec(left, right, 3))]
    return lossy_vector(context, "wide.safetensors", [predicted(base, parts, replace(base, shape=(2, 1000)))])


@vector
def lossy_sums(context: Context) -> tuple[str, bytes]:
    """Two components (a product and a sparse matrix, in both orders), and eight; their order decides."""
    base, rng = context.base(TINY)["full.weight"], context.rng
    two: tuple[ComponentSpec, ...] = (product(rng, 3, (20, 16), 0.5), few(rng, (20, 16)))
    powers = [deltas(rng, "f32", (20, 16), 10.0**-k) for k in range(8)]
    eight = tuple(SparseSpec(MatrixSpec("f32", "none", data)) for data in powers)
    sums: dict[str, tuple[ComponentSpec, ...]] = {"two": two, "turned": two[::-1], "eight": eight, "eight turned": eight[::-1]}
    return lossy_vector(context, TINY, [
        predicted(base, [near(*components)], replace(base, name=name)) for name, components in sums.items()
    ])  # fmt: skip


def _over(spec: TensorSpec, rng: np.random.Generator, part: PartSpec) -> TensorSpec:
    """A tensor that is near a prediction, coded over it."""
    part = replace(part, components=spec.parts[0].components)
    return replace(spec, result=moved(rng, spec.result, 1.0, 0.8), parts=[part])


@vector
def exact_over_components(context: Context) -> tuple[str, bytes]:
    """The contract exact: parts exact, xor and copy over predictions."""
    base, rng = context.base(TINY), context.rng
    specs = []
    parts = {
        "embed.weight": PartSpec("exact", "rans", unit=24),
        "half.weight": PartSpec("xor", "zstd"),
        "full.weight": PartSpec("exact", "rans", unit=8),
    }
    for name, part in parts.items():
        spec = predicted(base[name], [near(product(rng, 3, base[name].shape, 0.1))])
        specs.append(_over(spec, rng, part))
        named = replace(base[name], name=f"{name}.copy")
        specs.append(predicted(base[name], [near(few(rng, base[name].shape))], named))
    return file_vector(context, TINY, specs)


@vector
def lossy_and_exact(context: Context) -> tuple[str, bytes]:
    """The contract lossy for a file without a component, and for one with exact parts over predictions."""
    base, rng = context.base(TINY), context.rng
    embed, half = base["embed.weight"], base["half.weight"]
    over = predicted(half, [near(product(rng, 2, (24, 20)))])
    return lossy_vector(context, TINY, [
        TensorSpec(moved(rng, embed, 2.0), [PartSpec("exact", "rans", unit=24)], embed),
        _over(over, rng, PartSpec("xor", "rans")),
        TensorSpec(base["ids"], COPY, base["ids"]),
        TensorSpec(base["empty.rows"], []),
    ])  # fmt: skip


@vector
def lossy_ranks(context: Context) -> tuple[str, bytes]:
    """Tensors of rank 0, 1, 3 and 4 with a sparse matrix and a product."""
    specs = []
    for base in context.bases["ranks.safetensors"]:
        columns = math.prod(base.shape[1:])
        shape = (len(base.patterns) // columns, columns) if len(base.shape) > 1 else (len(base.patterns), 1)
        rng = context.rng
        matrix = MatrixSpec("bf16", "none", deltas(rng, "bf16", shape), (seeded("rows", 3, 0.2),))
        specs.append(predicted(base, [near(SparseSpec(matrix), product(rng, 2, shape))]))
    return lossy_vector(context, "ranks.safetensors", specs)


@vector
def lossy_converted(context: Context) -> tuple[str, bytes]:
    """Bases of another dtype: matrices are added to the converted base. Ties, subnormals, NaNs."""
    base, rng, specs = context.base("convert.safetensors"), context.rng, []
    for source, target in (("f32", "BF16"), ("f32", "F16"), ("f16", "F32"), ("f16", "BF16"), ("bf16", "F16")):
        like = TensorData(f"{source}.as.{target}", target, (8, 16), b"")
        keep = rng.random((8, 16)) < 0.7
        data = deltas(rng, "f32", (8, 16), 1e-4)
        data[:2] = (base["f32"].patterns.reshape(8, 16)[:2] >> 1 & 0x7F80_0000) + 3
        mask = MaskSpec("elements", "bits", "none", keep)
        matrix = MatrixSpec("f32", "none", data, (mask,))
        specs.append(predicted(base[source], [near(SparseSpec(matrix))], like))
    return lossy_vector(context, "convert.safetensors", specs)


@vector
def lossy_special(context: Context) -> tuple[str, bytes]:
    """What stays the base's (NaN payloads, infinities, -0.0, a sum of 0); sums that are infinite or a NaN."""
    base, specs = context.base("convert.safetensors"), []
    sums = [0, 0x8000_0000, 1, 0x8000_0001, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFF81_2345, 0x7F7F_FFFF,
            0xFF7F_FFFF, 0x3F80_0000, 0xBF80_0000, 0x477F_E000, 0xC77F_F000, 0x0080_0000,
            0x3380_0001]  # fmt: skip
    for name, dtype in (("f32", "F32"), ("f16", "F16"), ("bf16", "BF16")):
        for shift in range(0, 16, 5):
            data = np.resize(np.roll(np.array(sums, np.uint32), shift), (8, 16))
            data = np.stack([np.roll(row, number) for number, row in enumerate(data)])
            like = TensorData(f"{name}.{shift}", dtype, (8, 16), b"")
            whole = SparseSpec(MatrixSpec("f32", "none", data))
            again = SparseSpec(MatrixSpec("f32", "zstd", data ^ np.uint32(0x8000_0000 * (shift % 2)), q=1e-3))
            specs.append(predicted(base[name], [near(whole) if shift else near(whole, again)], like))
            codes_ = MatrixSpec("int8", "none", np.resize([127, -127, 0, 1], (8, 16)), step=3e38, q=[0.5] * 8)
            inf = LowRankSpec(replace(codes_, data=codes_.data[:, :8]), codes_)
            specs.append(predicted(base[name], [near(inf)], replace(like, name=f"{like.name}.product")))
    return lossy_vector(context, "convert.safetensors", specs)
