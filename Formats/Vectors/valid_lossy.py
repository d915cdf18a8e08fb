"""Valid vectors of the contract lossy and what comes with it. Docstrings say what is in them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from bases import floats, tensor
from silt.digests import root
from silt_seal import manifest_bytes, seal
from silt_specs import MatrixSpec, SparseSpec
from silt_writer import Builder, PartSpec, TensorData, TensorSpec, records, safetensors_file
from valid_components import few, product
from valid_matrices import TINY, codes, deltas, seeded, signs
from vectors import COPY, Context, adapter_tensor, lossy_draft, lossy_vector, near, predicted, vector


@vector
def lossy_nothing(context: Context) -> tuple[str, bytes]:
    """The contract lossy, and nothing that is lossy: copies and whole parts."""
    base = context.base("small.safetensors")
    return lossy_vector(context, "small.safetensors", [
        TensorSpec(base["a"], COPY, base["a"]), TensorSpec(base["b"], [PartSpec("whole", "none")]),
    ])  # fmt: skip


@vector
def lossy_unknown(context: Context) -> tuple[str, bytes]:
    """A digest that is not known, nor the result's root: q was changed. The base's digest is there."""
    base, rng = context.base(TINY), context.rng
    embed, half = base["embed.weight"], base["half.weight"]
    matrix = MatrixSpec("bf16", "rans", deltas(rng, "bf16", embed.shape), (seeded(rate=0.9),), q=0.125)
    unknown = replace(predicted(embed, [near(SparseSpec(matrix))]), known=False)
    known = predicted(half, [near(product(rng, 2, (24, 20)))])
    return lossy_vector(context, TINY, [unknown, known, TensorSpec(base["ids"], COPY, base["ids"])])


@vector
def lossy_notes(context: Context) -> tuple[str, bytes]:
    """Source, receipts, packing and adapter; numbers of all forms; fields that begin with x-."""
    base, rng = context.base(TINY), context.rng
    embed, half = base["embed.weight"], base["half.weight"]
    receipt: dict[str, Any] = {"l2": 0.5, "max": 1e-3, "cosine": -1, "changed": 0.25, "x-more": None}
    low = predicted(embed, [near(product(rng, 2, embed.shape, 2.0))])
    specs = [replace(low, receipt=receipt), predicted(half, [near(few(rng, half.shape))])]
    adapter = {
        "config": '{"r": 2}',
        "tensors": [
            {"name": "e.lora_A", "of": "embed.weight", "factor": "right"},
            {"name": "e.lora_B", "of": "embed.weight", "factor": "left", "transposed": True, "x-a": 1},
            {"name": "half", "of": "half.weight"},
        ],
        "x-version": 1,
    }
    packing = {"method": "dare", "x-drop": "0.9", "": "", "größe": "1"}
    return lossy_vector(context, TINY, specs, source=root(records([embed, half])), packing=packing,
                        receipt={"l2": 0, "max": 2.5e-8, "cosine": 10**25, "changed": 1.0},
                        adapter=adapter)  # fmt: skip


@vector
def lossy_adapter(context: Context) -> tuple[str, bytes]:
    """An adapter with tensors that the result does not have: two pieces, both codecs, an empty one, and one that it has."""
    base, rng = context.base(TINY), context.rng
    embed, half = base["embed.weight"], base["half.weight"]
    specs = [predicted(embed, [near(product(rng, 2, embed.shape, 2.0))]), TensorSpec(half, COPY, half)]
    draft = lossy_draft(context, TINY, specs)
    large = np.repeat(rng.integers(0, 1 << 16, 1 << 16, dtype=np.uint16), 9).astype("<u2").tobytes()
    tensors: list[dict[str, Any]] = [
        {"name": "e.lora_A", "of": "embed.weight", "factor": "right"},
        {"name": "e.lora_B", "of": "embed.weight", "factor": "left", "transposed": True},
        adapter_tensor(draft, "e.base_layer.weight", "BF16", (9, 1 << 16), large, "zstd"),
        adapter_tensor(draft, "scale", "F32", (), np.float32(0.5).tobytes(), "none") | {"x-a": 1},
        adapter_tensor(draft, "nothing", "F16", (0, 8), b"", "zstd"),
    ]
    draft.manifest["adapter"] = {"config": '{"r": 2}', "tensors": tensors}
    return TINY, seal(draft)


EVALUATION = {
    "data": "0123456789abcdef" * 4, "use": "test", "metric": "accuracy", "examples": 872,
    "base": 0.509, "finetuned": 0.925, "rebuilt": 0.922,
}  # fmt: skip


def _evaluated(context: Context, evaluations: list[dict[str, Any]]) -> tuple[str, bytes]:
    base, rng = context.base(TINY), context.rng
    embed, half = base["embed.weight"], base["half.weight"]
    spec = predicted(half, [near(few(rng, half.shape))])
    specs = [spec, TensorSpec(embed, COPY, embed)]
    finetuned = replace(half, data=deltas(rng, "f16", half.shape).astype("<u2").tobytes())
    source = root(records([embed, finetuned]))
    return lossy_vector(context, TINY, specs, source=source, evaluations=evaluations)


@vector
def lossy_evaluation(context: Context) -> tuple[str, bytes]:
    """One evaluation: accuracy on a test set, of base, fine-tuned checkpoint and result."""
    return _evaluated(context, [EVALUATION])


@vector
def lossy_evaluations(context: Context) -> tuple[str, bytes]:
    """Evaluations with and without base, that differ in data, use or metric alone; numbers of all forms."""
    headless = {name: value for name, value in EVALUATION.items() if name != "base"}
    longest = "abcdefghijklmnopqrstuvwxyz0123456789_.-".ljust(64, "-")
    return _evaluated(context, [
        headless,
        headless | {"data": "f" * 64},
        EVALUATION | {"use": "validation"},
        headless | {"use": "calibration", "metric": "kl", "finetuned": 0, "rebuilt": 2.5e-8},
        EVALUATION | {"metric": "matthews", "base": -0.5, "finetuned": 1, "rebuilt": 10**25},
        headless | {"metric": "-", "examples": 1, "x-seconds": 3},
        EVALUATION | {"metric": longest, "examples": 2**63 - 1, "base": -(10**18), "rebuilt": 1e-320},
    ])  # fmt: skip


@vector
def lossy_evaluations_most(context: Context) -> tuple[str, bytes]:
    """As many evaluations as there may be."""
    return _evaluated(context, [EVALUATION | {"metric": f"class.{number}"} for number in range(64)])


@vector
def lossy_numbers(context: Context) -> tuple[str, bytes]:
    """Numbers of many forms; one that binary64 rounds to a tie; fields that begin with x- in components."""
    base, rng = context.base(TINY)["full.weight"], context.rng
    # As binary32 at once, the first would be 1 + 2^-23. By way of binary64 it is 1.
    forms = ["1.00000005960464477539062500000001", "25E-2", "0.125e+1", "3", "1e-40", f"{10**38}"]
    data = deltas(rng, "f32", base.shape)
    q = [1.0, 0.25, 1.25, 3.0, 1e-40, 1e38]
    specs = []
    for index, number in enumerate(q):
        sparse = SparseSpec(MatrixSpec("f32", "none", data, (seeded(rate=2**-32),), q=number))
        specs.append(predicted(base, [near(sparse)], replace(base, name=f"q.{index}")))
    masks = (seeded("rows", rate=0.5), replace(seeded("columns"), threshold=1))
    codes_ = MatrixSpec("int8", "none", codes(rng, 127, base.shape), masks, step=1e-5)
    specs.append(predicted(base, [near(SparseSpec(codes_))]))
    draft = lossy_draft(context, TINY, specs)
    tensors = draft.manifest["files"][0]["tensors"]
    for index in range(len(q)):
        tensors[f"q.{index}"]["parts"][0]["components"][0]["matrix"]["q"] = f"form {index}"
    component = tensors["full.weight"]["parts"][0]["components"][0]
    matrix = component["matrix"]
    for number, fields in enumerate((component, matrix, matrix["values"], *matrix["masks"])):
        fields["x-"] = [number]
    text = json.dumps(draft.manifest, separators=(",", ":"))
    for index, form in enumerate(forms):
        text = text.replace(f'"form {index}"', form)
    return TINY, seal(draft, manifest=manifest_bytes(text.encode()))


@vector
def lossy_grown(context: Context) -> tuple[str, bytes]:
    """More rows than the base: a part with components, then a whole one; and one before a copy."""
    base, rng = context.base(TINY)["embed.weight"], context.rng
    new = tensor("new", "BF16", (6, 24), floats(rng, "BF16", 144))
    matrix = MatrixSpec("int4", "rans", codes(rng, 7, base.shape), (seeded(),), step=1e-3, q=0.25)
    old = predicted(base, [near(SparseSpec(matrix), elements=960)])
    result = TensorData(base.name, "BF16", (46, 24), old.result.data + new.data)
    grown = TensorSpec(result, [*old.parts, PartSpec("whole", "zstd")], base)
    half = [near(SparseSpec(replace(matrix, data=matrix.data[:9])), elements=9 * 24), PartSpec("copy")]
    return lossy_vector(context, TINY, [grown, predicted(base, half, replace(base, name="half"))])


@vector
def lossy_parts(context: Context) -> tuple[str, bytes]:
    """Two parts with components in one tensor: each counts its rows and positions from its own first."""
    base, rng = context.base("wide.safetensors")["wide"], context.rng
    first = MatrixSpec("sign", "none", signs(rng, (262, 1000)), (seeded(seed=6, rate=0.998),), step=0.01)
    second = MatrixSpec("sign", "none", signs(rng, (1, 1000)), (seeded(seed=6, rate=0.9),), step=0.01)
    parts = [near(SparseSpec(first), elements=262_000), near(SparseSpec(second))]
    return lossy_vector(context, "wide.safetensors", [predicted(base, parts)])


@vector
def lossy_directory(context: Context) -> tuple[str, bytes]:
    """A directory under the contract lossy: only stored files and equal ones have their SHA-256."""
    base, rng = context.base("sharded"), context.rng
    builder = Builder(context.bases["sharded"], form="directory", contract="lossy")
    for number, name in enumerate(base):
        spec = predicted(base[name], [near(few(rng, base[name].shape))])
        header, _ = safetensors_file([spec.result])
        builder.add_safetensors(f"part-{number}.safetensors", header, [spec])
    config = (context.root / "bases" / "sharded" / "config.json").read_bytes()
    builder.add_base("config.json", config, "config.json")
    builder.add_stored("notes.txt", b"A stored file.\n", "none")
    return "sharded", seal(builder.build())
