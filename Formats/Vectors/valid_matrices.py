"""Valid vectors of sparse components: values, scales and masks. Docstrings say what is in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xxhash

from silt.convert import narrow
from silt.philox import words
from silt_specs import MaskSpec, MatrixSpec, SparseSpec
from silt_writer import TensorData, TensorSpec
from vectors import Context, lossy_vector, near, predicted, vector

TINY = "tiny.safetensors"
DTYPE = {"f32": "F32", "f16": "F16", "bf16": "BF16"}
SCALES = np.array([0x3A80, 0x3B12, 0, 0x39FF, 0x3C01, 0x3B12, 0x0001])


def deltas(rng: np.random.Generator, kind: str, shape: tuple[int, ...], size: float = 0.01) -> np.ndarray:
    """Patterns of small differences."""
    return narrow(rng.normal(0, size, shape).astype(np.float32).view(np.uint32), DTYPE[kind])


def codes(rng: np.random.Generator, largest: int, shape: tuple[int, ...]) -> np.ndarray:
    """Codes of about the shape that quantised differences have; the largest and its negative are there."""
    found = np.clip(np.rint(rng.normal(0, largest / 3, shape)), -largest, largest).astype(np.int64)
    found.reshape(-1)[:2] = largest, -largest
    return found


def signs(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice([-1, 1], shape)


def seeded(over: str = "elements", seed: int = 1, rate: float = 0.75) -> MaskSpec:
    return MaskSpec(over, "seeded", seed=seed, threshold=round(rate * 2**32))


def sparse(base: TensorData, name: str, matrix: MatrixSpec) -> TensorSpec:
    """A tensor of this name that is the base and a matrix."""
    return predicted(base, [near(SparseSpec(matrix))], replace(base, name=name))


@vector
def lossy_dropped(context: Context) -> tuple[str, bytes]:
    """Seeded masks over elements; the rescale factor as a number, for each row, and absent; a large seed."""
    base, rng = context.base(TINY), context.rng
    embed, half, full = (base[name] for name in ("embed.weight", "half.weight", "full.weight"))
    rows = rng.uniform(0.05, 1, 24).tolist()
    plain = MatrixSpec("f32", "none", deltas(rng, "f32", full.shape), (seeded(seed=0),))
    return lossy_vector(context, TINY, [
        sparse(embed, "embed.weight", MatrixSpec("bf16", "rans", deltas(rng, "bf16", embed.shape),
                                                 (seeded(seed=42, rate=0.9),), q=0.1)),
        sparse(half, "größe", MatrixSpec("f16", "zstd", deltas(rng, "f16", half.shape),
                                         (seeded(seed=2**63 - 1),), q=rows)),
        sparse(full, "full.weight", plain),
        sparse(full, "other", replace(plain, q=3)),
    ])  # fmt: skip


@vector
def lossy_thresholds(context: Context) -> tuple[str, bytes]:
    """A threshold that is a position's word (it stays), and one that is 1 more (it is dropped); extremes."""
    base, rng = context.base(TINY)["full.weight"], context.rng
    data, specs = deltas(rng, "f32", base.shape), []
    for name, more in (("equal", 0), ("above", 1)):
        word = int(words(5, xxhash.xxh3_64_intdigest(name.encode()), 7, 1)[0])
        mask = MaskSpec("elements", "seeded", seed=5, threshold=word + more)
        specs.append(sparse(base, name, MatrixSpec("f32", "none", data, (mask,))))
    for threshold in (1, 2**32 - 1):
        mask = MaskSpec("elements", "seeded", seed=5, threshold=threshold)
        specs.append(sparse(base, f"at {threshold}", MatrixSpec("f32", "none", data, (mask,))))
    return lossy_vector(context, TINY, specs)


@vector
def lossy_floats(context: Context) -> tuple[str, bytes]:
    """Full matrices of each type of floats with each codec, on bases of all three dtypes."""
    base, rng, specs = context.base(TINY), context.rng, []
    for name in ("embed.weight", "half.weight", "full.weight"):
        for kind in DTYPE:
            for codec in ("none", "zstd", "rans"):
                shape = (7, *base[name].shape[1:])
                few = replace(base[name], name=f"{name}.{kind}.{codec}", shape=shape)
                matrix = MatrixSpec(kind, codec, deltas(rng, kind, shape))
                specs.append(predicted(base[name], [near(SparseSpec(matrix))], few))
    return lossy_vector(context, TINY, specs)


@vector
def lossy_codes(context: Context) -> tuple[str, bytes]:
    """Each type of codes with each codec that it has, under one step."""
    base, rng, specs = context.base(TINY)["full.weight"], context.rng, []
    for kind, largest in (("int8", 127), ("int4", 7), ("int2", 1)):
        for codec in ("none", "rans", "adaptive"):
            data = codes(rng, largest, base.shape)
            specs.append(sparse(base, f"{kind}.{codec}", MatrixSpec(kind, codec, data, step=0.02 / largest)))
    wide = rng.integers(-(1 << 24) + 1, 1 << 24, base.shape) >> rng.integers(0, 24, base.shape)
    wide.reshape(-1)[:2] = (1 << 24) - 1, 1 - (1 << 24)
    specs.append(sparse(base, "int.adaptive", MatrixSpec("int", "adaptive", wide, step=1e-9)))
    for codec in ("none", "rans"):
        specs.append(
            sparse(base, f"sign.{codec}", MatrixSpec("sign", codec, signs(rng, base.shape), step=1e-3))
        )
    return lossy_vector(context, TINY, specs)


@vector
def lossy_scales(context: Context) -> tuple[str, bytes]:
    """Scales of rows and of groups (a scale of 0 and a subnormal one among them), with masks and without."""
    base, rng = context.base(TINY)["embed.weight"], context.rng
    specs, mask = [], (seeded(rate=0.5),)
    for kind, codec, largest in (("int8", "rans", 127), ("int4", "none", 7), ("int", "adaptive", 900)):
        data = codes(rng, largest, base.shape)
        full = MatrixSpec(kind, codec, data, scales=SCALES)
        specs += [
            sparse(base, f"{kind}.rows", full),
            sparse(base, f"{kind}.rows.masked", replace(full, masks=mask, q=0.5)),
            sparse(base, f"{kind}.groups", replace(full, by_rows=False, scale_group=64)),
            sparse(base, f"{kind}.groups.masked", replace(full, masks=mask, by_rows=False, scale_group=7)),
            sparse(base, f"{kind}.one.group", replace(full, by_rows=False, scale_group=2**63 - 1)),
        ]
    one = MatrixSpec("sign", "none", signs(rng, base.shape), scales=SCALES)
    specs.append(sparse(base, "sign.rows", one))
    specs.append(sparse(base, "sign.groups", replace(one, masks=mask, by_rows=False, scale_group=1)))
    return lossy_vector(context, TINY, specs)


@vector
def lossy_bits(context: Context) -> tuple[str, bytes]:
    """Masks over elements as bits: plain, in symbols of 8, 5, 3 and 1, and 2:4 in symbols of 4."""
    base, rng = context.base(TINY)["half.weight"], context.rng
    rows, columns = base.shape
    any_keep = rng.random(base.shape) < 0.2
    two = np.argsort(rng.random((rows, columns // 4, 4)), axis=2).reshape(base.shape) < 2
    uneven = np.zeros(base.shape, bool)
    uneven[3, 19] = uneven[23] = True
    masks = {
        "plain": ("none", 8, any_keep),
        "eight": ("rans", 8, any_keep),
        "two.of.four": ("rans", 4, two),
        "five": ("rans", 5, any_keep),
        "three": ("rans", 3, uneven),
        "one": ("rans", 1, uneven),
    }
    return lossy_vector(context, TINY, [
        sparse(base, name, MatrixSpec("int8", "rans", codes(rng, 127, base.shape),
                                      (MaskSpec("elements", "bits", codec, keep, width),), step=1e-4))
        for name, (codec, width, keep) in masks.items()
    ])  # fmt: skip


@vector
def lossy_gaps(context: Context) -> tuple[str, bytes]:
    """Masks over elements as gaps, with each codec: few and many, gaps of 254 to 511, the first and last."""
    base, rng, specs = context.base(TINY)["embed.weight"], context.rng, []
    long = np.zeros(len(base.patterns), bool)
    long[[0, 255, 511, 768, 769, 959]] = True
    late = np.zeros(len(long), bool)
    late[510] = True
    masks = {
        "few": rng.random(len(long)) < 0.03,
        "many": rng.random(len(long)) < 0.7,
        "long": long,
        "late": late,
    }
    for codec in ("none", "rans", "adaptive"):
        for name, keep in masks.items():
            mask = MaskSpec("elements", "gaps", codec, keep.reshape(base.shape))
            matrix = MatrixSpec("bf16", "none", deltas(rng, "bf16", base.shape), (mask,))
            specs.append(sparse(base, f"{codec}.{name}", matrix))
    return lossy_vector(context, TINY, specs)


@vector
def lossy_rows_and_columns(context: Context) -> tuple[str, bytes]:
    """Masks over rows and over columns: seeded, as bits and as gaps, with each codec; one after the other."""
    base, rng, specs = context.base(TINY)["embed.weight"], context.rng, []
    coded = [("bits", "none"), ("bits", "rans"), ("gaps", "none"), ("gaps", "rans"), ("gaps", "adaptive")]
    for over, count in (("rows", 40), ("columns", 24)):
        masks = [seeded(over, 9, 0.5)]
        masks += [MaskSpec(over, by, codec, rng.random(count) < 0.3, 3) for by, codec in coded]
        for mask in masks:
            matrix = MatrixSpec("int4", "adaptive", codes(rng, 7, base.shape), (mask,), scales=SCALES)
            specs.append(sparse(base, f"{over}.{mask.by}.{mask.codec}", matrix))
    return lossy_vector(context, TINY, specs)


@vector
def lossy_combined_masks(context: Context) -> tuple[str, bytes]:
    """Two and three masks at once, in several orders, seeded and stored."""
    base, rng = context.base(TINY)["embed.weight"], context.rng
    elements = MaskSpec("elements", "gaps", "adaptive", rng.random(base.shape) < 0.4)
    rows = MaskSpec("rows", "bits", "none", rng.random(40) < 0.5)
    columns = MaskSpec("columns", "bits", "rans", rng.random(24) < 0.6, 8)
    bits = replace(elements, by="bits", codec="none")
    orders = {
        "rows.elements": (rows, elements),
        "elements.rows": (elements, rows),
        "seeded": (seeded("elements", 7, 0.3), seeded("rows", 7, 0.3), seeded("columns", 7, 0.3)),
        "all": (columns, elements, rows),
        "mixed": (replace(rows, by="gaps", codec="rans"), seeded("columns", 2, 0.4), bits),
    }
    return lossy_vector(context, TINY, [
        sparse(base, name, MatrixSpec("int8", "rans", codes(rng, 127, base.shape), masks, step=2e-4, q=0.3))
        for name, masks in orders.items()
    ])  # fmt: skip


@vector
def lossy_empty_chunks(context: Context) -> tuple[str, bytes]:
    """Matrices whose only chunk is empty, with tables all the same; others keep nothing, but say so."""
    base, rng = context.base(TINY)["full.weight"], context.rng
    none = np.zeros(base.shape, bool)
    few = replace(base, shape=(1, 16))
    matrix = MatrixSpec("int8", "rans", codes(rng, 127, base.shape), step=1.0)
    specs = []
    for by, codec in (
        ("bits", "none"),
        ("bits", "rans"),
        ("gaps", "none"),
        ("gaps", "rans"),
        ("gaps", "adaptive"),
    ):
        masked = replace(matrix, masks=(MaskSpec("elements", by, codec, none),), scales=SCALES, step=None)
        specs += [
            sparse(base, f"empty.{by}.{codec}", masked),
            sparse(base, f"full.{by}.{codec}", replace(masked, fill=True)),
        ]
    dropped = replace(matrix, data=matrix.data[:1], masks=(seeded("rows", 0, 0.9999),))
    specs.append(predicted(base, [near(SparseSpec(dropped))], replace(few, name="dropped")))
    return lossy_vector(context, TINY, specs)


@vector
def lossy_cells(context: Context) -> tuple[str, bytes]:
    """Matrices of two cells (262 rows of 1,000; 262,144 of 1): masks of all kinds, scales, an empty chunk."""
    base, rng = context.base("wide.safetensors"), context.rng
    wide, flat = base["wide"], base["flat"]
    few = rng.random(wide.shape) < 0.002
    few[262, 990:] = True
    data, first = codes(rng, 7, wide.shape), few.copy()
    first[262] = False
    some_rows = np.isin(np.arange(263), [0, 5, 261, 262])
    q = (np.arange(263) / 263 + 0.5).astype(np.float32).astype(float).tolist()
    lone = np.zeros((262_150, 1), bool)
    lone[[0, 1, 70_000, 262_143, 262_144, 262_149]] = True
    gaps = MaskSpec("elements", "gaps", "adaptive", few)
    matrices = {
        "gaps": MatrixSpec("int4", "rans", data, (gaps,), scales=SCALES, by_rows=False, scale_group=50, q=q),
        "first": MatrixSpec("bf16", "rans", deltas(rng, "bf16", wide.shape),
                            (replace(gaps, keep=first, codec="rans"),)),
        "rows": MatrixSpec("int2", "adaptive", np.sign(data), (
            MaskSpec("rows", "gaps", "none", some_rows), seeded("columns", 3, 0.98)), scales=SCALES),
        "seeded": MatrixSpec("sign", "rans", np.where(data < 3, 1, -1), (seeded(seed=4, rate=0.998),),
                             step=0.01),
        "bits": MatrixSpec("sign", "none", np.where(data < 0, 1, -1),
                           (replace(gaps, by="bits", codec="rans", width=8),), step=0.02),
    }  # fmt: skip
    specs = [sparse(wide, name, matrix) for name, matrix in matrices.items()]
    mask = MaskSpec("elements", "gaps", "none", lone)
    specs.append(sparse(flat, "flat", MatrixSpec("f16", "zstd", deltas(rng, "f16", lone.shape), (mask,))))
    over_rows = MatrixSpec("int", "adaptive", np.ones(lone.shape, int), (
        seeded("rows", 8, 0.9999), seeded("elements", 8, 0.5)), step=0.25)  # fmt: skip
    specs.append(sparse(flat, "flat.rows", over_rows))
    return lossy_vector(context, "wide.safetensors", specs)


@vector
def lossy_lanes(context: Context) -> tuple[str, bytes]:
    """Values and masks in streams of 32 lanes, and of one beside them."""
    base, rng = context.base("lanes.safetensors"), context.rng
    odd, even = base["odd"], base["even"]
    keep = rng.random(odd.shape) < 0.05
    bits = MaskSpec("elements", "bits", "rans", keep, 1)
    rare = np.where(rng.random(odd.shape) < 0.01, 1, 0) * signs(rng, odd.shape)
    return lossy_vector(context, "lanes.safetensors", [
        sparse(odd, "symbols", MatrixSpec("int4", "none", codes(rng, 7, odd.shape), (bits,), step=1e-3)),
        sparse(odd, "codes", MatrixSpec("int2", "rans", rare, step=0.01)),
        sparse(even, "planes", MatrixSpec("bf16", "rans", np.resize(deltas(rng, "bf16", (40,)), even.shape))),
    ])  # fmt: skip


@vector
def lossy_shared_tables(context: Context) -> tuple[str, bytes]:
    """One chunk of tables for masks and values of several matrices, one of which has an empty chunk."""
    base, rng = context.base(TINY), context.rng
    specs = []
    for name, share in (("embed.weight", 0.3), ("half.weight", 0.1), ("full.weight", 0.0)):
        keep = rng.random(base[name].shape) < share
        mask = MaskSpec("elements", "gaps", "rans", keep, group="one")
        data = codes(rng, 7, base[name].shape)
        matrix = MatrixSpec("int4", "rans", data, (mask,), step=1e-3, group="one")
        specs.append(sparse(base[name], name, matrix))
    return lossy_vector(context, TINY, specs)
