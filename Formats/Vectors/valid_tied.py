"""Valid vectors of sources in the result, and in other files of the base. Docstrings say what is in them."""

from __future__ import annotations

import json
from dataclasses import replace

from bases import floats, moved, tensor
from silt_seal import Draft, seal
from silt_sources import Run, SourceSpec
from silt_writer import Builder, PartSpec, TensorSpec, safetensors_file
from valid_components import few
from valid_sources import STACK, base_of, copies, from_runs, like
from vectors import COPY, Context, exact, file_draft, file_vector, lossy_vector, near, predicted, vector


@vector
def sources_of_result(context: Context) -> tuple[str, bytes]:
    """Earlier tensors of the same file: tied ones, one moved a little, a slice, a part of one and of the base."""
    base, rng = context.base(STACK), context.rng
    first = moved(rng, base["rows"], 2.0)
    new = tensor("new", "BF16", (8, 16), floats(rng, "BF16", 128))
    tied = [SourceSpec(first, result=True)]
    slice_: list[Run] = [(160, 0, 32)]
    both = [SourceSpec(new, result=True), SourceSpec(base["e.2"]), SourceSpec(first, result=True)]
    runs: list[Run] = [(128, 0, 0), (128, 1, 0), (30, 2, 450), (2,)]
    mixed = base_of(both, runs, like("mixed", "BF16", 18, 16))
    mixed = replace(mixed, data=mixed.data[:-4] + b"\1\2\3\4")
    return file_vector(context, STACK, [
        TensorSpec(first, [exact(16)], base["rows"]),
        TensorSpec(new, [PartSpec("whole", "zstd")]),
        from_runs(replace(first, name="tied"), COPY, tied, None),
        from_runs(moved(rng, replace(first, name="moved"), 1.0), [PartSpec("xor", "zstd")], tied, None),
        copies("slice", tied, slice_, "BF16", 10, 16),
        from_runs(mixed, [PartSpec("copy", None, 286), PartSpec("whole", "none")], both, runs),
    ])  # fmt: skip


def _files(context: Context, base: str, files: list[tuple[str, list[TensorSpec]]]) -> tuple[str, bytes]:
    builder = Builder(context.bases[base], form="directory")
    for path, specs in files:
        header, _ = safetensors_file([spec.result for spec in specs], {"format": "pt"})
        builder.add_safetensors(path, header, specs)
    return base, seal(builder.build())


@vector
def sources_of_other_files(context: Context) -> tuple[str, bytes]:
    """Tensors of earlier files, whose paths come later in the alphabet; one of the own file besides."""
    base, rng = context.base(STACK), context.rng
    q, k = moved(rng, base["q"], 900.0), moved(rng, base["k"], 900.0)
    there = [SourceSpec(q, "z/first.safetensors", result=True)]
    both = [*there, SourceSpec(k, result=True)]
    runs: list[Run] = [(48, 1, 0), (48, 0, 0)]
    return _files(context, STACK, [
        ("z/first.safetensors", [TensorSpec(q, [exact(8)], base["q"])]),
        ("a.safetensors", [
            TensorSpec(k, [exact(8)], base["k"]),
            copies("tied", there, None, "F32", 6, 8),
            copies("both", both, runs, "F32", 2, 6, 8),
        ]),
    ])  # fmt: skip


@vector
def sources_of_one_name(context: Context) -> tuple[str, bytes]:
    """Two files of the result have a tensor of one name; the second's source is the first's, by its file alone."""
    base, rng = context.base(STACK), context.rng
    first, second = moved(rng, base["q"], 900.0), moved(rng, base["q"], 900.0)
    there = [SourceSpec(first, "first.safetensors", result=True)]
    return _files(context, STACK, [
        ("first.safetensors", [TensorSpec(first, [exact(8)], base["q"])]),
        ("second.safetensors", [from_runs(second, [exact(8)], there, None)]),
    ])  # fmt: skip


@vector
def sources_said(context: Context) -> tuple[str, bytes]:
    """Every field of a source is there, also where it says what would hold without it."""
    base, rng = context.base(STACK), context.rng
    first = moved(rng, base["q"], 900.0)
    tied = from_runs(replace(first, name="tied"), COPY, [SourceSpec(first, "model.safetensors", result=True)], None)
    draft = file_draft(context, STACK, [
        TensorSpec(first, [exact(8)], base["q"]), TensorSpec(base["k"], COPY, base["k"]), tied
    ])  # fmt: skip
    for name in "qk":
        said = {"in": "base", "name": name, "dtype": "F32", "shape": [6, 8], "digest": base[name].digest}
        draft.manifest["files"][0]["tensors"][name]["sources"] = [said]
    return STACK, seal(draft)


@vector
def sources_header_order(context: Context) -> tuple[str, bytes]:
    """A source in the result comes after its tensor in header and manifest, but its data begin before."""
    first = moved(context.rng, context.base(STACK)["q"], 900.0)
    tied = from_runs(replace(first, name="a"), COPY, [SourceSpec(first, result=True)], None)
    specs = [TensorSpec(first, [exact(8)], context.base(STACK)["q"]), tied]
    return STACK, seal(turned_draft(context, specs))


def turned_draft(context: Context, specs: list[TensorSpec]) -> Draft:
    """A result of one file whose header and manifest have the tensors in the opposite order of their data."""
    header = json.loads(safetensors_file([spec.result for spec in specs])[0])
    builder = Builder(context.bases[STACK])
    builder.add_safetensors("model.safetensors", json.dumps(dict(reversed(header.items()))), specs)
    draft = builder.build()
    (file,) = draft.manifest["files"]
    file["tensors"] = dict(reversed(file["tensors"].items()))
    return draft


@vector
def sources_of_base_files(context: Context) -> tuple[str, bytes]:
    """Tensors of another file below the base directory, with a name that the model has too, beside the model's."""
    (w, x), (other, head) = context.bases["extra"], context.bases["extra/heads/lm.safetensors"]
    path, rng = "heads/lm.safetensors", context.rng
    far = [SourceSpec(other, path)]
    both = [SourceSpec(head, path), SourceSpec(x), SourceSpec(w)]
    runs: list[Run] = [(40, 0, 0), (48, 1, 0), (40, 2, 100)]
    return file_vector(context, "extra", [
        TensorSpec(w, COPY, w),
        from_runs(replace(other, name="other.w"), COPY, far, None),
        from_runs(moved(rng, head, 900.0), [exact(8)], [SourceSpec(head, path)], None),
        copies("both", both, runs, "F32", 16, 8),
        copies("as.bf16", both, runs, "BF16", 16, 8),
        copies("named", [SourceSpec(w, "model.safetensors")], None, "BF16", 12, 16),
    ])  # fmt: skip


@vector
def lossy_tied(context: Context) -> tuple[str, bytes]:
    """A lossy tensor, one whose digest is not known, and tensors tied to them, whose digests are there."""
    base, rng = context.base(STACK), context.rng
    known = predicted(base["e.0"], [near(few(rng, (8, 16)))])
    unknown = replace(predicted(base["e.1"], [near(few(rng, (8, 16)))]), known=False)
    return lossy_vector(context, STACK, [
        known, unknown,
        *(from_runs(replace(spec.result, name=f"tied.{number}"), COPY, [SourceSpec(spec.result, result=True)], None)
          for number, spec in enumerate((known, unknown))),
    ])  # fmt: skip
