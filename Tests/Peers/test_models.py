"""Silt's forward passes beside transformers': every architecture and variant, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
import transformers
from safetensors.torch import load_file

import architectures

if TYPE_CHECKING:
    from conftest import Silt

TOLERANCE = 1e-4


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert ours.dtype == torch.float32
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= TOLERANCE * theirs.abs().max()


@pytest.mark.parametrize("case", architectures.CASES, ids=lambda case: case.name)
def test_the_logits_are_those_of_transformers(silt: Silt, tmp_path: Path, case: architectures.Case) -> None:
    architectures.build(case, tmp_path / "model")
    tensors = architectures.data(case, tmp_path / "data.safetensors")
    # What transformers makes of the files, an edited config.json included.
    family = getattr(transformers, case.family + case.kind)
    theirs = architectures.expected(case, family.from_pretrained(tmp_path / "model", dtype=torch.float32).eval())
    silt("eval", tmp_path / "model", tmp_path / "data.safetensors", "--logits", tmp_path / "out.safetensors")
    ours = load_file(tmp_path / "out.safetensors")
    if case.is_causal:
        close(ours["loss"], architectures.losses(theirs, tensors))
    else:
        close(ours["logits"], theirs)


@pytest.mark.parametrize("name", ["bert", "llama", "gpt2"])
def test_weights_of_16_bits_are_widened(silt: Silt, tmp_path: Path, name: str) -> None:
    case = next(case for case in architectures.CASES if case.name == name)
    architectures.build(case, tmp_path / "model").to(torch.bfloat16).save_pretrained(tmp_path / "model")
    tensors = architectures.data(case, tmp_path / "data.safetensors")
    family = getattr(transformers, case.family + case.kind)
    theirs = architectures.expected(case, family.from_pretrained(tmp_path / "model", dtype=torch.float32).eval())
    silt("eval", tmp_path / "model", tmp_path / "data.safetensors", "--logits", tmp_path / "out.safetensors")
    ours = load_file(tmp_path / "out.safetensors")
    if case.is_causal:
        close(ours["loss"], architectures.losses(theirs, tensors))
    else:
        close(ours["logits"], theirs)


@pytest.mark.parametrize(
    ("family", "kind", "options", "what"),
    [
        ("GPTNeoX", "ForCausalLM", {**architectures.SMALL, "num_attention_heads": 4}, "gpt_neox"),
        ("Bert", "ForMaskedLM", architectures.SMALL, "BertForMaskedLM"),
        ("Bert", "ForTokenClassification", architectures.SMALL, "BertForTokenClassification"),
        ("Bert", "ForSequenceClassification", {**architectures.SMALL, "hidden_act": "quick_gelu"}, "quick_gelu"),
    ],
)
def test_other_models_are_refused_by_name(
    silt: Silt, tmp_path: Path, family: str, kind: str, options: dict[str, object], what: str
) -> None:
    case = architectures.Case("other", family, kind, options)
    architectures.build(case, tmp_path / "model")
    architectures.data(case, tmp_path / "data.safetensors")
    with pytest.raises(AssertionError, match=f"(?s){what}.*--evaluator"):
        silt("eval", tmp_path / "model", tmp_path / "data.safetensors", "--logits", tmp_path / "out.safetensors")
