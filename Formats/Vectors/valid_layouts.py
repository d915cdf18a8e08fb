"""Valid vectors of names, shapes, files and containers. The docstring of each is the sentence about it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from bases import moved, tensor
from silt_coders import BitWriter, PlaneCoder, put_table
from silt_seal import Draft, chunk_table, seal
from silt_writer import Builder, PartSpec, TensorSpec, safetensors_file
from vectors import COPY, Context, exact, file_draft, file_vector, vector


@vector
def renamed(context: Context) -> tuple[str, bytes]:
    """Tensors under other names than in the base; one base tensor serves two; names beyond ASCII."""
    base = context.base("small.safetensors")
    a = moved(context.rng, base["a"], 2.0)
    return file_vector(context, "small.safetensors", [
        TensorSpec(replace(a, name="model.a"), [exact(16)], base["a"]),
        TensorSpec(replace(base["a"], name="größe.\u6a21\U0001f9ca"), COPY, base["a"]),
        TensorSpec(replace(base["c"], name="a"), COPY, base["c"]),
        TensorSpec(replace(base["b"], name='quote"\\slash\n'), COPY, base["b"]),
    ])  # fmt: skip


@vector
def shared_tables(context: Context) -> tuple[str, bytes]:
    """One chunk of tables for BF16 and F16 residuals, and one for planes of xor and whole parts."""
    base = context.base("tiny.safetensors")
    fresh = tensor("fresh", "I32", (50,), context.rng.integers(0, 900, 50))
    parts = {
        "embed.weight": exact(24, group="r"),
        "half.weight": exact(20, group="r"),
        "full.weight": PartSpec("xor", "rans", group="p"),
    }
    specs = [
        TensorSpec(moved(context.rng, base[name], 2.0), [part], base[name]) for name, part in parts.items()
    ]
    specs.append(TensorSpec(fresh, [PartSpec("whole", "rans", group="p")]))
    return file_vector(context, "tiny.safetensors", specs)


@vector
def empty_and_scalar(context: Context) -> tuple[str, bytes]:
    """Tensors without elements (ranks 1, 2 and 3) and of rank 0."""
    empties = [tensor("e1", "F32", (0,), np.zeros(1)), tensor("e2", "I64", (3, 0), np.zeros(1)),
               tensor("e3", "BF16", (0, 5, 7), np.zeros(1))]  # fmt: skip
    scalar = context.base("tiny.safetensors")["scalar"]
    specs = [TensorSpec(empty, []) for empty in empties]
    specs.append(TensorSpec(moved(context.rng, scalar, 5.0, 0.0), [PartSpec("xor", "none")], scalar))
    specs.append(TensorSpec(tensor("one", "BF16", (), np.array([0x3F80])), [PartSpec("whole", "rans")]))
    return file_vector(context, "tiny.safetensors", specs)


@vector
def sub_byte(context: Context) -> tuple[str, bytes]:
    """Dtypes of 4 and 6 bits, whose elements are bytes: copy and xor parts of one tensor, and a whole one."""
    base = context.base("tiny.safetensors")
    four = replace(base["four"], data=base["four"].data[:10] + bytes(range(14)))
    six = tensor("new.six", "F6_E3M2", (4, 4), context.rng.integers(0, 256, 12))
    return file_vector(context, "tiny.safetensors", [
        TensorSpec(four, [PartSpec("copy", None, 10), PartSpec("xor", "zstd")], base["four"]),
        TensorSpec(six, [PartSpec("whole", "rans")]),
    ])  # fmt: skip


@vector
def empty_chunks(context: Context) -> tuple[str, bytes]:
    """Parts of every kind whose only chunk is empty, and the tables that they need all the same."""
    base = context.base("small.safetensors")
    zeros = tensor("zeros", "F64", (100,), np.zeros(100))
    return file_vector(context, "small.safetensors", [
        TensorSpec(base["a"], [exact(16)], base["a"]),
        TensorSpec(base["b"], [PartSpec("xor", "lz4")], base["b"]),
        TensorSpec(base["c"], [PartSpec("xor", "rans")], base["c"]),
        TensorSpec(zeros, [PartSpec("whole", "zstd", 50), PartSpec("whole", "none")]),
    ])  # fmt: skip


def directory_draft(context: Context) -> Draft:
    """The result of the vector `directory`."""
    base = context.base("sharded")
    builder = Builder(context.bases["sharded"], form="directory")
    for number, name in enumerate(base):
        result = moved(context.rng, base[name], 2.0)
        header, _ = safetensors_file([result], None, 3 * number)
        path = f"model-{number + 1:05}-of-00003.safetensors"
        builder.add_safetensors(path, header, [TensorSpec(result, [exact(8)], base[name])])
    files = context.root / "bases" / "sharded"
    builder.add_base("config.json", (files / "config.json").read_bytes(), "config.json")
    builder.add_base("docs/read me.md", (files / "README.md").read_bytes(), "README.md")
    builder.add_stored("docs/empty.txt", b"", "zstd")
    builder.add_stored("docs/notes.txt", b"A stored file.\n", "none")
    builder.add_stored("tokenizer/vocab.txt", b"the same token\n" * 80_000, "zstd")
    return builder.build()


@vector
def directory(context: Context) -> tuple[str, bytes]:
    """A directory on a sharded base: safetensors files, stored ones (empty; of two pieces) and equal ones."""
    return "sharded", seal(directory_draft(context))


@vector
def loose_base(context: Context) -> tuple[str, bytes]:
    """A base directory without an index and without model.safetensors: all its .safetensors files count."""
    base = context.base("loose")
    specs = [
        TensorSpec(moved(context.rng, base[name], 2.0), [PartSpec("xor", "zstd")], base[name])
        for name in base
    ]
    return file_vector(context, "loose", specs)


@vector
def extensions(context: Context) -> tuple[str, bytes]:
    """Fields and entries that begin with x- wherever they may stand, and a metadata key of our own."""
    base = context.base("small.safetensors")["a"]
    spec = TensorSpec(moved(context.rng, base, 2.0), [exact(16, 100), PartSpec("copy")], base)
    spec = replace(spec, result=replace(spec.result, data=spec.result.data[:200] + base.data[200:]))
    draft = file_draft(context, "small.safetensors", [spec])
    file = draft.manifest["files"][0]
    entry = file["tensors"]["a"]
    for number, part in enumerate((draft.manifest, file, entry, entry["sources"][0], *entry["parts"])):
        part["x-note"] = [number, -1.5e3, {"x": None}]
    for summary in ("base", "result"):
        draft.manifest[summary]["x-"] = True
    extra = {"x-thumbnail": bytes(range(100)), "x-none": b""}
    return "small.safetensors", seal(
        draft, extra=extra, edit_header=lambda header: header["__metadata__"].update({"licence": "none"})
    )


def _padded(context: Context, padding: int, own: int) -> tuple[str, bytes]:
    base = context.base("small.safetensors")["c"]
    spec = TensorSpec(moved(context.rng, base, 20.0), [exact(8)], base)
    return "small.safetensors", seal(file_draft(context, "small.safetensors", [spec], padding), padding=own)


@vector
def padding_none(context: Context) -> tuple[str, bytes]:
    """No padding in the header of the file nor in that of the result."""
    return _padded(context, 0, 0)


@vector
def padding_much(context: Context) -> tuple[str, bytes]:
    """3,001 spaces after the file's header, 77 after the result's."""
    return _padded(context, 77, 3_001)


@vector
def odd_header(context: Context) -> tuple[str, bytes]:
    """A result whose header has its tensors out of order, escapes, newlines and a long metadata string."""
    base = context.base("small.safetensors")
    b, c = (replace(base[name], name=new) for name, new in (("b", "\u00e9"), ("c", "/")))
    entries = []
    for result, begin in ((b, 0), (c, len(b.data))):
        offsets = [begin, begin + len(result.data)]
        info = {"dtype": result.dtype, "shape": list(result.shape), "data_offsets": offsets}
        entries.append(json.dumps(info, indent=1))
    metadata = json.dumps({"note": "ä\t" * 200})
    header = f'{{"\\/": {entries[1]},\r\n "__metadata__": {metadata},\t"\\u00E9": {entries[0]} }}\n'
    builder = Builder(context.bases["small.safetensors"])
    specs = [TensorSpec(b, COPY, base["b"]), TensorSpec(c, [PartSpec("xor", "zstd")], base["c"])]
    builder.add_safetensors("out.safetensors", header, specs)
    return "small.safetensors", seal(builder.build())


@vector
def no_tensors(context: Context) -> tuple[str, bytes]:
    """A result without any tensor: its header is {}; the payload and the chunk table are empty."""
    builder = Builder(context.bases["small.safetensors"])
    builder.add_safetensors("none.safetensors", "{}", [])
    return "small.safetensors", seal(builder.build())


@vector
def table_parameters(context: Context) -> tuple[str, bytes]:
    """Tables stored with k = 0, whose differences escape, with k = 12, and with a single symbol."""
    data = tensor("bytes", "U8", (400,), context.rng.binomial(40, 0.3, 400))
    one = tensor("seven", "U8", (40,), np.array([7]))
    specs = [TensorSpec(replace(data, name=str(k)), [PartSpec("whole", "rans")]) for k in (0, 5, 12)]
    draft = file_draft(context, "small.safetensors", [*specs, TensorSpec(one, [PartSpec("whole", "rans")])])
    coder = PlaneCoder.fit([data.patterns[:, None]], 1)
    for index, k in ((0, 0), (4, 12)):
        bits = BitWriter()
        put_table(bits, coder.tables[0], k)
        draft.chunks[index] = bytes([2, 1, *coder.modes]) + bits.finish()
    return "small.safetensors", seal(draft, table=chunk_table(draft.chunks))
