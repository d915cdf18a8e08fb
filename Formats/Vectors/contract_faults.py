"""Invalid vectors: the contract lossy, digests that are not known, receipts and adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from component_faults import drop, each, lossy_sample, put, tensor_of, top
from faults import INVALID, SMALL, Case, Edit, broken_with, make_root, tensor
from silt_seal import Draft, seal
from silt_specs import MatrixSpec, SparseSpec
from silt_writer import Builder, safetensors_file
from valid_matrices import deltas
from vectors import Context, adapter_tensor, lossy_draft, near, predicted

DIGEST = "0" * 32


def _unknown(name: str) -> Edit:
    """A tensor without a digest, whose base's is there."""

    def edit(draft: Draft) -> None:
        tensor(draft, name)["sources"][0].setdefault("digest", DIGEST)
        del tensor(draft, name)["digest"]

    return edit


def _no_root(draft: Draft) -> None:
    draft.manifest["result"].pop("root")


def _wrong_digest(draft: Draft) -> None:
    tensor(draft, "a")["digest"] = DIGEST
    make_root(draft)


RECEIPT = {"l2": 0.1, "max": 0.1, "cosine": 1, "changed": 0}
FACTOR = {"name": "A", "of": "c", "factor": "right"}
ADAPTER = {"config": "{}", "tensors": [FACTOR]}


def _adapter(**fields: Any) -> Edit:
    return put(top, adapter={"config": "{}", "tensors": [FACTOR | fields]})


def _own(codec: str = "none", drop: str = "", **fields: Any) -> Edit:
    """An adapter's tensor with bytes of its own."""

    def edit(draft: Draft) -> None:
        entry = adapter_tensor(draft, "A", "F32", (4,), bytes(range(16)), codec) | fields
        entry.pop(drop, None)
        draft.manifest["adapter"] = {"config": "{}", "tensors": [entry]}

    return edit


LOSSY = {
    "manifest-digest-of-copy": ("manifest", "A tensor without components has no digest.",
                                each(_unknown("b"), _no_root)),
    "manifest-digest-of-base": ("manifest", "Neither a tensor nor its source has a digest.", each(
        drop(tensor_of("a"), "digest"), lambda draft: tensor(draft, "a")["sources"][0].pop("digest"), _no_root)),
    "manifest-root-missing": ("manifest", "All digests are there, the root is not.", _no_root),
    "manifest-root-unknown": ("manifest", "A digest is absent, the root is there.", _unknown("a")),
    "manifest-sha256-lossy": ("manifest", "A lossy safetensors file has a SHA-256.",
                              lambda draft: draft.manifest["files"][0].update(sha256="0" * 64)),
    "manifest-source": ("manifest", "The source is no root.", put(top, source="0" * 63)),
    "manifest-receipt-string": ("manifest", "A receipt has a string.",
                                put(top, receipt=RECEIPT | {"l2": "0"})),
    "manifest-receipt-missing": ("manifest", "A receipt has no cosine.",
                                 put(top, receipt={k: v for k, v in RECEIPT.items() if k != "cosine"})),
    "extension-receipt": ("extension", "A receipt has an unknown field.",
                          put(top, receipt=RECEIPT | {"l1": 0})),
    "manifest-receipt-of-tensor": ("manifest", "The receipt of a tensor has a boolean.",
                                   put(tensor_of("a"), receipt=RECEIPT | {"max": True})),
    "manifest-adapter-product": ("manifest", "An adapter names a factor of a tensor without one.",
                                 _adapter(of="a")),
    "manifest-packing": ("manifest", "packing has a number.", put(top, packing={"drop": 0.9})),
    "manifest-adapter-config": ("manifest", "The configuration of an adapter is an object.",
                                put(top, adapter=ADAPTER | {"config": {}})),
    "manifest-adapter-tensor": ("manifest", "An adapter names a tensor that the result does not have.",
                                _adapter(of="d")),
    "manifest-adapter-name": ("manifest", "A tensor of an adapter has no name.",
                              put(top, adapter={"config": "", "tensors": [{"of": "c"}]})),
    "manifest-adapter-factor": ("manifest", "A factor of an adapter is unknown.", _adapter(factor="middle")),
    "manifest-adapter-transposed": ("manifest", "transposed is a number.", _adapter(transposed=1)),
    "extension-adapter": ("extension", "An adapter has an unknown field.",
                          put(top, adapter=ADAPTER | {"r": 8})),
    "manifest-adapter-dtype": ("manifest", "A tensor of an adapter has an unknown dtype.", _own(dtype="F31")),
    "manifest-adapter-shape": ("manifest", "A tensor of an adapter has a negative extent.", _own(shape=[-4])),
    "manifest-adapter-bits": ("manifest", "A tensor of an adapter ends inside a byte.", _own(dtype="F4", shape=[3])),
    "manifest-adapter-size": ("manifest", "A tensor of an adapter has 2^64 bytes.", _own(shape=[1 << 31, 1 << 31])),
    "manifest-adapter-codec": ("manifest", "A tensor of an adapter is coded with rans.", _own(codec="rans")),
    "manifest-adapter-digest": ("manifest", "A tensor of an adapter has no digest.", _own(drop="digest")),
    "manifest-adapter-chunk": ("manifest", "A tensor of an adapter has bytes, but no chunk.",
                               _own(drop="chunk")),
    "manifest-adapter-no-bytes": ("manifest", "A tensor of an adapter has a chunk, but no bytes.", _own(shape=[0])),
    "coverage-adapter-run": ("coverage", "A tensor of an adapter has more pieces than there are chunks.",
                             _own(shape=[1 << 40])),
    "coverage-adapter-twice": ("coverage", "A tensor of an adapter has the chunk of a part.", _own(chunk=0)),
    "extension-adapter-factor": ("extension", "A tensor of an adapter is a factor and has bytes of its own.",
                                 _own(factor="left")),
    "result-lossy": ("result", "The digest of a lossy tensor is wrong.", _wrong_digest),
}  # fmt: skip


def _metadata(
    about: str, edit: Edit, error: str = "manifest", **metadata: str | None
) -> Callable[[Context], Case]:
    """A lossy file whose metadata are changed besides; None drops a key."""

    def change(header: dict[str, Any]) -> None:
        for key, value in metadata.items():
            header["__metadata__"].pop(key, None)
            if value is not None:
                header["__metadata__"][key] = value

    return lambda context: Case(error, about, seal(lossy_sample(context, edit), edit_header=change))


def _exact(about: str, edit: Edit) -> Callable[[Context], Case]:
    """A file under the contract exact whose tensors have components."""

    def case(context: Context) -> Case:
        base = context.base(SMALL)
        matrix = MatrixSpec("bf16", "none", deltas(np.random.default_rng(3), "bf16", (20, 16)))
        builder = Builder(context.bases[SMALL])
        spec = predicted(base["a"], [near(SparseSpec(matrix))])
        builder.add_safetensors("model.safetensors", safetensors_file([spec.result])[0], [spec])
        draft = builder.build()
        edit(draft)
        return Case("manifest", about, seal(draft))

    return case


def _stored_without_sum(context: Context) -> Case:
    builder = Builder(context.bases["sharded"], form="directory", contract="lossy")
    builder.add_stored("notes.txt", b"A stored file.\n", "none")
    draft = builder.build()
    del draft.manifest["files"][0]["sha256"]
    return Case("manifest", "A stored file of a lossy result has no SHA-256.", seal(draft), "sharded")


def _wrong_base(context: Context) -> Case:
    """The digest of the base tensor counts even where the result's is not known."""
    base, rng = context.base(SMALL)["a"], np.random.default_rng(4)
    matrix = MatrixSpec("bf16", "none", deltas(rng, "bf16", (20, 16)))
    spec = replace(predicted(base, [near(SparseSpec(matrix))]), known=False)
    data = seal(lossy_draft(context, SMALL, [spec]))
    return Case("base-content", "The base of a tensor without a digest has other values.", data,
                "wrong/content-a.safetensors")  # fmt: skip


OTHERS = {
    "version-contract": _metadata("The contract is near.", lambda _: None, "version", contract="near"),
    "manifest-contract-exact": _metadata("The metadata say exact, the manifest lossy.", lambda _: None,
                                         contract="exact"),
    "manifest-metadata-result": _metadata("The metadata have a root that the manifest has not.",
                                          each(_unknown("a"), _no_root), result="0" * 64),
    "manifest-metadata-no-result": _metadata("The metadata lack the root that the manifest has.",
                                             lambda _: None, result=None),
    "manifest-digest-exact": _exact("A digest is absent under the contract exact.",
                                    each(_unknown("a"), _no_root)),
    "manifest-source-exact": _exact("A source under the contract exact.", put(top, source="0" * 64)),
    "manifest-receipt-exact": _exact("A receipt under the contract exact.", put(top, receipt=RECEIPT)),
    "manifest-receipt-exact-tensor": _exact("A tensor's receipt under the contract exact.",
                                            put(tensor_of("a"), receipt=RECEIPT)),
    "manifest-sha256-stored": _stored_without_sum,
    "base-content-unknown": _wrong_base,
}  # fmt: skip


def _register() -> None:
    for name, (error, about, edit) in LOSSY.items():
        INVALID[name] = broken_with(lossy_sample, error, about, edit)
    INVALID.update(OTHERS)


_register()
