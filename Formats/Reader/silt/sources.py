"""Section 4.3: the tensors that predict a tensor, and which of their elements predict which of its own."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import SiltError, require
from .fields import Fields
from .jsontext import is_integer
from .tensors import DTYPE_BITS, TensorInfo, element_count

if TYPE_CHECKING:
    from .manifest import Tensor

MAX_SOURCES = 1_024
MAX_RUNS = 65_536
CONVERTIBLE = ("F32", "F16", "BF16")
I63 = 1 << 63


@dataclass(frozen=True)
class Source:
    """A tensor that predicts another: of the base, with its digest, or an earlier one of the result."""

    name: str
    file: str | None
    dtype: str
    shape: tuple[int, ...]
    digest: str | None
    tensor: Tensor | None

    @property
    def count(self) -> int:
        return element_count(self.dtype, self.shape)


@dataclass(frozen=True)
class Run:
    """Elements `start` to `end`, which those from `first` on of a source predict."""

    start: int
    end: int
    source: int
    first: int


def read_sources(
    value: list[Any],
    where: str,
    file: str,
    info: TensorInfo,
    digest: str | None,
    earlier: Mapping[tuple[str, str], Tensor],
) -> list[Source]:
    """The sources of a tensor in `file`; `earlier` has the tensors of the result before it."""
    require(len(value) > 0, "manifest", f"{where}: no sources")
    require(len(value) <= MAX_SOURCES, "limit", f"{where}: {len(value)} sources")
    sources = []
    for number, raw in enumerate(value):
        fields = Fields(raw, f"{where}: source {number}", "in name file dtype shape digest")
        place = fields.choice("in", ("base", "result")) if fields.has("in") else "base"
        name = fields.take("name", str) if fields.has("name") else info.name
        path = fields.path("file") if fields.has("file") else None
        if place == "base":
            sources.append(_of_base(fields, name, path, info, digest))
        else:
            sources.append(_of_result(fields, name, path or file, info, earlier))
    return sources


def _of_base(fields: Fields, name: str, file: str | None, info: TensorInfo, digest: str | None) -> Source:
    dtype = fields.take("dtype", str) if fields.has("dtype") else info.dtype
    shape = fields.shape("shape") if fields.has("shape") else info.shape
    own = fields.hex("digest", 32) if fields.has("digest") else digest
    if own is None:
        raise SiltError("manifest", f"{fields.where}: neither it nor the tensor has a digest")
    known = dtype == info.dtype or (dtype in CONVERTIBLE and info.dtype in CONVERTIBLE)
    require(known and dtype in DTYPE_BITS, "manifest", f"{fields.where}: {dtype} predicts {info.dtype}")
    return Source(name, file, dtype, shape, own, None)


def _of_result(
    fields: Fields, name: str, file: str, info: TensorInfo, earlier: Mapping[tuple[str, str], Tensor]
) -> Source:
    fields.kind_has({"dtype": False, "shape": False, "digest": False})
    where = f"{fields.where}: tensor {name!r} of the result's file {file!r}"
    tensor = earlier.get((file, name))
    if tensor is None:
        raise SiltError("manifest", f"{where}: not before this one")
    found = tensor.info
    require(found.dtype == info.dtype, "manifest", f"{where}: {found.dtype} predicts {info.dtype}")
    settled = all(source.tensor is None for source in tensor.sources)
    require(settled, "manifest", f"{where}: has a source in the result itself")
    return Source(name, file, found.dtype, found.shape, None, tensor)


def read_runs(value: list[Any] | None, where: str, sources: list[Source], total: int) -> list[Run]:
    """The runs that are predicted, for a tensor of `total` elements; holes are left out."""
    if value is None:
        require(len(sources) == 1, "manifest", f"{where}: {len(sources)} sources without runs")
        return [Run(0, min(total, sources[0].count), 0, 0)]
    require(len(value) > 0, "manifest", f"{where}: no runs")
    require(len(value) <= MAX_RUNS, "limit", f"{where}: {len(value)} runs")
    runs: list[Run] = []
    start = 0
    for number, raw in enumerate(value):
        place = f"{where}: run {number}"
        shaped = isinstance(raw, list) and len(raw) in (1, 3) and all(is_integer(part, I63) for part in raw)
        require(shaped and raw[0] > 0, "manifest", f"{place}: not [n] or [n, source, first], n above 0")
        end = start + raw[0]
        require(end <= total, "coverage", f"{place}: elements {start} to {end} of {total}")
        if len(raw) == 3:
            _, source, first = raw
            there = source < len(sources)
            require(there, "coverage", f"{place}: source {source} of {len(sources)}")
            last, count = first + raw[0], sources[source].count
            require(last <= count, "coverage", f"{place}: elements {first} to {last} of {count} of its source")
            runs.append(Run(start, end, source, first))
        start = end
    unused = set(range(len(sources))) - {run.source for run in runs}
    require(not unused, "coverage", f"{where}: no run has source {min(unused, default=0)}")
    needless = len(sources) == 1 and _straight(runs, min(total, sources[0].count))
    require(not needless, "manifest", f"{where}: runs that say what would hold without them")
    return runs


def _straight(runs: list[Run], count: int) -> bool:
    """Whether each of the first `count` elements is predicted by the one with the same index, and no other."""
    return spans(runs) == [(0, count)] and all(run.start == run.first for run in runs)


def spans(runs: Iterable[Run]) -> list[tuple[int, int]]:
    """What the runs predict, as few intervals as there can be, in order."""
    found: list[tuple[int, int]] = []
    for run in runs:
        if found and found[-1][1] == run.start:
            found[-1] = (found[-1][0], run.end)
        else:
            found.append((run.start, run.end))
    return found


def covered(runs: Iterable[Run], wanted: Iterable[tuple[int, int]]) -> bool:
    """Whether the runs predict all that is wanted."""
    found = spans(runs)
    for start, end in wanted:
        place = bisect.bisect_right(found, (start, I63)) - 1
        if place < 0 or found[place][1] < end:
            return False
    return True
