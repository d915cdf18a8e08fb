"""What stands in the place of weights and is none: recognised by its content, with the way out; never packed as weights."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from checkpoints import small_model, tuned_model, write_model, write_safetensors, write_sharded
from program import MALFORMED, MISSING, Silt, listing

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 14483464192\n"
)


def zipped(name: str) -> bytes:
    """A zip archive whose first member has this name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, bytes(600))
    return buffer.getvalue()


#: Content, and words that the message must have: what it is, what to do.
KINDS: dict[str, tuple[bytes, list[str]]] = {
    "lfs": (POINTER, ["Git LFS pointer", "14483464192", "git lfs pull"]),
    "lfs-crlf": (POINTER.replace(b"\n", b"\r\n"), ["Git LFS pointer", "git lfs pull"]),
    "xet": (b"# xet version 0\nfilesize = 5\nhash = 'ab'\n", ["Git Xet pointer", "download"]),
    "annex": (b"/annex/objects/SHA256E-s5--ab.safetensors\n", ["git-annex", "git annex get"]),
    "html": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", ["web page", "token"]),
    "html-marked": (b"\xef\xbb\xbf \n<html lang=en>" + b"x" * 9_000, ["web page", "download"]),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', ["XML", "download"]),
    "text": (b"Entry not found", ["Entry not found", "download it again"]),
    "utf8-text": ("Zugriff verweigert: für Gäste nicht möglich\n".encode() * 200, ["Zugriff", "download"]),
    "json": (b'{"error":"Repository not found"}', ["JSON", "Repository not found", "download"]),
    "gguf": (b"GGUF" + struct.pack("<IQQ", 3, 2, 5) + bytes(4000), ["GGUF", "safetensors"]),
    "ggml": (b"tjgg" + struct.pack("<IQQ", 3, 2, 5) + bytes(400), ["GGML", "safetensors"]),
    "torch": (zipped("archive/data.pkl"), ["torch.save", "convert it to safetensors"]),
    "torch-renamed": (zipped("pytorch_model/data.pkl"), ["torch.save", "convert it to safetensors"]),
    "zip": (zipped("weights.dat"), ["zip archive", "safetensors"]),
    "npz": (zipped("a.npy"), ["NumPy", "save_file"]),
    "npy": (b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}" + bytes(90), ["NumPy", "save_file"]),
    "torch-legacy": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", ["pickle", "convert"]),
    "pickle": (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94." + bytes(40), ["pickle", "convert"]),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(500), ["HDF5", "convert"]),
    "msgpack": (b"\x82\xa6params\x83\xa4bert\x81\xa1x\x01" + bytes(60), ["msgpack", "convert"]),
    "msgpack-large": (b"\xde\x00\x15\xa4bert\x81\xa1x\x01" + bytes(60), ["msgpack", "convert"]),
    "onnx": (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0" + bytes(90), ["ONNX", "safetensors"]),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(60), ["gzip", "unpack"]),
    "xz": (b"\xfd7zXZ\x00" + bytes(60), ["xz", "unpack"]),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(60), ["zstd", "unpack"]),
    "tar": (b"weights/model.safetensors".ljust(257, b"\0") + b"ustar\x0000" + bytes(300), ["tar", "unpack"]),
    "empty": (b"", ["empty", "download or copy it again"]),
    "zeros": (bytes(20_000), ["zeros", "download it again"]),
    "few-zeros": (bytes(40), ["zeros", "download it again"]),
}


@pytest.fixture
def pair(rng: np.random.Generator, tmp_path: Path) -> tuple[Path, Path]:
    """A base and a fine-tune, as directories."""
    model = small_model(rng)
    return write_model(tmp_path / "base", model), write_model(tmp_path / "fine", tuned_model(rng, model))


def refused(silt: Silt, base: Path, fine: Path, words: list[str], codes: tuple[int, ...]) -> str:
    """Refused with these words, and nothing is left behind."""
    output = fine.parent / "out.silt"
    before = listing(fine.parent)
    text = silt.exits(codes, "pack", base, fine, "-o", output).stderr
    for word in words:
        assert word.lower() in text.lower(), text
    assert "\x1b" not in text and len(text.splitlines()) == 1
    assert listing(fine.parent) == before
    return text


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(silt: Silt, pair: tuple[Path, Path], kind: str) -> None:
    """As the model of either side, and as a file that is given by itself."""
    data, words = KINDS[kind]
    for side in (0, 1):
        target = pair[side] / "model.safetensors"
        good = target.read_bytes()
        target.write_bytes(data)
        refused(silt, *pair, words, (MALFORMED,))
        given = list(pair)
        given[side] = target
        refused(silt, given[0], given[1], words, (MALFORMED,))
        target.write_bytes(good)


@pytest.mark.parametrize("kind", ["lfs", "html", "torch", "empty", "zeros"])
def test_shard(silt: Silt, rng: np.random.Generator, pair: tuple[Path, Path], tmp_path: Path, kind: str) -> None:
    """One of several shards is enough, and is named."""
    data, words = KINDS[kind]
    shards = write_sharded(tmp_path / "shards", small_model(rng), 3)
    (shards / "model-00002-of-00003.safetensors").write_bytes(data)
    refused(silt, pair[0], shards, [*words, "00002-of-00003"], (MALFORMED,))
    refused(silt, shards, pair[1], [*words, "00002-of-00003"], (MALFORMED,))


@pytest.mark.parametrize("cut", [1, 1000, 100_000])
def test_cut(silt: Silt, pair: tuple[Path, Path], cut: int) -> None:
    """An incomplete file is said to be that, wherever it ends."""
    for side in (0, 1):
        target = pair[side] / "model.safetensors"
        good = target.read_bytes()
        target.write_bytes(good[: max(9, len(good) - cut)])
        refused(silt, *pair, ["truncated", "incomplete", "download it again"], (MALFORMED,))
        target.write_bytes(good)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["pytorch_model.bin"], "torch"),
        (["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"], "torch"),
        (["consolidated.00.pth"], "torch"),
        (["pytorch_model.bin"], "torch-legacy"),
        (["pytorch_model.bin"], "lfs"),
        (["llama-q4_0.gguf"], "gguf"),
        (["llama-q4_0.gguf"], "lfs"),
        (["tf_model.h5"], "hdf5"),
        (["flax_model.msgpack"], "msgpack"),
        (["onnx/model.onnx"], "onnx"),
    ],
)
def test_directories_of_others(silt: Silt, pair: tuple[Path, Path], names: list[str], kind: str) -> None:
    """A directory whose only weights are of another format names them."""
    data, words = KINDS[kind]
    for side in (0, 1):
        directory = pair[side]
        good = (directory / "model.safetensors").read_bytes()
        (directory / "model.safetensors").unlink()
        for name in names:
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_bytes(data)
        (directory / "training_args.bin").write_bytes(zipped("archive/data.pkl"))
        refused(silt, *pair, [*words, names[0], "no safetensors file"], (MISSING,))
        for name in names:
            (directory / name).unlink()
        refused(silt, *pair, ["no safetensors file", "downloaded whole"], (MISSING,))
        (directory / "model.safetensors").write_bytes(good)


def test_beside_the_model(silt: Silt, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Beside a good model they are files like others: kept, with a notice if they are named as safetensors."""
    base, fine = pair
    (fine / "adapter_model.safetensors").write_bytes(POINTER)
    (fine / "pytorch_model.bin").write_bytes(zipped("archive/data.pkl"))
    result = silt.ok("pack", base, fine, "-o", tmp_path / "out.silt")
    assert "git lfs pull" in result.stderr and "kept byte for byte" in result.stderr
    silt.ok("unpack", base, tmp_path / "out.silt", "-o", tmp_path / "back")
    assert (tmp_path / "back" / "adapter_model.safetensors").read_bytes() == POINTER


def mark(path: Path) -> None:
    """Puts a byte order mark before a text."""
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def test_marked_header(silt: Silt, pair: tuple[Path, Path]) -> None:
    """A byte order mark in a header is named: no reader takes it."""
    target = pair[1] / "model.safetensors"
    raw = target.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    target.write_bytes(struct.pack("<Q", length + 3) + b"\xef\xbb\xbf" + raw[8:])
    refused(silt, *pair, ["byte order mark", "save_file"], (MALFORMED,))


@pytest.mark.parametrize("filled", [9, 40, 200])
def test_unfilled_header(silt: Silt, pair: tuple[Path, Path], filled: int) -> None:
    """A download that stopped within the header, of a file that had its size from the beginning."""
    for side in (0, 1):
        target = pair[side] / "model.safetensors"
        good = target.read_bytes()
        target.write_bytes(good[:filled] + bytes(len(good) - filled))
        refused(silt, *pair, ["zeros", "download the file again"], (MALFORMED,))
        target.write_bytes(good)


def test_trailing_bytes(silt: Silt, pair: tuple[Path, Path]) -> None:
    """Bytes after the data: how many, and how to get rid of them."""
    for side in (0, 1):
        target = pair[side] / "model.safetensors"
        good = target.read_bytes()
        target.write_bytes(good + bytes(4))
        refused(silt, *pair, ["4 bytes after the data", "save_file", str(len(good))], (MALFORMED,))
        target.write_bytes(good)


def rewritten(path: Path, header: str) -> None:
    """Puts another header before the data."""
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    path.write_bytes(struct.pack("<Q", len(header.encode())) + header.encode() + raw[8 + length :])


def test_null_metadata(silt: Silt, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """`null` for the metadata is none, as for the reference reader; it comes back as it was, on either side."""
    for side in (0, 1):
        target = pair[side] / "model.safetensors"
        raw = target.read_bytes()
        (length,) = struct.unpack_from("<Q", raw)
        rewritten(target, json.dumps(json.loads(raw[8 : 8 + length]) | {"__metadata__": None}))
    silt.round_trip(*pair, tmp_path)


def test_metadata_of_other_types(silt: Silt, pair: tuple[Path, Path]) -> None:
    """A number in the metadata is refused, with the way out."""
    target = pair[1] / "model.safetensors"
    raw = target.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    rewritten(target, json.dumps(json.loads(raw[8 : 8 + length]) | {"__metadata__": {"step": 1200}}))
    refused(silt, *pair, ["step", "only strings", "save_file"], (MALFORMED,))


@pytest.mark.parametrize("side", [0, 1])
def test_adapter_configuration(silt: Silt, pair: tuple[Path, Path], tmp_path: Path, side: int) -> None:
    """A configuration that is a pointer is recognised as well, and one with a mark is read."""
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    config = adapter / "adapter_config.json"
    config.write_bytes(POINTER if side else b"<html></html>")
    write_safetensors(adapter / "adapter_model.safetensors", {})
    text = silt.exits(MALFORMED, "pack", pair[0], "--lora", adapter, "-o", tmp_path / "out.silt").stderr
    assert ("git lfs pull" if side else "web page") in text
    config.write_text('{"peft_type": "LORA", "r": 2')
    mark(config)
    text = silt.exits(MALFORMED, "pack", pair[0], "--lora", adapter, "-o", tmp_path / "out.silt").stderr
    assert "not strict JSON" in text and "mark" not in text


def hub_cache(root: Path, model: Path, commits: list[str]) -> Path:
    """The Hub's cache with one repository: blobs, refs, and snapshots of links."""
    repository = root / "models--org--name"
    blob = repository / "blobs" / "ab12"
    blob.parent.mkdir(parents=True)
    blob.write_bytes((model / "model.safetensors").read_bytes())
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commits[-1])
    for commit in commits:
        snapshot = repository / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (snapshot / "model.safetensors").symlink_to(blob)
    return repository


@pytest.mark.parametrize("commits", [["c0ffee"], ["0123", "4567", "89ab"]])
def test_hub_cache(silt: Silt, pair: tuple[Path, Path], tmp_path: Path, commits: list[str]) -> None:
    """The cache, its hub directory, a repository or a part of one: the message has the snapshot's path."""
    for side in (0, 1):
        cache = tmp_path / f"cache{side}"
        repository = hub_cache(cache / "hub", pair[side], commits)
        snapshot = repository / "snapshots" / commits[-1]
        for given in (cache, cache / "hub", repository, repository / "snapshots", repository / "refs"):
            sides = list(pair)
            sides[side] = given
            text = silt.exits(MISSING, "pack", *sides, "-o", tmp_path / "out.silt").stderr
            assert f"give the snapshot: {snapshot}" in text, text
        sides[side] = snapshot
        silt.ok("pack", *sides, "-o", tmp_path / f"{side}.silt")


def test_hub_cache_of_snapshots_alone(silt: Silt, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A repository that was copied without its blobs is known by its name."""
    repository = tmp_path / "models--org--name"
    snapshot = repository / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes((pair[0] / "model.safetensors").read_bytes())
    text = silt.exits(MISSING, "pack", f"{repository}/", pair[1], "-o", tmp_path / "out.silt").stderr
    assert f"{repository}/snapshots/c0ffee" in text


def test_names_that_only_look_like_a_cache(silt: Silt, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Files and directories of a checkpoint may have any name."""
    base, fine = pair
    (fine / "model.safetensors").rename(fine / "m.safetensors")
    (fine / "config.json").unlink()
    for name in ("snapshots", "refs", "blobs", "models--a--b"):
        (fine / name).mkdir()
        (fine / name / "x").write_text("x")
    (fine / "hub").write_text("x")
    silt.ok("pack", base, fine, "-o", tmp_path / "out.silt")
    (fine / "m.safetensors").rename(fine / "hub.bin")
    for name in ("snapshots", "models--a--b"):
        (fine / name / "x").unlink()
        (fine / name).rmdir()
    said = silt.exits(MISSING, "pack", base, fine, "-o", tmp_path / "other.silt").stderr
    assert "no safetensors file, but hub.bin" in said


def test_hub_cache_without_snapshots(silt: Silt, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A repository of which nothing was downloaded."""
    repository = tmp_path / "models--org--name"
    for name in ("refs", "snapshots", "blobs"):
        (repository / name).mkdir(parents=True)
    text = silt.exits(MISSING, "pack", repository, pair[1], "-o", tmp_path / "out.silt").stderr
    assert "hf download" in text


@pytest.mark.parametrize("name", ["meta-llama/Llama-3.2-1B", "https://huggingface.co/org/name", "hf://org/name"])
def test_name_on_the_hub(silt: Silt, pair: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    """A repository's name or address is no path of this machine."""
    for words in ((name, pair[1]), (pair[0], name)):
        text = silt.exits(MISSING, "pack", *words, "-o", tmp_path / "out.silt").stderr
        assert "hf download" in text and "Hub" in text
