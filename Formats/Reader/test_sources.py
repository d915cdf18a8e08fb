"""Section 4.3: runs against a slow twin written from the text, and sources that are rebuilt as far as they predict."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

import silt.sources
from bases import floats, tensor
from silt import Base, Container, SiltError, read_container, read_manifest, rebuild
from silt.manifest import Tensor
from silt.rebuild import rebuild_tensor
from silt.sources import Source, covered, read_runs, spans
from silt_seal import Draft, seal
from silt_sources import Run, SourceSpec, TensorData, gather
from silt_writer import Builder, PartSpec, TensorSpec, safetensors_file
from vectors import exact


def twin(value: list[list[int]] | None, counts: list[int], total: int) -> list[tuple[int, int] | None]:
    """For each element of a tensor the source and the element that predict it, one by one; an error says what is wrong."""
    found: list[tuple[int, int] | None] = []
    if value is None:
        assert len(counts) == 1
        found = [(0, index) for index in range(min(total, counts[0]))]
    for run in value or []:
        assert len(run) in (1, 3) and run[0] > 0 and min(run) >= 0
        for step in range(run[0]):
            if len(run) == 1:
                found.append(None)
            else:
                assert run[1] < len(counts) and run[2] + step < counts[run[1]]
                found.append((run[1], run[2] + step))
        assert len(found) <= total
    found += [None] * (total - len(found))
    used = {place[0] for place in found if place is not None}
    assert used == set(range(len(counts)))
    straight = all(place == ((0, index) if index < counts[0] else None) for index, place in enumerate(found))
    assert value is None or len(counts) > 1 or not straight
    return found


def random_runs(chance: random.Random, counts: list[int]) -> list[list[int]]:
    runs = []
    for _ in range(chance.randrange(1, 6)):
        source = chance.randrange(len(counts)) if chance.random() < 0.97 else len(counts)
        first = chance.choice([0, chance.randrange(8)])
        run = [chance.randrange(0 if chance.random() < 0.1 else 1, 6), source, first]
        runs.append(run[: 1 if chance.random() < 0.3 else 2 if chance.random() < 0.02 else 3])
    return runs


def test_runs_are_what_the_text_says() -> None:
    """Random runs: read, refused, gathered and covered as an element-by-element reading of the text has it."""
    chance, good = random.Random(3), 0
    for _ in range(8_000):
        counts = [chance.randrange(1, 12) for _ in range(chance.choice([1, 1, 2, 3]))]
        total, value = chance.randrange(1, 20), None if chance.random() < 0.05 else random_runs(chance, counts)
        sources = [Source("s", None, "U8", (count,), "0" * 32, None) for count in counts]
        try:
            wanted = twin(value, counts, total)
        except AssertionError:
            with pytest.raises(SiltError, match=r"manifest|coverage"):
                read_runs(value, "", sources, total)
            continue
        good += 1
        runs = read_runs(value, "", sources, total)
        found: list[tuple[int, int] | None] = [None] * total
        for run in runs:
            for step in range(run.end - run.start):
                found[run.start + step] = (run.source, run.first + step)
        assert found == wanted
        start, end = sorted(chance.sample(range(total + 1), 2))
        assert covered(runs, [(start, end)]) == (None not in wanted[start:end])
        assert sum(last - first for first, last in spans(runs)) == sum(place is not None for place in wanted)
        data = [TensorData("s", "U8", (n,), bytes(range(16 * s, 16 * s + n))) for s, n in enumerate(counts)]
        said: list[Run] | None = None if value is None else [tuple(run) for run in value]  # type: ignore[misc]
        gathered = gather(data, said, TensorData("t", "U8", (total,), b"")).tolist()
        assert gathered == [0 if place is None else 16 * place[0] + place[1] for place in wanted]
    assert good > 800


def test_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cap on runs is the text's, and one more is too many."""
    assert (silt.sources.MAX_SOURCES, silt.sources.MAX_RUNS) == (1_024, 65_536)
    source = Source("s", None, "U8", (8,), "0" * 32, None)
    monkeypatch.setattr(silt.sources, "MAX_RUNS", 2)
    assert len(read_runs([[1, 0, 3]] * 2, "", [source], 8)) == 2
    with pytest.raises(SiltError, match="limit"):
        read_runs([[1, 0, 3]] * 3, "", [source], 8)


@pytest.fixture(name="packed")
def made(tmp_path: Path) -> tuple[bytes, Path]:
    """A result of two tensors: `first`, of four parts, and `second`, which is made of the two in the middle."""
    rng = np.random.default_rng(8)
    base = tensor("first", "BF16", (40, 16), floats(rng, "BF16", 640))
    path = tmp_path / "base.safetensors"
    path.write_bytes(safetensors_file([base])[1])
    patterns = base.patterns.copy()
    patterns[::3] += 1
    first = TensorData("first", "BF16", (40, 16), patterns.tobytes())
    parts = [PartSpec("whole", "none", 160), exact(16, 160), PartSpec("xor", "zstd", 160), exact(16)]
    second = TensorData("second", "BF16", (20, 16), first.data[320:960])
    runs: tuple[Run, ...] = ((320, 0, 160),)
    source = (SourceSpec(first, result=True),)
    builder = Builder([base])
    specs = [
        TensorSpec(first, parts, base),
        TensorSpec(second, [PartSpec("copy")], sources=source, runs=runs),
    ]
    builder.add_safetensors("model.safetensors", safetensors_file([first, second])[0], specs)
    return seal(builder.build()), path


def opened(data: bytes) -> tuple[Container, list[Tensor]]:
    container = read_container(data)
    return container, read_manifest(container).files[0].tensors


def test_a_source_is_rebuilt_as_far_as_it_predicts(packed: tuple[bytes, Path]) -> None:
    """Damage in a part that predicts nothing of a tensor is no matter of that tensor; other damage is."""
    data, path = packed
    container, (first, second) = opened(data)
    begin = data.index(bytes(container.payload))
    assert rebuild_tensor(container, second, Base(path), "").tobytes() == (
        rebuild_tensor(container, first, Base(path), "").tobytes()[320:960]
    )
    for part, matters in zip(first.parts, (False, True, True, False), strict=True):
        damaged = bytearray(data)
        assert part.chunk is not None
        damaged[begin + container.ends[part.chunk] - 1] ^= 1
        broken, (source, tensor_) = opened(bytes(damaged))
        with pytest.raises(SiltError, match="checksum"):
            rebuild_tensor(broken, source, Base(path), "")
        if matters:
            with pytest.raises(SiltError, match="checksum"):
                rebuild_tensor(broken, tensor_, Base(path), "")
        else:
            rebuild_tensor(broken, tensor_, Base(path), "")


def test_all_of_a_base_tensor_is_checked(packed: tuple[bytes, Path]) -> None:
    """The base of a source has its digest checked, elements that predict nothing included."""
    data, path = packed
    stored = bytearray(path.read_bytes())
    stored[-1] ^= 1
    path.write_bytes(stored)
    container, tensors = opened(data)
    for one in tensors:
        with pytest.raises(SiltError, match="base-content"):
            rebuild_tensor(container, one, Base(path), "")


VECTORS = Path(__file__).resolve().parents[1] / "Vectors"
HOSTILE: list[Any] = [
    *(0, 1, -1, 2, 16, 128, 2**31, 2**63 - 1, 2**63, 1.0, True, None, "", "base", "result", "..", "e.0", [], [1], {}),
]
WITH_SOURCES = sorted(path.stem for path in (VECTORS / "valid").glob("*.json") if path.stem.startswith("sources-"))


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """All places in some JSON: containers with a key or an index."""
    found = []
    steps = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    for key, inner in steps:
        found += [(value, key), *places_in(inner)]
    return found


@pytest.mark.parametrize("name", [name for name in WITH_SOURCES if name != "sources-most-runs"])
def test_changed_sources_are_refused_or_mean_the_same(name: str) -> None:
    """Whatever is changed in sources and runs, the result comes back as it was, or an error of the format."""
    stored = (VECTORS / "valid" / f"{name}.silt").read_bytes()
    about = json.loads((VECTORS / "valid" / f"{name}.json").read_text(encoding="utf-8"))
    container, chance, refused = read_container(stored), random.Random(name), 0
    text = zstandard.ZstdDecompressor().decompress(container.manifest)
    chunks = [bytes(container.chunk(index, "")) for index in range(len(container.sizes))]
    base = Base(VECTORS / about["base"])
    whole = dict(rebuild(container, read_manifest(container), base))
    for _ in range(60):
        manifest = json.loads(text)
        tensors = [tensor for file in manifest["files"] for tensor in file["tensors"].values() if "sources" in tensor]
        tensor_ = chance.choice(tensors)
        place, key = chance.choice(places_in(tensor_.get("runs", [])) * chance.randrange(2) + places_in(tensor_["sources"]))
        if chance.random() < 0.2:
            del place[key]
        else:
            place[key] = chance.choice(HOSTILE)
        changed = read_container(seal(Draft(manifest, chunks, manifest["contract"])))
        try:
            assert dict(rebuild(changed, read_manifest(changed), base)) == whole
        except SiltError:
            refused += 1
    assert refused > 30
