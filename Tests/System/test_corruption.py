"""Damaged files: truncated anywhere, one byte flipped anywhere, and the committed vectors."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

from checkpoints import lossy_pair, write_model
from flip_bytes import OUTCOMES, Trial, expected, flip
from program import MALFORMED, ROOT, Packed, Silt, digests, listing

VECTORS = ROOT / "Formats" / "Vectors"
INVALID = sorted((VECTORS / "invalid").glob("*.silt"))
VALID = sorted(path for path in VECTORS.rglob("*.silt") if path.parent.name != "invalid")


@pytest.mark.slow
def test_flipped_bytes(silt: Silt, small: Packed) -> None:
    """Random places. SILT_FLIPS sets how many; flip_bytes.py does it from the command line."""
    count = int(os.environ.get("SILT_FLIPS", "300"))
    trial = Trial(silt.path, small.base, digests(small.fine))
    counts, bad = flip(trial, small.file, count, seed=count, processes=2)
    assert not bad, "\n".join(bad[:20])
    assert sum(counts[outcome] for outcome in OUTCOMES[:2]) == count


#: Files with every kind of component, mask, value and scale between them.
LOSSY_KINDS = (
    "random --values bf16 --vectors f16",
    "random --drop 0.8 --mask bitmask --values int8 --group 16",
    "magnitude --drop 0.95 --mask gaps --values int4",
    "columns --drop 0.7 --values f32",
    "rows --drop 0.6 --values int2 --embeddings method",
    "nm --values sign",
    "sign",
    "lowrank --rank 3 --values int8",
    "transform+random --quality 2",
)


@pytest.fixture(scope="module")
def tiny_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A pair so small that a byte in ten is one of the manifest."""
    work = tmp_path_factory.mktemp("tiny")
    tensors = lossy_pair(np.random.default_rng(3), "BF16")
    base, fine = ({name: side[name] for name in side if "wide" not in name} for side in tensors)
    return write_model(work / "base", base), write_model(work / "fine", fine)


@pytest.mark.slow
@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("method", ["", *LOSSY_KINDS], ids=lambda method: method.replace(" ", "") or "exact")
def test_flipped_bytes_of_methods(
    silt: Silt, tiny_pair: tuple[Path, Path], tmp_path: Path, method: str, sealed: bool
) -> None:
    """As above for lossy files, and once more with checksums that fit the damage. SILT_FLIPS counts here too."""
    base, fine = tiny_pair
    packed = tmp_path / "m.silt"
    silt.ok("pack", base, fine, "-o", packed, *(["--method", *method.split()] if method else []))
    count = int(os.environ.get("SILT_FLIPS", "60"))
    trial = Trial(silt.path, base, expected(base, packed))
    counts, bad = flip(trial, packed, count, seed=count, processes=2, sealed=sealed)
    assert not bad, "\n".join(bad[:20])
    assert sum(counts[outcome] for outcome in OUTCOMES[:2]) == count


@pytest.mark.slow
def test_flipped_header(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Every byte of the length and of the first part of the header."""
    data = small.file.read_bytes()
    trial = Trial(silt.path, small.base, digests(small.fine))
    for position in [*range(16), *range(16, 700, 7)]:
        damaged = bytearray(data)
        damaged[position] ^= 1 << (position % 8)
        outcome = trial.outcome(bytes(damaged), tmp_path)
        assert outcome == "refused", f"byte {position}: {outcome}"


@pytest.mark.slow
def test_truncated(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Cut at many lengths, nothing and all but one byte among them; and one byte too many."""
    data = small.file.read_bytes()
    generator = random.Random(3)
    lengths = [0, 1, 7, 8, 9, 10, 100, len(data) // 2, len(data) - 100, len(data) - 8, len(data) - 1]
    lengths += [generator.randrange(len(data)) for _ in range(50)]
    trial = Trial(silt.path, small.base, digests(small.fine))
    for length in lengths:
        outcome = trial.outcome(data[:length], tmp_path)
        assert outcome == "refused", f"{length} bytes: {outcome}"
    for tail in (b"\0", b"tail" * 1000):
        assert trial.outcome(data + tail, tmp_path) == "refused"


def test_other_commands_refuse(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Inspect and verify say 65 as well, and name what is wrong."""
    data = small.file.read_bytes()
    damaged = tmp_path / "m.silt"
    damaged.write_bytes(data[: len(data) // 2])
    for words in (["inspect", damaged], ["verify", small.base, damaged]):
        assert "truncated" in silt.exits(MALFORMED, *words).stderr
    model = small.fine / "model.safetensors"
    assert "not-silt" in silt.exits(MALFORMED, "inspect", model).stderr
    damaged.write_bytes(b"\x00" * 4096)
    silt.exits(MALFORMED, "inspect", damaged)


def facts_of(vector: Path) -> tuple[dict, Path]:
    """What stands beside a vector, and the base that it names."""
    facts = json.loads(vector.with_suffix(".json").read_text())
    return facts, VECTORS / facts["base"]


def test_vectors_are_there() -> None:
    """The specification comes with vectors; an empty directory must not pass for success."""
    assert len(INVALID) >= 30
    assert len(VALID) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("vector", INVALID, ids=lambda path: path.stem)
def test_invalid_vector(silt: Silt, tmp_path: Path, vector: Path) -> None:
    """Each is refused with its class of error and leaves nothing, inside or outside."""
    facts, base = facts_of(vector)
    work = tmp_path / "a" / "b"
    work.mkdir(parents=True)
    result = silt.exits(MALFORMED, "unpack", base, vector, "-o", work / "out")
    assert f"{facts['error']}:" in result.stderr, f"not {facts['error']}: {result.stderr}"
    assert listing(tmp_path) == {"a", "a/b"}


@pytest.mark.parametrize("vector", VALID, ids=lambda path: path.stem)
def test_valid_vector(silt: Silt, tmp_path: Path, vector: Path) -> None:
    """Each unpacks to files with the digests that stand beside it."""
    facts, base = facts_of(vector)
    output = tmp_path / "out"
    silt.unpack(base, vector, output)
    found = digests(output)
    wanted = facts["files"]
    if output.is_file():
        (content,) = wanted.values()
        wanted = {"": content}
    assert found == wanted
    assert silt.json("verify", base, vector)["identical"] is True
