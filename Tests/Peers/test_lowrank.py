"""Low-rank packs of fine-tuned models, exported as adapters that never came from PEFT."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from peft import PeftModel

import models

if TYPE_CHECKING:
    from conftest import Silt

CASES = [case for case in models.CASES if case.name in {"llama", "gpt2", "bert"}]


@torch.no_grad()
def tune(model: torch.nn.Module) -> None:
    """Every matrix moves by a matrix of rank 4, every norm's weight a little."""
    torch.manual_seed(23)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2 and "emb" not in name and "wte" not in name and "wpe" not in name:
            rows, columns = parameter.shape
            rank = min(4, rows, columns)
            parameter.add_(torch.randn(rows, rank) @ torch.randn(rank, columns) * 0.05)
        elif "norm" in name.lower() or ".ln_" in name:
            parameter.add_(torch.randn_like(parameter) * 0.05)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exported_lowrank_pack_loads_in_peft(case: models.Case, silt: Silt, tmp_path: Path) -> None:
    base, _ = models.build(case, tmp_path)
    model = models.load_base(case, base)
    tune(model)
    tuned = tmp_path / "tuned"
    model.save_pretrained(tuned)
    silt("pack", base, tuned, "-o", tmp_path / "x.silt", "--method", "lowrank", "--rank", "8", "--values", "f16")
    silt("unpack", base, tmp_path / "x.silt", "-o", tmp_path / "unpacked")
    unpacked, report = case.family.from_pretrained(tmp_path / "unpacked", output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), report
    silt("export", tmp_path / "x.silt", "--lora", tmp_path / "exported", "--base", base)
    adapted = PeftModel.from_pretrained(models.load_base(case, base), tmp_path / "exported")
    difference = (models.logits(adapted) - models.logits(unpacked)).abs().max()
    assert difference <= 1e-4
    moved = (models.logits(model) - models.logits(models.load_base(case, base))).abs().max()
    assert (models.logits(unpacked) - models.logits(model)).abs().max() <= 0.1 * moved
