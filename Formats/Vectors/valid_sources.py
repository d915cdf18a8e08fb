"""Valid vectors of sources and runs (section 4.3). The docstring of each is the sentence about it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from bases import floats, moved, tensor
from silt_sources import Run, SourceSpec, gather
from silt_specs import MatrixSpec, SparseSpec
from silt_writer import PartSpec, TensorData, TensorSpec
from valid_components import few, product
from valid_matrices import deltas, seeded
from vectors import COPY, Context, exact, file_vector, lossy_vector, near, predicted, vector

STACK = "stack.safetensors"
Sources = list[SourceSpec]


def base_of(sources: Sources, runs: list[Run] | None, like: TensorData) -> TensorData:
    """What the runs of these sources make for a tensor like this one: 0 where nothing predicts."""
    return replace(like, data=gather([source.tensor for source in sources], runs, like).tobytes())


def from_runs(result: TensorData, parts: list[PartSpec], sources: Sources, runs: list[Run] | None) -> TensorSpec:
    return TensorSpec(result, parts, sources=tuple(sources), runs=None if runs is None else tuple(runs))


def of_base(*tensors: TensorData) -> Sources:
    return [SourceSpec(tensor) for tensor in tensors]


def like(name: str, dtype: str, *shape: int) -> TensorData:
    return tensor(name, dtype, shape, np.zeros(1))


def stacked(context: Context, name: str) -> tuple[TensorData, Sources, list[Run]]:
    """e.0, e.1 and e.2 in one tensor of rank 3: its base, the sources and the runs."""
    base = context.base(STACK)
    sources = of_base(*(base[f"e.{number}"] for number in range(3)))
    runs: list[Run] = [(128, number, 0) for number in range(3)]
    return base_of(sources, runs, like(name, "BF16", 3, 8, 16)), sources, runs


def copies(name: str, sources: Sources, runs: list[Run] | None, dtype: str, *shape: int) -> TensorSpec:
    """A tensor that is its base."""
    return from_runs(base_of(sources, runs, like(name, dtype, *shape)), COPY, sources, runs)


@vector
def sources_stacked(context: Context) -> tuple[str, bytes]:
    """Three base tensors of rank 2 are one of rank 3: a copy, and one with an exact part over all of it."""
    same, sources, runs = stacked(context, "experts")
    near_ = moved(context.rng, replace(same, name="experts.tuned"), 2.0)
    return file_vector(context, STACK, [
        from_runs(same, COPY, sources, runs), from_runs(near_, [exact(16)], sources, runs)
    ])  # fmt: skip


@vector
def sources_slice(context: Context) -> tuple[str, bytes]:
    """A base tensor's rows from 5 on; its last element alone, for a scalar; and all of it under another shape."""
    rows = context.base(STACK)["rows"]
    sources = of_base(rows)
    runs: list[Run] = [(12 * 16, 0, 5 * 16)]
    near_ = moved(context.rng, base_of(sources, runs, like("split", "BF16", 12, 16)), 2.0)
    return file_vector(context, STACK, [
        from_runs(near_, [exact(8)], sources, runs),
        copies("last", sources, [(1, 0, 479)], "BF16"),
        copies("flat", sources, None, "BF16", 480),
        copies("square", sources, None, "BF16", 15, 2, 16),
    ])  # fmt: skip


@vector
def sources_interleaved(context: Context) -> tuple[str, bytes]:
    """Rows of three base tensors in turn; parts (copy, xor, exact) that end within rows and runs."""
    base = context.base(STACK)
    sources = of_base(*(base[name] for name in "qkv"))
    runs: list[Run] = [(8, row % 3, row // 3 * 8) for row in range(18)]
    same = base_of(sources, runs, like("qkv", "F32", 18, 8))
    near_ = moved(context.rng, same, 5_000.0).patterns
    result = replace(same, data=np.concatenate([same.patterns[:13], near_[13:]]).tobytes())
    parts = [PartSpec("copy", None, 13), PartSpec("xor", "rans", 60), exact(4)]
    return file_vector(context, STACK, [from_runs(result, parts, sources, runs)])


@vector
def sources_holes(context: Context) -> tuple[str, bytes]:
    """Holes before, between and after runs, said as runs and not said; whole parts over them and beyond."""
    rows = context.base(STACK)["rows"]
    sources, rng = of_base(rows), context.rng
    holes: list[Run] = [(20,), (100, 0, 60), (30,), (10,), (70, 0, 0), (6,)]
    result = base_of(sources, holes, like("holes", "BF16", 16, 16))
    fresh = result.patterns.copy()
    for start, stop in ((0, 20), (110, 165), (230, 256)):
        fresh[start:stop] = floats(rng, "BF16", stop - start)
    fresh[170:200] ^= 5
    result = replace(result, data=fresh.tobytes())
    parts = [PartSpec("whole", "none", 20), PartSpec("copy", None, 90), PartSpec("whole", "zstd", 55),
             PartSpec("xor", "none", 65), PartSpec("whole", "rans")]  # fmt: skip
    end: list[Run] = [(100,), (28, 0, 0)]
    return file_vector(context, STACK, [
        from_runs(result, parts, sources, holes),
        from_runs(
            base_of(sources, end, like("end", "BF16", 8, 16)), [PartSpec("whole", "lz4", 100), *COPY], sources, end
        ),
    ])  # fmt: skip


@vector
def sources_reordered(context: Context) -> tuple[str, bytes]:
    """A vocabulary in another order: some rows are new, some serve twice, some no more."""
    rows = context.base(STACK)["rows"]
    sources = of_base(rows)
    order = [7, 3, 3, 29, 0, 1, 2, 3, 28, 7]
    runs: list[Run] = [(16, 0, 16 * row) for row in order]
    old = moved(context.rng, base_of(sources, runs, like("vocabulary", "BF16", 10, 16)), 1.0)
    new = floats(context.rng, "BF16", 48)
    result = TensorData("vocabulary", "BF16", (13, 16), old.data + new.tobytes())
    return file_vector(context, STACK, [from_runs(result, [exact(16, 160), PartSpec("whole", "zstd")], sources, runs)])


@vector
def sources_converted(context: Context) -> tuple[str, bytes]:
    """Sources of BF16, F16 and F32 in one tensor of F32, of F16 and of BF16; runs begin within rows."""
    base = context.base("convert.safetensors")
    sources, specs = of_base(base["bf16"], base["f16"], base["f32"]), []
    runs: list[Run] = [(100, 0, 28), (28, 1, 0), (64, 1, 64), (64, 2, 3), (61, 2, 67), (3, 0, 0)]
    for dtype in ("F32", "F16", "BF16"):
        same = base_of(sources, runs, like(f"as.{dtype}", dtype, 20, 16))
        near_ = moved(context.rng, same, 3.0).patterns
        data = np.concatenate([same.patterns[:110], near_[110:]]).tobytes()
        parts = [PartSpec("copy", None, 110), exact(16, 100), PartSpec("xor", "zstd")]
        specs.append(from_runs(replace(same, data=data), parts, sources, runs))
    return file_vector(context, "convert.safetensors", specs)


@vector
def sources_sub_byte(context: Context) -> tuple[str, bytes]:
    """Dtypes of 4 bits: runs count bytes; two sources of other ranks."""
    base = context.base(STACK)
    runs: list[Run] = [(7, 1, 7), (18, 0, 0), (3, 1, 1)]
    sources = of_base(base["four"], base["six"])
    near_ = moved(context.rng, base_of(sources, runs, like("near", "F4", 4, 14)), 2.0)
    return file_vector(context, STACK, [
        copies("both", sources, runs, "F4", 4, 14), from_runs(near_, [PartSpec("xor", "none")], sources, runs)
    ])  # fmt: skip


@vector
def sources_cells(context: Context) -> tuple[str, bytes]:
    """Runs across the cells of a tensor of 263 rows of 1,000, from two base tensors, one of another shape."""
    base = context.base("wide.safetensors")
    wide = base["wide"]
    sources = of_base(wide, base["flat"])
    runs: list[Run] = [(150_500, 0, 100_123), (1,), (111_900, 0, 0), (599, 0, 262_001)]
    same = base_of(sources[:1], runs, like("turned", "BF16", 263, 1000))
    parts = [PartSpec("copy", None, 150_500), PartSpec("whole", "none", 1), exact(1000, 111_000),
             PartSpec("xor", "zstd")]  # fmt: skip
    changed = same.patterns.copy()
    changed[150_500] = 0x1234
    for index in context.rng.integers(151_000, 263_000, 500):
        changed[index] ^= 3
    result = replace(same, data=changed.tobytes())
    two: list[Run] = [(262_000, 1, 150), (1_000, 0, 262_000), (1_000, 1, 0)]
    return file_vector(context, "wide.safetensors", [
        from_runs(result, parts, sources[:1], runs), copies("mixed", sources, two, "BF16", 264, 1000)
    ])  # fmt: skip


@vector
def sources_most_runs(context: Context) -> tuple[str, bytes]:
    """A tensor of 65,536 runs, each of one element, and the same one."""
    runs: list[Run] = [(1, 0, 3)] * 65_536
    return file_vector(context, STACK, [copies("broadcast", of_base(context.base(STACK)["six"]), runs, "F4", 512, 256)])


@vector
def sources_repeated(context: Context) -> tuple[str, bytes]:
    """Runs of the same elements; a run for elements of a whole part; a run that another would have continued."""
    base = context.base(STACK)
    sources = of_base(base["e.0"], base["e.1"])
    runs: list[Run] = [(100, 0, 0), (28, 0, 100), (100, 0, 0), (28, 1, 3)]
    result = base_of(sources, runs, like("twice", "BF16", 16, 16))
    fresh = np.concatenate([result.patterns[:210], floats(context.rng, "BF16", 46)])
    parts = [PartSpec("copy", None, 210), PartSpec("whole", "none")]
    return file_vector(context, STACK, [from_runs(replace(result, data=fresh.tobytes()), parts, sources, runs)])


@vector
def sources_widths(context: Context) -> tuple[str, bytes]:
    """Runs over elements of 1, 2, 4 and 8 bytes: the second half of a base tensor, then the first."""
    base, specs = context.base("tiny.safetensors"), []
    for name, part in (("ids", PartSpec("xor", "rans")), ("flags", PartSpec("xor", "none")), ("f8_e5m2", exact(16)),
                       ("half.weight", exact(20)), ("full.weight", exact(16)), ("four", PartSpec("xor", "lz4"))):  # fmt: skip
        half = base[name].count // 2
        sources, runs = of_base(base[name]), [(half, 0, half), (half, 0, 0)]
        result = moved(context.rng, base_of(sources, [*runs], base[name]), 2.0)
        specs.append(from_runs(result, [part], sources, [*runs]))
    return file_vector(context, "tiny.safetensors", specs)


@vector
def lossy_over_runs(context: Context) -> tuple[str, bytes]:
    """Sparse matrices and products over stacked, interleaved and converted sources, and over an earlier tensor."""
    base, rng, specs = context.base(STACK), context.rng, []
    same, sources, runs = stacked(context, "experts")
    matrix = MatrixSpec("bf16", "rans", deltas(rng, "bf16", (3, 128)), (seeded(rate=0.5),), q=0.5)
    rows = of_base(*(base[name] for name in "qkv"))
    turns: list[Run] = [(8, row % 3, row // 3 * 8) for row in range(18)]
    qkv = base_of(rows, turns, like("qkv", "F32", 18, 8))
    halves = of_base(base["half"], base["e.0"], base["q"])
    mixed: list[Run] = [(128, 0, 0), (100, 1, 28), (28, 2, 0)]
    cast = base_of(halves, mixed, like("cast", "BF16", 16, 16))
    for result, parts, found, made in (
        (same, [near(SparseSpec(matrix))], sources, runs),
        (qkv, [near(product(rng, 3, (18, 8), 0.1), few(rng, (18, 8)))], rows, turns),
        (cast, [near(few(rng, (16, 16)))], halves, mixed),
    ):
        spec = predicted(result, parts)
        specs.append(replace(spec, base=None, sources=tuple(found), runs=tuple(made)))
    tied = [SourceSpec(specs[0].result, result=True)]
    again = predicted(replace(specs[0].result, name="again"), [near(few(rng, (3, 128)))])
    specs.append(replace(again, base=None, sources=tuple(tied)))
    return lossy_vector(context, STACK, specs)


@vector
def exact_over_runs(context: Context) -> tuple[str, bytes]:
    """The contract exact: xor and exact parts over predictions from runs, and a whole part over a hole."""
    rng = context.rng
    same, sources, runs = stacked(context, "experts")
    grown = TensorData("grown", "BF16", (4, 8, 16), same.data + bytes(math.prod((8, 16)) * 2))
    matrix = SparseSpec(MatrixSpec("bf16", "none", deltas(rng, "bf16", (3, 128))))
    specs = []
    for name, part in (("xor", PartSpec("xor", "zstd", 384)), ("exact", exact(16, 384))):
        spec = predicted(replace(grown, name=name), [near(matrix, elements=384), PartSpec("whole", "none")])
        result = moved(rng, spec.result, 1.0, 0.7)
        parts = [replace(part, components=(matrix,)), PartSpec("whole", "zstd")]
        specs.append(from_runs(result, parts, sources, runs))
    return file_vector(context, STACK, specs)
