"""Invalid vectors: sources and runs (section 4.3), and bases that lack what a source names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bases import floats, moved
from bases import tensor as make_tensor
from component_faults import Find, at, drop, put
from faults import INVALID, Case, Edit, broken_with, file, make_root
from silt_seal import Draft, seal
from silt_sources import Run, SourceSpec
from silt_writer import Builder, PartSpec, TensorSpec, safetensors_file
from valid_sources import STACK, copies, from_runs, of_base
from valid_tied import turned_draft
from vectors import COPY, Context, file_draft

FIRST, SECOND = "first.safetensors", "second.safetensors"


def sources_sample(context: Context, edit: Edit) -> Draft:
    """A valid directory of two safetensors files and a stored one, then changed by `edit`.

    first: tuned (BF16, 8 x 16; exact, on e.0 of the base), stacked (16 x 16; a copy of e.0 and e.1, a run each), tied
    (a copy of tuned), float (F32, 8 x 16; whole). second: again (a copy of tuned), plain (BF16, 8 x 16; whole).
    """
    base, rng = context.base(STACK), np.random.default_rng(5)
    tuned = moved(rng, make_tensor("tuned", "BF16", (8, 16), base["e.0"].patterns), 2.0)
    runs: list[Run] = [(128, 0, 0), (128, 1, 0)]
    specs = [
        TensorSpec(tuned, [PartSpec("exact", "rans", unit=16)], base["e.0"]),
        copies("stacked", of_base(base["e.0"], base["e.1"]), runs, "BF16", 16, 16),
        copies("tied", [SourceSpec(tuned, result=True)], None, "BF16", 8, 16),
        TensorSpec(make_tensor("float", "F32", (8, 16), floats(rng, "F32", 128)), [PartSpec("whole", "zstd")]),
    ]
    more = [
        copies("again", [SourceSpec(tuned, FIRST, result=True)], None, "BF16", 8, 16),
        TensorSpec(make_tensor("plain", "BF16", (8, 16), floats(rng, "BF16", 128)), [PartSpec("whole", "zstd")]),
    ]
    builder = Builder(context.bases[STACK], form="directory")
    for path, tensors in ((FIRST, specs), (SECOND, more)):
        builder.add_safetensors(path, safetensors_file([spec.result for spec in tensors])[0], tensors)
    builder.add_stored("notes.txt", b"A stored file.\n", "none")
    draft = builder.build()
    edit(draft)
    return draft


def tensor_at(path: str, name: str) -> Find:
    return lambda draft: file(draft, path)["tensors"][name]


TUNED, STACKED, TIED = (tensor_at(FIRST, name) for name in ("tuned", "stacked", "tied"))
AGAIN, PLAIN = (tensor_at(SECOND, name) for name in ("again", "plain"))


def source(find: Find, number: int = 0) -> Find:
    return at(find, "sources", number)


def runs(*said: Any) -> Edit:
    """Other runs for the stacked tensor."""
    return put(STACKED, runs=list(said))


def instead(find: Find, **fields: Any) -> Edit:
    """One source of these fields alone."""
    return put(find, sources=[fields])


def _stale_digest(draft: Draft) -> None:
    TIED(draft)["digest"] = "0" * 31 + "1"
    make_root(draft)


E0: Find = source(STACKED)
ONE = {"in": "result", "name": "tuned"}

FROM_SAMPLE = {
    "extension-base-of-tensor": ("extension", "A tensor has a field base.", put(TUNED, base={"name": "e.0"})),
    "extension-source-field": ("extension", "A source has an unknown field.", put(source(TUNED), first=0)),
    "extension-source-dtype": ("extension", "A source in the result has a dtype.", put(source(TIED), dtype="BF16")),
    "extension-source-shape": ("extension", "A source in the result has a shape.", put(source(TIED), shape=[8, 16])),
    "extension-source-digest": ("extension", "A source in the result has a digest.",
                                put(source(TIED), digest="0" * 32)),
    "manifest-no-sources": ("manifest", "A copy has no sources.", drop(TUNED, "sources")),
    "manifest-sources-of-whole": ("manifest", "A whole tensor has sources.", instead(PLAIN, **ONE, file=FIRST)),
    "manifest-sources-none": ("manifest", "An array of no sources.", put(TUNED, sources=[])),
    "manifest-sources-object": ("manifest", "sources is an object.", put(TUNED, sources={"name": "e.0"})),
    "manifest-source-string": ("manifest", "A source is a string.", put(TUNED, sources=["e.0"])),
    "manifest-source-in": ("manifest", "A source is in the adapter.", put(source(TUNED), **{"in": "adapter"})),
    "manifest-source-in-null": ("manifest", "A source is in null.", put(source(TUNED), **{"in": None})),
    "manifest-source-dtype": ("manifest", "A source of I16 for BF16.", put(source(TUNED), dtype="I16")),
    "manifest-source-dtype-unknown": ("manifest", "A source of BF17.", put(source(TUNED), dtype="BF17")),
    "manifest-source-shape": ("manifest", "An extent of a source is negative.", put(source(TUNED), shape=[-8, -16])),
    "manifest-source-shape-number": ("manifest", "The shape of a source is a number.", put(source(TUNED), shape=128)),
    "manifest-source-itself": ("manifest", "A tensor is its own source.", instead(TUNED, **{"in": "result"})),
    "manifest-source-later": ("manifest", "A source is a later tensor of the file.",
                              instead(TUNED, **{"in": "result", "name": "stacked"})),
    "manifest-source-later-file": ("manifest", "A source is a tensor of a later file.",
                                   instead(TUNED, **{"in": "result", "name": "plain", "file": SECOND})),
    "manifest-source-absent": ("manifest", "The result's file has no tensor of the source's name.",
                               put(source(AGAIN), name="tune")),
    "manifest-source-other-file": ("manifest", "A source is in another file of the result than the tensor's.",
                                   drop(source(AGAIN), "file")),
    "manifest-source-no-file": ("manifest", "The result has no file of a source's path.",
                                put(source(AGAIN), file="third.safetensors")),
    "manifest-source-stored-file": ("manifest", "A source's file of the result is a stored one.",
                                    put(source(AGAIN), file="notes.txt")),
    "manifest-source-result-dtype": ("manifest", "A source in the result is F32, for BF16.",
                                     put(source(AGAIN), name="float")),
    "manifest-source-of-source": ("manifest", "A source in the result has a source in the result.",
                                  put(source(AGAIN), name="tied")),
    "path-source-parent": ("path", "The path of a source's file has a component ...",
                           put(source(TUNED), file="../stack.safetensors")),
    "path-source-absolute": ("path", "The path of a source's file begins with /.",
                             put(source(TUNED), file="/stack.safetensors")),
    "path-source-empty": ("path", "The path of a source's file is empty.", put(source(TUNED), file="")),
    "manifest-runs-missing": ("manifest", "Two sources, and no runs.", drop(STACKED, "runs")),
    "manifest-runs-of-whole": ("manifest", "A tensor without sources has runs.", put(PLAIN, runs=[[128]])),
    "manifest-runs-needless": ("manifest", "Runs say that each element predicts the one of its own index.",
                               put(TUNED, runs=[[128, 0, 0]])),
    "manifest-runs-needless-cut": ("manifest", "Two runs say what would hold without them.",
                                   put(TUNED, runs=[[100, 0, 0], [28, 0, 100]])),
    "manifest-runs-none": ("manifest", "An array of no runs.", runs()),
    "manifest-runs-object": ("manifest", "runs is an object.", put(STACKED, runs={"0": [128, 0, 0]})),
    "manifest-run-object": ("manifest", "A run is an object.", runs([100, 0, 0], {"n": 28}, [128, 1, 0])),
    "manifest-run-no-numbers": ("manifest", "A run has no numbers.", runs([], [128, 0, 0], [128, 1, 0])),
    "manifest-run-two-numbers": ("manifest", "A run has 2 numbers.", runs([100, 0, 0], [28, 0], [128, 1, 0])),
    "manifest-run-four-numbers": ("manifest", "A run has 4 numbers.", runs([100, 0, 0], [28, 0, 0, 1], [128, 1, 0])),
    "manifest-run-empty": ("manifest", "A run has no elements.", runs([128, 0, 0], [0, 0, 0], [128, 1, 0])),
    "manifest-run-hole-empty": ("manifest", "A hole has no elements.", runs([128, 0, 0], [0], [128, 1, 0])),
    "manifest-run-negative": ("manifest", "A run has -1 elements.", runs([128, 0, 0], [128, 1, 0], [-1])),
    "manifest-run-first-negative": ("manifest", "A run begins at element -1 of its source.",
                                    runs([100, 0, 0], [28, 0, -1], [128, 1, 0])),
    "manifest-run-source-negative": ("manifest", "A run has source -1.", runs([100, 0, 0], [28, -1, 0], [128, 1, 0])),
    "manifest-run-fraction": ("manifest", "A run has 28.0 elements.", runs([100, 0, 0], [28.0, 0, 0], [128, 1, 0])),
    "manifest-run-boolean": ("manifest", "A run has source true.", runs([100, 0, 0], [28, True, 0], [128, 1, 0])),
    "manifest-run-large": ("manifest", "A run has 2^63 elements.", runs([128, 0, 0], [128, 1, 0], [2**63])),
    "coverage-run-no-source": ("coverage", "A run has source 2 of 2.", runs([100, 0, 0], [28, 2, 0], [128, 1, 0])),
    "coverage-run-past-source": ("coverage", "A run needs one element more than its source has.",
                                 runs([128, 0, 0], [128, 1, 1])),
    "coverage-run-first-large": ("coverage", "A run begins at element 2^63 - 1 of its source.",
                                 runs([128, 0, 0], [128, 1, 2**63 - 1])),
    "coverage-run-past-tensor": ("coverage", "Runs have one element more than their tensor.",
                                 runs([128, 0, 0], [1, 0, 0], [128, 1, 0])),
    "coverage-run-hole-past-tensor": ("coverage", "The hole after all runs is longer than the tensor.",
                                      runs([128, 0, 0], [128, 1, 0], [2**63 - 1])),
    "coverage-source-unused": ("coverage", "No run has the second source.", runs([128, 0, 0], [128, 0, 0])),
    "coverage-hole": ("coverage", "A copy has elements of a hole.", runs([100, 0, 0], [28], [128, 1, 0])),
    "coverage-hole-first": ("coverage", "A copy begins in a hole.", runs([1], [127, 0, 0], [128, 1, 0])),
    "coverage-hole-last": ("coverage", "A copy has an element more than the runs.", runs([128, 0, 0], [127, 1, 0])),
    "result-source": ("result", "The digest of a tensor that is tied to another is wrong.", _stale_digest),
    "result-runs": ("result", "Runs take the rows of the wrong source.", runs([128, 1, 0], [128, 0, 0])),
    "base-shape-stated": ("base-shape", "The base's e.0 is 8 x 16, not 16 x 8.", put(E0, shape=[16, 8])),
    "base-dtype-stated": ("base-dtype", "The base's e.0 is BF16, not F16.", put(E0, dtype="F16")),
    "base-content-stated": ("base-content", "The base's e.1 has another digest.",
                            put(source(STACKED, 1), digest="0" * 32)),
    "base-missing-stated": ("base-missing", "The base has no e.3.", put(source(STACKED, 1), name="e.3")),
    "base-missing-single-file": ("base-missing", "A source is in another file of a base that is one file.",
                                 put(E0, file="stack.safetensors")),
}  # fmt: skip


def extra_sample(context: Context, edit: Edit) -> Draft:
    """A valid file with a copy of `head`, a tensor of the base's heads/lm.safetensors, then changed by `edit`."""
    (_, head) = context.bases["extra/heads/lm.safetensors"]
    draft = file_draft(context, "extra", [copies("h", [SourceSpec(head, "heads/lm.safetensors")], None, "F32", 5, 8)])
    edit(draft)
    return draft


HEAD = source(lambda draft: draft.manifest["files"][0]["tensors"]["h"])

WRONG_EXTRAS = {
    "base-missing-other-file": ("base-missing", "The base has no heads/lm.safetensors.", "no-file"),
    "base-missing-other-tensor": ("base-missing", "The base's heads/lm.safetensors has no head.", "tensor"),
    "base-dtype-other-file": ("base-dtype", "head is I32 in the base's other file.", "dtype"),
    "base-shape-other-file": ("base-shape", "head is 8 x 5 in the base's other file.", "shape"),
    "base-content-other-file": ("base-content", "head has other values in the base's other file.", "content"),
    "header-of-other-file": ("header", "The base's heads/lm.safetensors is a text.", "text"),
}
FROM_EXTRA = {
    "base-missing-not-of-model": ("base-missing", "A tensor of another file, named without it.", drop(HEAD, "file")),
    "base-missing-in-other-file": ("base-missing", "The tensor of a source is in another file than it says.",
                                   put(HEAD, file="model.safetensors")),
    "base-missing-directory": ("base-missing", "A source's file is a directory of the base.", put(HEAD, file="heads")),
}  # fmt: skip


def _many(about: str, runs_: list[Run], sources: int) -> Callable[[Context], Case]:
    """A tensor of so many runs and sources, which are bytes of tensors that no base has."""

    def case(context: Context) -> Case:
        data = make_tensor("many", "U8", (len(runs_),), np.zeros(1))
        found = of_base(*(make_tensor(f"s.{number}", "U8", (2,), np.zeros(1)) for number in range(sources)))
        return Case("limit", about, seal(file_draft(context, STACK, [from_runs(data, COPY, found, runs_)])), STACK)

    return case


def _data_after(context: Context) -> Case:
    """A source in the result stands first in header and manifest, but its data begin after the tensor's."""
    first = context.base(STACK)["q"]
    specs = [copies("a", [SourceSpec(first, result=True)], None, "F32", 6, 8), TensorSpec(first, COPY, first)]
    about = "A source comes first in header and manifest, but its data do not."
    return Case("manifest", about, seal(turned_draft(context, specs)), STACK)


OTHERS = {
    "limit-sources": _many("A tensor has 1,025 sources.", [(1, number, 0) for number in range(1_025)], 1_025),
    "manifest-source-header-order": _data_after,
    "limit-runs": _many("A tensor has 65,537 runs.", [(1, 0, 1)] * 65_537, 1),
}


def _register() -> None:
    INVALID.update(OTHERS)
    for name, (error, about, edit) in FROM_SAMPLE.items():
        INVALID[name] = broken_with(sources_sample, error, about, edit, STACK)
    for name, (error, about, edit) in FROM_EXTRA.items():
        INVALID[name] = broken_with(extra_sample, error, about, edit, "extra")
    for name, (error, about, base) in WRONG_EXTRAS.items():
        INVALID[name] = broken_with(extra_sample, error, about, lambda _: None, f"wrong/extra-{base}")


_register()
