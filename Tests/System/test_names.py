"""Which base tensor predicts which: prefixes, ties, and names that only look alike."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, Tensors, random_tensor, tuned, tuned_model, write_model
from program import Silt

COMPOSED = unicodedata.normalize("NFC", "café")
DECOMPOSED = unicodedata.normalize("NFD", "café")


def layers(rng: np.random.Generator) -> Tensors:
    """A few matrices named as in a decoder."""
    return {
        f"layers.{layer}.mlp.{part}.weight": random_tensor(rng, "BF16", (96, 64))
        for layer in range(3)
        for part in ("up_proj", "down_proj")
    }


@pytest.mark.parametrize(
    ("base_prefix", "fine_prefix"),
    [
        ("", "model."),
        ("model.", ""),
        ("", "base_model.model.model."),
        ("_orig_mod.model.language_model.", "model."),
        ("roberta.encoder.", "encoder."),
    ],
)
def test_prefixes(
    silt: Silt, rng: np.random.Generator, tmp_path: Path, base_prefix: str, fine_prefix: str
) -> None:
    """Leading components may differ, on either side and in number."""
    model = layers(rng)
    changed = tuned_model(rng, model)
    base = write_model(tmp_path / "base", {base_prefix + name: tensor for name, tensor in model.items()})
    fine = write_model(tmp_path / "fine", {fine_prefix + name: tensor for name, tensor in changed.items()})
    report = silt.round_trip(base, fine, tmp_path)
    assert report["encodings"]["exact"]["tensors"] == len(model)


@pytest.mark.parametrize(
    ("base_name", "fine_name"),
    [
        ("model.embed_tokens.weight", "lm_head.weight"),
        ("lm_head.weight", "model.embed_tokens.weight"),
        ("distilbert.embeddings.word_embeddings.weight", "vocab_projector.weight"),
        ("shared.weight", "encoder.embed_tokens.weight"),
        ("transformer.wte.weight", "lm_head.weight"),
    ],
)
def test_tied(silt: Silt, rng: np.random.Generator, tmp_path: Path, base_name: str, fine_name: str) -> None:
    """A matrix of the vocabulary stands for the one that it is tied to."""
    table = random_tensor(rng, "BF16", (512, 64))
    base = write_model(tmp_path / "base", {base_name: table})
    fine = write_model(tmp_path / "fine", {fine_name: tuned(rng, table)})
    report = silt.round_trip(base, fine, tmp_path)
    assert report["encodings"]["exact"]["tensors"] == 1


def test_accents_are_bytes(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Composed and decomposed accents are different names: of tensors, of files, side by side."""
    tensor = random_tensor(rng, "BF16", (64, 64))
    base = write_model(tmp_path / "base", {f"{COMPOSED}.a.weight": tensor})
    pair = {f"{DECOMPOSED}.a.weight": tuned(rng, tensor), f"{COMPOSED}.a.weight": tuned(rng, tensor)}
    fine = write_model(tmp_path / "fine", pair)
    (base / f"{COMPOSED}.txt").write_text("one")
    (fine / f"{DECOMPOSED}.txt").write_text("two")
    (fine / f"{COMPOSED}.txt").write_text("one")
    silt.round_trip(base, fine, tmp_path)


def test_force_keeps_a_file_that_only_looks_expected(
    silt: Silt, rng: np.random.Generator, tmp_path: Path
) -> None:
    """A foreign file whose name has the other form of an accent is not replaced."""
    tensor = random_tensor(rng, "BF16", (64, 64))
    base = write_model(tmp_path / "base", {"a.weight": tensor})
    fine = write_model(tmp_path / "fine", {"a.weight": tuned(rng, tensor)})
    (fine / f"{DECOMPOSED}.txt").write_text("packed")
    silt.pack(base, fine, tmp_path / "m.silt")
    output = tmp_path / "out"
    output.mkdir()
    (output / f"{COMPOSED}.txt").write_text("mine")
    silt.exits(73, "unpack", base, tmp_path / "m.silt", "-o", output, "--force")
    assert (output / f"{COMPOSED}.txt").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["U8", "I16", "I64", "F64", "BF16", "F32"])
@pytest.mark.parametrize("codec", ["auto", "rans", "zstd", "lz4", "none"])
def test_cell_that_equals_the_base(silt: Silt, tmp_path: Path, dtype: str, codec: str) -> None:
    """One cell of a tensor moved and another did not: the tables know only the first."""
    size = {"U8": 1, "I16": 2, "BF16": 2, "F32": 4}.get(dtype, 8)
    count = 2 * 262_144
    old = np.zeros(count * size, np.uint8)
    new = old.copy()
    new[count * size // 2 :: size] = np.random.default_rng(3).integers(1, 3, count // 2)
    base = write_model(tmp_path / "base", {"a.weight": Tensor(dtype, (count,), old.tobytes())})
    fine = write_model(tmp_path / "fine", {"a.weight": Tensor(dtype, (count,), new.tobytes())})
    silt.round_trip(base, fine, tmp_path, "--codec", codec)
