"""Every byte comes back: each test packs, unpacks, compares all files, verifies, and asks the reader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from checkpoints import (
    Tensor,
    Tensors,
    random_tensor,
    small_model,
    tuned,
    tuned_model,
    write_model,
    write_safetensors,
    write_sharded,
)
from program import Silt


def test_real_directory(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The committed pair, with tokenizer and configuration."""
    base, fine = real_pair
    report = silt.round_trip(base, fine, tmp_path)
    assert report["ratio"] > 2
    assert 4 < report["bits_per_parameter"] < 4.5


def test_real_file(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A packed file unpacks to a file."""
    base, fine = (path / "model.safetensors" for path in real_pair)
    silt.round_trip(base, fine, tmp_path)
    assert (tmp_path / "unpacked").is_file()


@pytest.mark.parametrize("base_shards", [1, 2])
def test_sharded(silt: Silt, rng: np.random.Generator, tmp_path: Path, base_shards: int) -> None:
    """Shards with their index, against a base that is cut otherwise."""
    model = small_model(rng)
    base = tmp_path / "base"
    if base_shards == 1:
        write_model(base, model)
    else:
        write_sharded(base, model, base_shards)
    fine = write_sharded(tmp_path / "fine", tuned_model(rng, model), 3, {"format": "pt"})
    silt.round_trip(base, fine, tmp_path)


def test_directory_against_file(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """The base may be a single file where the result is a directory."""
    model = small_model(rng)
    base = write_safetensors(tmp_path / "base.safetensors", model)
    silt.round_trip(base, write_model(tmp_path / "fine", tuned_model(rng, model)), tmp_path)


def test_file_against_directory(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """And the other way round."""
    model = small_model(rng)
    base = write_model(tmp_path / "base", model)
    silt.round_trip(base, write_safetensors(tmp_path / "f.safetensors", tuned_model(rng, model)), tmp_path)


def test_added_head(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Tensors that the base lacks, and one that only the base has."""
    model = small_model(rng)
    extra = {"pooler.unused": random_tensor(rng, "I64", (7,))}
    head = {
        "classifier.weight": random_tensor(rng, "BF16", (2, 48)),
        "classifier.bias": random_tensor(rng, "BF16", (2,)),
    }
    base = write_model(tmp_path / "base", model | extra)
    silt.round_trip(base, write_model(tmp_path / "fine", tuned_model(rng, model) | head), tmp_path)


def close_pair(rng: np.random.Generator, rows: int = 2000, dtype: str = "BF16") -> tuple[Tensor, Tensor]:
    """A matrix and a fine-tune of it that differs in one value of twenty: far smaller as a delta."""
    weight = random_tensor(rng, dtype, (rows, 64), specials=False)
    return weight, tuned(rng, weight, share=0.05, steps=1)


def assert_delta(report: dict) -> None:
    """The base was found and used: without it these pairs need two thirds of their size."""
    assert report["bytes"] < 0.5 * report["finetuned_bytes"], report


@pytest.mark.parametrize("grown", [1, 16, 5000])
def test_grown_vocabulary(silt: Silt, rng: np.random.Generator, tmp_path: Path, grown: int) -> None:
    """Rows added at the end: the old ones are a delta, the new ones whole."""
    old, new = close_pair(rng, rows=6000)
    rows = random_tensor(rng, "BF16", (grown, 64), specials=False)
    fine = {"embed.weight": Tensor("BF16", (6000 + grown, 64), new.data + rows.data)}
    base = write_model(tmp_path / "base", {"embed.weight": old})
    report = silt.round_trip(base, write_model(tmp_path / "fine", fine), tmp_path)
    assert report["bytes"] < 0.45 * len(new.data) + 1.1 * len(rows.data) + 4096


def test_shrunk_vocabulary(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Rows cut off the end."""
    old, new = close_pair(rng)
    fine = {"embed.weight": Tensor("BF16", (1900, 64), new.data[: 1900 * 128])}
    base = write_model(tmp_path / "base", {"embed.weight": old})
    silt.round_trip(base, write_model(tmp_path / "fine", fine), tmp_path)


@pytest.mark.parametrize("prefix", ["bert.", "model."])
@pytest.mark.parametrize("on_base", [True, False])
def test_prefix(silt: Silt, rng: np.random.Generator, tmp_path: Path, prefix: str, on_base: bool) -> None:
    """A prefix on one side only."""
    old, new = close_pair(rng)
    names = (prefix, "") if on_base else ("", prefix)
    base = write_model(tmp_path / "base", {names[0] + "layers.0.weight": old})
    fine = write_model(tmp_path / "fine", {names[1] + "layers.0.weight": new})
    assert_delta(silt.round_trip(base, fine, tmp_path))


def test_tied_head(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """An output head that the base ties to its embedding."""
    old, new = close_pair(rng)
    head = tuned(rng, old, share=0.05, steps=1)
    base = write_model(tmp_path / "base", {"model.embed_tokens.weight": old})
    fine = write_model(tmp_path / "fine", {"model.embed_tokens.weight": new, "lm_head.weight": head})
    assert_delta(silt.round_trip(base, fine, tmp_path))


@pytest.mark.parametrize("dtype", ["BF16", "F16"])
def test_rounded_base(silt: Silt, rng: np.random.Generator, tmp_path: Path, dtype: str) -> None:
    """A float32 base with a fine-tune in 16 bits: the rounded base predicts it. Special values included."""
    values = (rng.standard_normal((2000, 64)) * 0.02).astype("<f4")
    values.flat[:6] = [np.inf, -np.inf, np.nan, -0.0, 1e-42, 3.4e38]
    if dtype == "F16":
        with np.errstate(over="ignore"):
            rounded = values.astype("<f2").view("<u2")
    else:
        rounded = (values.view("<u4") >> 16).astype("<u2")
    new = tuned(rng, Tensor(dtype, (2000, 64), rounded.tobytes()), share=0.05, steps=1)
    base = write_model(tmp_path / "base", {"a.weight": Tensor("F32", (2000, 64), values.tobytes())})
    report = silt.round_trip(base, write_model(tmp_path / "fine", {"a.weight": new}), tmp_path)
    assert report["bytes"] < 0.55 * report["finetuned_bytes"]


@pytest.mark.parametrize("residue", [1, 4, 7])
def test_misaligned_data(silt: Silt, rng: np.random.Generator, tmp_path: Path, residue: int) -> None:
    """Headers whose length is no multiple of 8, and tensors of odd length between others."""
    model = small_model(rng, "F32") | {
        "odd": random_tensor(rng, "U8", (3,)),
        "z": random_tensor(rng, "F64", (5,)),
    }
    base = write_model(tmp_path / "base", model, residue=7 - residue)
    silt.round_trip(base, write_model(tmp_path / "fine", tuned_model(rng, model), residue=residue), tmp_path)


def test_empty_and_scalar_tensors(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """No elements, or no dimensions."""
    shapes = [(0,), (0, 5), (3, 0, 2), (), (1,), (1, 1, 1)]
    model: Tensors = {
        f"{dtype}.{index}": random_tensor(rng, dtype, shape)
        for dtype in ("F32", "BF16", "I64", "BOOL", "F8_E4M3")
        for index, shape in enumerate(shapes)
    }
    new_empty = {"new": random_tensor(rng, "F16", (0, 4)), "new.scalar": random_tensor(rng, "F16", ())}
    base = write_model(tmp_path / "base", model)
    silt.round_trip(base, write_model(tmp_path / "fine", tuned_model(rng, model) | new_empty), tmp_path)


def test_no_tensors(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """A file with no tensor at all."""
    base = write_safetensors(tmp_path / "base.safetensors", small_model(rng))
    silt.round_trip(base, write_safetensors(tmp_path / "fine.safetensors", {}, padding=0), tmp_path)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt", "ü": '\n"\\\u2028'}])
@pytest.mark.parametrize("padding", [0, 5, 4096])
def test_headers(
    silt: Silt, rng: np.random.Generator, tmp_path: Path, metadata: dict | None, padding: int
) -> None:
    """Metadata, padding, escapes, and a header that lists tensors in another order than their data."""
    model = small_model(rng) | {'höhe/"quoted"': random_tensor(rng, "F16", (8, 3))}
    base = write_model(tmp_path / "base", model)
    options = {"metadata": metadata, "padding": padding, "shuffled": padding == 5}
    silt.round_trip(base, write_model(tmp_path / "fine", tuned_model(rng, model), **options), tmp_path)


def test_other_files(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Unknown files, in subdirectories, empty, large, hidden, equal to the base's or not."""
    model = small_model(rng)
    base = write_model(tmp_path / "base", model)
    fine = write_model(tmp_path / "fine", tuned_model(rng, model))
    vocabulary = rng.bytes(3_000_000)
    (base / "vocab.bin").write_bytes(vocabulary)
    for name, content in {
        "vocab.bin": vocabulary,
        "1_Pooling/config.json": b"{}",
        "deep/er/notes.txt": b"text " * 10000,
        "empty": b"",
        ".hidden": b"\x00",
        "README äöü.md": b"# Model",
        "random.bin": rng.bytes(2_500_000),
        "onnx/model.onnx": b"\x08\x07",
    }.items():
        (fine / name).parent.mkdir(parents=True, exist_ok=True)
        (fine / name).write_bytes(content)
    write_safetensors(fine / "onnx" / "other.safetensors", {"a": random_tensor(rng, "F32", (4, 4))})
    report = silt.round_trip(base, fine, tmp_path)
    assert report["bytes"] < 2_500_000 + 500_000, "the file that equals the base's was stored again"


def test_malformed_side_file(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Files that only look like safetensors are kept as they are."""
    model = small_model(rng)
    base = write_model(tmp_path / "base", model)
    fine = write_model(tmp_path / "fine", tuned_model(rng, model))
    (fine / "broken.safetensors").write_bytes(b"\xff" * 100)
    (fine / "short.safetensors").write_bytes(b"\x01")
    (fine / "none.safetensors").write_bytes(b"")
    good = write_safetensors(fine / "tail.safetensors", {"t": random_tensor(rng, "F32", (9,))})
    good.write_bytes(good.read_bytes() + b"tail")
    silt.round_trip(base, fine, tmp_path)


def test_identical_checkpoints(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Nothing changed: almost nothing is stored."""
    model = small_model(rng, width=128)
    base = write_model(tmp_path / "base", model)
    report = silt.round_trip(base, write_model(tmp_path / "fine", model), tmp_path)
    assert {kind for kind, entry in report["encodings"].items() if entry["tensors"]} == {"copy"}
    assert report["bytes"] < 8192


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape", [(300_000,), (1, 300_000), (3, 262_145), (600, 1000), (5, 7, 9_000), (262_144, 3)]
)
def test_many_cells(silt: Silt, rng: np.random.Generator, tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Tensors of more than one chunk, around the places where chunks end."""
    old = {"w": random_tensor(rng, "BF16", shape), "b": random_tensor(rng, "F32", shape)}
    base = write_safetensors(tmp_path / "base.safetensors", old)
    silt.round_trip(base, write_safetensors(tmp_path / "fine.safetensors", tuned_model(rng, old)), tmp_path)


@pytest.mark.parametrize("options", [("rans",), ("zstd", 1), ("zstd", 22), ("lz4",), ("none",), ("auto",)])
def test_codecs(silt: Silt, rng: np.random.Generator, tmp_path: Path, options: tuple) -> None:
    """Every codec, with a level where it has one."""
    model = small_model(rng) | {
        "ids": random_tensor(rng, "I64", (50,)),
        "f": random_tensor(rng, "F8_E4M3", (9, 9)),
    }
    base = write_model(tmp_path / "base", model)
    fine = write_model(
        tmp_path / "fine", tuned_model(rng, model) | {"new": random_tensor(rng, "F32", (40, 9))}
    )
    words = ["--codec", options[0], *(["--level", options[1]] if len(options) > 1 else [])]
    silt.round_trip(base, fine, tmp_path, *words)


def test_index_names_a_subset(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Evaluation outputs beside the shards are no part of the model but come back too."""
    model = small_model(rng)
    base = write_sharded(tmp_path / "base", model, 2)
    fine = write_sharded(tmp_path / "fine", tuned_model(rng, model), 2)
    write_safetensors(fine / "reference_logits.safetensors", {"logits": random_tensor(rng, "F32", (20, 2))})
    assert "weight_map" in json.loads((fine / "model.safetensors.index.json").read_text())
    silt.round_trip(base, fine, tmp_path)
