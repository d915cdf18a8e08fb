"""Silt's backward passes beside PyTorch's: every architecture and variant, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file

import architectures

if TYPE_CHECKING:
    from conftest import Silt

TOLERANCE = 1e-4

def mean_loss(
    case: architectures.Case,
    model: transformers.PreTrainedModel,
    tensors: dict[str, torch.Tensor],
    labels: torch.Tensor | None,
) -> torch.Tensor:
    """The loss that `silt eval` names: cross-entropy, squared error, or that of the next token."""
    logits = model(**tensors).logits
    if case.is_causal:
        mask = tensors["attention_mask"]
        return architectures.losses(logits, tensors).sum() / (mask[:, :-1] & mask[:, 1:]).sum()
    if case.options["num_labels"] == 1:
        return torch.nn.functional.mse_loss(logits[:, 0], labels)
    return torch.nn.functional.cross_entropy(logits, labels)


def gradients(
    case: architectures.Case,
    family: Any,
    path: Path,
    tensors: dict[str, torch.Tensor],
    labels: torch.Tensor | None,
    dtype: torch.dtype,
) -> dict[str, torch.Tensor]:
    """PyTorch's gradients by tensor, computed in `dtype`, without dropout."""
    model = family.from_pretrained(path, dtype=dtype).eval()
    if labels is not None and labels.is_floating_point():
        labels = labels.to(dtype)
    mean_loss(case, model, tensors, labels).backward()
    return {name: p.grad.double() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("case", architectures.CASES, ids=lambda case: case.name)
def test_the_gradients_are_those_of_pytorch(silt: Silt, tmp_path: Path, case: architectures.Case) -> None:
    architectures.build(case, tmp_path / "model")
    tensors = architectures.data(case, tmp_path / "data.safetensors")
    labels = None if case.is_causal else load_file(tmp_path / "data.safetensors")["labels"]
    family = getattr(transformers, case.family + case.kind)
    theirs, single = (gradients(case, family, tmp_path / "model", tensors, labels, t) for t in (torch.float64, torch.float32))
    out = tmp_path / "out.safetensors"
    silt("eval", tmp_path / "model", tmp_path / "data.safetensors", "--gradients", out)
    ours = load_file(out)
    assert set(ours) == set(theirs)
    largest = max(gradient.norm() for gradient in theirs.values())
    for name, gradient in theirs.items():
        assert ours[name].dtype == torch.float32 and ours[name].shape == gradient.shape, name
        # Some gradients are 0 but for rounding: a bias of all keys moves all scores of a query alike.
        scale = gradient.norm() + 1e-3 * largest
        error, usual = (ours[name] - gradient).norm() / scale, (single[name] - gradient).norm() / scale
        # Where scores are large, binary32 alone is farther away than that, PyTorch's too.
        assert error <= max(TOLERANCE, 2 * usual), f"{name}: {error}, PyTorch's in binary32 {usual}"
