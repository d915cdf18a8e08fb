"""The objects that --json prints."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import zstandard

from checkpoints import read_safetensors, write_safetensors
from program import DIFFERS, Packed, Silt, digests


def test_pack(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """One object, with all fields, whose figures agree with the files."""
    output = tmp_path / "m.silt"
    report = silt.pack(small.base, small.fine, output)
    tensors = read_safetensors(small.fine / "model.safetensors")
    parameters = sum(len(tensor.data) // 2 for tensor in tensors.values())
    size = sum(file.stat().st_size for file in small.fine.rglob("*") if file.is_file())
    assert report["contract"] == "exact"
    assert report["bytes"] == output.stat().st_size
    assert report["finetuned_bytes"] == size
    assert report["ratio"] == pytest.approx(size / report["bytes"], rel=0.01)
    assert report["parameters"] == parameters
    assert report["bits_per_parameter"] == pytest.approx(8 * report["bytes"] / parameters, rel=0.01)
    assert report["seconds"] >= 0
    assert all(set(entry) >= {"tensors", "bytes"} for entry in report["encodings"].values())
    assert sum(entry["tensors"] for entry in report["encodings"].values()) >= len(tensors)
    assert sum(entry["bytes"] for entry in report["encodings"].values()) <= report["bytes"]


def test_verify(silt: Silt, small: Packed) -> None:
    """A good file: nothing differs."""
    for against in ([], ["--against", small.fine]):
        report = silt.json("verify", small.base, small.file, *against)
        assert report["identical"] is True
        assert report["differences"] == []
        assert report["tensors"] == len(read_safetensors(small.fine / "model.safetensors"))
        assert report["files"] == len(digests(small.fine))


@pytest.mark.parametrize("change", ["bit", "config", "missing", "added", "metadata"])
def test_verify_against_another(silt: Silt, small: Packed, tmp_path: Path, change: str) -> None:
    """Exit 1, and each difference names what differs."""
    other = tmp_path / "other"
    shutil.copytree(small.fine, other)
    model = other / "model.safetensors"
    match change:
        case "bit":
            raw = bytearray(model.read_bytes())
            raw[-1] ^= 1
            model.write_bytes(raw)
        case "config":
            (other / "config.json").write_text("{}")
        case "missing":
            (other / "vocab.txt").unlink()
        case "added":
            (other / "added.txt").write_text("new")
        case "metadata":
            write_safetensors(model, read_safetensors(model), {"format": "tf"})
    result = silt.run("verify", small.base, small.file, "--against", other, "--json")
    assert result.returncode == DIFFERS, result.stderr
    report = json.loads(result.stdout)
    assert report["identical"] is False
    assert report["differences"]
    text = json.dumps(report["differences"])
    named = {"config": "config.json", "missing": "vocab.txt", "added": "added.txt"}.get(
        change, "model.safetensors"
    )
    assert named in text or (change == "bit" and "LayerNorm" in text)
    assert all("file" in entry or "tensor" in entry for entry in report["differences"])


def test_inspect(silt: Silt, small: Packed) -> None:
    """Every tensor with what it costs."""
    report = silt.json("inspect", small.file)
    assert report["metadata"]["format"] == "silt"
    assert report["metadata"]["base"] in json.dumps(report["base"])
    tensors = read_safetensors(small.fine / "model.safetensors")
    listed = {entry["name"]: entry for entry in report["tensors"]}
    assert listed.keys() == tensors.keys()
    for name, entry in listed.items():
        assert entry["dtype"] == tensors[name].dtype
        assert tuple(entry["shape"]) == tensors[name].shape
        assert isinstance(entry["kind"], str) and "codec" in entry
        assert 0 <= entry["bytes"] <= len(tensors[name].data) * 2 + 65536
        elements = len(tensors[name].data) / 2
        assert entry["bits_per_parameter"] == pytest.approx(8 * entry["bytes"] / elements, rel=0.02, abs=0.01)
    assert sum(entry["bytes"] for entry in listed.values()) <= small.file.stat().st_size


def test_safetensors_package_opens_it(small: Packed) -> None:
    """A Silt file is a safetensors file of bytes, and says that it is no model."""
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(small.file, framework="numpy") as file:
        assert file.metadata()["format"] == "silt"
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"U8"}  # noqa: SIM118


def test_overhead(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Beside the payload and the digests, a tensor costs at most 64 bytes: names, shapes, header, everything."""
    base, fine = real_pair
    silt.pack(base, fine, tmp_path / "m.silt")
    raw = (tmp_path / "m.silt").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    entries = {name: raw[8 + size :][slice(*header[name]["data_offsets"])] for name in header if "silt." in name}
    digest = re.compile(rb'"[0-9a-f]{16,64}"')
    manifest = digest.sub(b'""', zstandard.decompress(entries["silt.manifest"]))
    chunk_sizes = len(entries["silt.chunks"]) // 3
    header_bytes = 8 + size - sum(len(found) - 2 for found in digest.findall(raw[8 : 8 + size]))
    overhead = header_bytes + chunk_sizes + len(zstandard.ZstdCompressor(19).compress(manifest))
    tensors = len(silt.json("inspect", tmp_path / "m.silt")["tensors"])
    assert overhead <= 64 * tensors
