"""Adapters that carry embeddings and heads: of another vocabulary, below an update, tied, empty; and sums that overflow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters import Case, blocks, floats
from checkpoints import Tensor, float_tensor
from program import Silt, check_with_reader, manifest_of
from pruning import values
from silt import read_container, read_manifest
from silt.rebuild import adapter_tensors

EMBED, HEAD = "model.embed_tokens.weight", "lm_head.weight"
PEFT = "base_model.model."


@pytest.fixture
def case(rng: np.random.Generator) -> Case:
    """A model with a head of its own, and LoRA on its attention."""
    vocabulary = {name: floats(rng, 40, 16) for name in (EMBED, HEAD)}
    case = Case(blocks(rng, "model.") | vocabulary, rng)
    case.adapt_all(name for name in case.base if "self_attn" in name)
    return case


@pytest.mark.parametrize("rows", [44, 40, 33])
@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("names", [(EMBED, HEAD), (EMBED,), (HEAD,)], ids=["both", "embed", "head"])
def test_another_vocabulary(silt: Silt, tmp_path: Path, case: Case, names: tuple, declared: bool, rows: int) -> None:
    """Grown, the same, cut from a padded base; whether PEFT saved them by itself or was told to."""
    for name in names:
        case.adapter[PEFT + name] = case.merged[name] = floats(case.rng, rows, 16)
    if declared:
        case.config["modules_to_save"] = [name.split(".")[-2] for name in names]
    said = case.check(silt, tmp_path)
    assert ("vocab_size" in said) == (EMBED in names and rows != 40)
    check_with_reader(tmp_path / "base", tmp_path / "a.silt", tmp_path / "merged")


def test_other_columns_are_another_model(silt: Silt, tmp_path: Path, case: Case) -> None:
    """Rows may differ, columns may not; nor may rows of what is no vocabulary."""
    case.adapter[PEFT + EMBED] = floats(case.rng, 44, 24)
    assert "someone/toy" in case.refused(silt, tmp_path)
    case.adapter.pop(PEFT + EMBED)
    case.adapter[PEFT + "model.layers.0.mlp.up_proj.weight"] = floats(case.rng, 34, 16)
    assert "up_proj" in case.refused(silt, tmp_path / "rows")


@pytest.mark.parametrize("rows", [40, 44, 33])
def test_an_update_over_embeddings(silt: Silt, tmp_path: Path, case: Case, rows: int) -> None:
    """PEFT saves what is below: the base's, or one of another vocabulary. It comes back."""
    below = case.base[EMBED] if rows == 40 else floats(case.rng, rows, 16)
    case.adapt_embedding(EMBED, PEFT + EMBED.removesuffix(".weight"), below)
    case.check(silt, tmp_path)
    check_with_reader(tmp_path / "base", tmp_path / "a.silt", tmp_path / "merged")


@pytest.mark.parametrize("rows", [40, 44])
def test_an_update_over_a_head(silt: Silt, tmp_path: Path, case: Case, rows: int) -> None:
    """The same of a linear layer."""
    below = case.base[HEAD] if rows == 40 else floats(case.rng, rows, 16)
    case.base[HEAD], old = below, case.base[HEAD]
    case.adapt(HEAD, PEFT + "lm_head")
    case.base[HEAD] = old
    case.adapter[PEFT + "lm_head.base_layer.weight"] = below
    case.check(silt, tmp_path)


def test_an_update_over_trained_embeddings(silt: Silt, tmp_path: Path, case: Case) -> None:
    """The same rows, other values: PEFT adds to what the adapter has."""
    case.adapt_embedding(EMBED, PEFT + EMBED.removesuffix(".weight"), floats(case.rng, 40, 16))
    case.check(silt, tmp_path)
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    silt.exits(64, "pack", base, "--lora", adapter, "-o", tmp_path / "b.silt", "--method", "random")


def test_a_grown_update_without_its_embeddings(silt: Silt, tmp_path: Path, case: Case) -> None:
    """The factors alone do not say what is below: the message says what was forgotten."""
    path = PEFT + EMBED.removesuffix(".weight")
    case.adapt_embedding(EMBED, path, floats(case.rng, 44, 16))
    case.adapter.pop(path + ".base_layer.weight")
    assert "save_embedding_layers" in case.refused(silt, tmp_path)


@pytest.mark.parametrize("rows", [40, 44])
@pytest.mark.parametrize("declared", [False, True])
def test_tied_heads(silt: Silt, tmp_path: Path, case: Case, declared: bool, rows: int) -> None:
    """A base without a head: a saved one that is the embedding is not in the merged model, another is."""
    for tensors in (case.base, case.merged):
        tensors.pop(HEAD)
    embedding = floats(case.rng, rows, 16)
    case.adapter |= {PEFT + EMBED: embedding, PEFT + HEAD: embedding}
    case.merged[EMBED] = embedding
    if declared:
        case.config["modules_to_save"] = ["embed_tokens", "lm_head"]
    assert "tie_word_embeddings" not in case.check(silt, tmp_path)
    case.adapter[PEFT + HEAD] = case.merged[HEAD] = floats(case.rng, rows, 16)
    assert "tie_word_embeddings" in case.check(silt, tmp_path / "other")


def test_a_head_tied_to_the_base(silt: Silt, tmp_path: Path, case: Case) -> None:
    """PEFT saved the head only, and it is the base's embedding, or what is below the embedding's update."""
    for tensors in (case.base, case.merged):
        tensors.pop(HEAD)
    case.adapter[PEFT + HEAD] = case.base[EMBED]
    case.check(silt, tmp_path)
    below = floats(case.rng, 44, 16)
    case.adapt_embedding(EMBED, PEFT + EMBED.removesuffix(".weight"), below)
    case.adapter[PEFT + HEAD] = below
    case.check(silt, tmp_path / "below")


@pytest.mark.parametrize("dtype", ["F32", "F16"])
def test_another_dtype(silt: Silt, tmp_path: Path, case: Case, dtype: str) -> None:
    """The merged model has the base's dtype, the adapter comes back in its own."""
    for name in (EMBED, HEAD):
        tensor = floats(case.rng, 44, 16, dtype=dtype)
        case.adapter[PEFT + name] = tensor
        case.merged[name] = float_tensor(values(tensor).astype(np.float32).reshape(tensor.shape), "BF16")
    case.check(silt, tmp_path)


def test_copies_that_peft_leaves_in(silt: Silt, tmp_path: Path, case: Case) -> None:
    """Raw states have modules twice, with and without the wrapper's words: all comes back."""
    head = floats(case.rng, 44, 16)
    path = PEFT + "lm_head."
    case.adapter |= {path + "modules_to_save.default.weight": head, path + "original_module.weight": case.base[HEAD]}
    case.merged[HEAD] = head
    case.config["modules_to_save"] = ["lm_head"]
    case.check(silt, tmp_path)
    case.adapter[path + "weight"] = case.adapter[path + "modules_to_save.default.weight"]
    case.check(silt, tmp_path / "twice")


@pytest.mark.parametrize("name", ["default", "sql"])
def test_raw_states(silt: Silt, tmp_path: Path, case: Case, name: str) -> None:
    """A raw state has the adapter's name in all of its names, whatever it is."""
    case.adapter = {
        key.replace(".lora_A.", f".lora_A.{name}.").replace(".lora_B.", f".lora_B.{name}."): tensor
        for key, tensor in case.adapter.items()
    }
    case.merged[HEAD] = case.adapter[PEFT + f"lm_head.modules_to_save.{name}.weight"] = floats(case.rng, 40, 16)
    case.config["modules_to_save"] = ["lm_head"]
    case.check(silt, tmp_path)


def test_what_nothing_uses(silt: Silt, tmp_path: Path, case: Case) -> None:
    """Tensors that the base lacks and the configuration does not name are refused, unless they are heads."""
    for path, shape in [("score.weight", (2, 16)), ("model.wte.weight", (40, 16)), ("embed_out.weight", (41, 16))]:
        case.adapter[PEFT + path] = floats(case.rng, *shape)
        assert "modules_to_save" in case.refused(silt, tmp_path / path)
        case.adapter.pop(PEFT + path)
    case.config["modules_to_save"] = ["score"]
    case.adapter[PEFT + "score.weight"] = case.merged["score.weight"] = floats(case.rng, 2, 16)
    case.check(silt, tmp_path)


def test_the_reader_finds_what_is_stored(silt: Silt, tmp_path: Path, case: Case) -> None:
    """The independent reader counts the chunks of the adapter's own tensors, and decodes them."""
    large = floats(case.rng, 70_000, 16)
    case.base[EMBED] = case.merged[EMBED] = large
    case.adapt_embedding(EMBED, PEFT + EMBED.removesuffix(".weight"), large)
    case.check(silt, tmp_path)
    container = read_container((tmp_path / "a.silt").read_bytes())
    found = {t.name: Tensor(t.dtype, t.shape, data) for t, data in adapter_tensors(container, read_manifest(container))}
    name = PEFT + EMBED.replace(".weight", ".base_layer.weight")
    assert found == {name: large}
    assert silt.json("inspect", tmp_path / "a.silt")["encodings"]["adapter"]["tensors"] == 1
    stored = [t for t in manifest_of(tmp_path / "a.silt")["adapter"]["tensors"] if "chunk" in t]
    assert [t["name"] for t in stored] == [name]


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("name", [EMBED, HEAD, "model.layers.0.self_attn.q_proj.lora_A.weight"])
def test_empty_tensors(silt: Silt, tmp_path: Path, case: Case, name: str, declared: bool) -> None:
    """What DeepSpeed ZeRO-3 saves without gathering: refused, with the reason."""
    case.adapter[PEFT + name] = Tensor("BF16", (0,), b"")
    if declared:
        case.config["modules_to_save"] = ["embed_tokens", "lm_head"]
    said = case.refused(silt, tmp_path)
    assert "empty" in said and "ZeRO-3" in said and "another base" not in said


def test_sums_that_overflow(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """F16 ends at 65,504: a sum beyond is infinite in the merged model, which is told; the adapter is not affected."""
    weight = float_tensor(np.full((16, 16), 60_000, np.float32), "F16")
    case = Case({"model.layers.0.q.weight": weight}, rng)
    case.adapt_all(case.base)
    path = PEFT + "model.layers.0.q."
    case.adapter[path + "lora_A.weight"] = float_tensor(np.full((4, 16), 100, np.float32), "F32")
    case.adapter[path + "lora_B.weight"] = float_tensor(np.full((16, 4), 100, np.float32), "F32")
    case.merged["model.layers.0.q.weight"] = float_tensor(np.full((16, 16), np.inf, np.float32), "F16")
    said = case.check(silt, tmp_path)
    assert "256 values" in said and "overflow F16" in said
    case.adapter[path + "lora_B.weight"] = float_tensor(np.zeros((16, 4), np.float32), "F32")
    case.merged["model.layers.0.q.weight"] = weight
    assert "overflow" not in case.check(silt, tmp_path / "zero")
