"""Every vector: valid ones rebuild to their SHA-256s, invalid ones are refused with their class."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard

from silt import Base, SiltError, read_container, read_manifest, rebuild
from silt.errors import ERROR_CLASSES
from silt_seal import Draft, seal

READER = Path(__file__).resolve().parent
VECTORS = READER.parent / "Vectors"
VALID = sorted((VECTORS / "valid").glob("*.json"))
INVALID = sorted((VECTORS / "invalid").glob("*.json"))
DAMAGED = ("exact-bf16", "directory", "lossy-factors", "lossy-unknown", "sources-of-result")
DECODED = (
    "lossy-combined-masks", "lossy-factors", "lossy-gaps", "lossy-codes", "lossy-scales", "lossy-bits", "exact-over-runs",
)  # fmt: skip


def facts(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def rebuild_bytes(data: bytes, base: Path) -> dict[str, bytes]:
    container = read_container(data)
    return dict(rebuild(container, read_manifest(container), Base(base)))


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, READER / "silt_reader.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_there_are_enough_vectors() -> None:
    classes = [facts(path)["error"] for path in INVALID]
    assert len(VALID) >= 82
    assert len(INVALID) >= 416
    assert {name for name in ERROR_CLASSES if classes.count(name) < 2} == set()
    assert {path.stem for path in VALID + INVALID} == {path.stem for path in VECTORS.glob("*valid/*.silt")}


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_vector_rebuilds(path: Path) -> None:
    about = facts(path)
    files = rebuild_bytes(path.with_suffix(".silt").read_bytes(), VECTORS / about["base"])
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == about["files"]


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid_vector_is_refused(path: Path) -> None:
    about = facts(path)
    with pytest.raises(SiltError) as caught:
        rebuild_bytes(path.with_suffix(".silt").read_bytes(), VECTORS / about["base"])
    assert caught.value.error_class == about["error"], caught.value.message


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_vector_is_a_safetensors_file(path: Path) -> None:
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(path.with_suffix(".silt"), framework="numpy") as file:
        assert file.metadata()["format"] == "silt"
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"U8"}  # noqa: SIM118
        assert all(len(file.get_slice(name).get_shape()) == 1 for name in file.keys())  # noqa: SIM118


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGED)
def test_truncated_file_is_refused(name: str) -> None:
    path = VECTORS / "valid" / f"{name}.silt"
    data, base = path.read_bytes(), VECTORS / facts(path.with_suffix(".json"))["base"]
    for length in range(len(data)):
        with pytest.raises(SiltError):
            rebuild_bytes(data[:length], base)


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_file_is_refused(name: str) -> None:
    path = VECTORS / "valid" / f"{name}.silt"
    data, base = path.read_bytes(), VECTORS / facts(path.with_suffix(".json"))["base"]
    chance = random.Random(name)
    for _ in range(500):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= chance.randrange(1, 256)
        with pytest.raises(SiltError):
            rebuild_bytes(bytes(damaged), base)


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODED)
def test_damaged_chunks_are_decoded_or_refused(name: str) -> None:
    """With checksums that fit, damage reaches the decoders: whatever they meet, they say so in one way."""
    path = VECTORS / "valid" / f"{name}.silt"
    base, chance = VECTORS / facts(path.with_suffix(".json"))["base"], random.Random(name)
    container = read_container(path.read_bytes())
    manifest = json.loads(zstandard.ZstdDecompressor().decompress(container.manifest))
    chunks = [bytes(container.chunk(index, "")) for index in range(len(container.sizes))]
    for _ in range(150):
        damaged = list(chunks)
        index = chance.choice([index for index, chunk in enumerate(chunks) if chunk])
        chunk = bytearray(chunks[index])
        chunk[chance.randrange(min(len(chunk), 40))] = chance.randrange(256)
        if chance.random() < 0.3:
            del chunk[chance.randrange(len(chunk)) :]
        damaged[index] = bytes(chunk)
        with contextlib.suppress(SiltError):
            rebuild_bytes(seal(Draft(manifest, damaged, manifest["contract"])), base)


def test_command_line(tmp_path: Path) -> None:
    silt, base = VECTORS / "valid" / "directory.silt", VECTORS / "bases" / "sharded"
    assert run(base, silt, "-o", tmp_path / "out").returncode == 0
    written = {
        p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()
    }
    assert written == set(facts(silt.with_suffix(".json"))["files"])
    assert run(base, silt, "--check", tmp_path / "out").returncode == 0
    (tmp_path / "out" / "config.json").write_text("other")
    assert run(base, silt, "--check", tmp_path / "out").returncode == 1
    assert "docs/read me.md" in run(silt, "--list").stdout
    mixed = "mixed: copy(286) + whole(2) from 3 runs of new of the result, e.2, rows of the result"
    assert mixed in run(VECTORS / "valid" / "sources-of-result.silt", "--list").stdout
    refused = run(VECTORS / "bases" / "small.safetensors", silt, "-o", tmp_path / "none")
    assert refused.returncode == 65
    assert refused.stderr.startswith("base-missing: ")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
