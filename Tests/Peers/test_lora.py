"""LoRA adapters of PEFT through pack, unpack and export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from peft import PeftModel

import models

if TYPE_CHECKING:
    from conftest import Silt


@dataclass(frozen=True)
class Scene:
    """A case with what Silt makes of it."""

    case: models.Case
    base: Path
    adapter: Path
    packed: Path
    unpacked: Path

    @property
    def tolerance(self) -> float:
        """bf16 keeps 8 bits; PEFT rounds the product before the sum, Silt once after it."""
        return 1e-5 if self.case.dtype == torch.float32 else 0.05


@pytest.fixture(scope="module", params=models.CASES, ids=lambda case: case.name)
def scene(request: pytest.FixtureRequest, silt: Silt, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    work = tmp_path_factory.mktemp(request.param.name)
    base, adapter = models.build(request.param, work)
    silt("pack", base, "--lora", adapter, "-o", work / "m.silt")
    silt("unpack", base, work / "m.silt", "-o", work / "unpacked")
    return Scene(request.param, base, adapter, work / "m.silt", work / "unpacked")


def test_transformers_loads_the_unpacked_model(scene: Scene) -> None:
    _, report = scene.case.family.from_pretrained(scene.unpacked, dtype=scene.case.dtype, output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), report


def test_the_unpacked_model_is_the_merged_one(scene: Scene) -> None:
    ours = scene.case.family.from_pretrained(scene.unpacked, dtype=scene.case.dtype)
    theirs = models.merged(scene.case, scene.base, scene.adapter)
    difference = (models.logits(ours) - models.logits(theirs)).abs().max()
    assert difference <= scene.tolerance


def test_the_adapter_does_something(scene: Scene) -> None:
    before = models.logits(models.load_base(scene.case, scene.base))
    after = models.logits(models.adapted(scene.case, scene.base, scene.adapter))
    assert (before - after).abs().max() > 100 * 1e-5


@pytest.mark.parametrize("with_base", [False, True])
def test_the_exported_adapter_is_the_original(scene: Scene, silt: Silt, tmp_path: Path, with_base: bool) -> None:
    silt("export", scene.packed, "--lora", tmp_path / "back", *(["--base", scene.base] if with_base else []))
    ours = PeftModel.from_pretrained(models.load_base(scene.case, scene.base), tmp_path / "back")
    theirs = models.adapted(scene.case, scene.base, scene.adapter)
    assert (models.logits(ours) - models.logits(theirs)).abs().max() <= 1e-5


@pytest.mark.parametrize("variant", [{"use_dora": True}, {"lora_bias": True}])
def test_what_is_no_sum_is_refused(silt: Silt, tmp_path: Path, variant: dict[str, bool]) -> None:
    case = models.Case("refused", models.bert, {"r": 2, "target_modules": ["query"], **variant})
    base, adapter = models.build(case, tmp_path)
    with pytest.raises(AssertionError, match=r"DoRA|lora_bias"):
        silt("pack", base, "--lora", adapter, "-o", tmp_path / "m.silt")
    assert not (tmp_path / "m.silt").exists()


def test_an_adapter_of_another_base_is_refused(silt: Silt, tmp_path: Path) -> None:
    _, adapter = models.build(models.CASES[0], tmp_path / "one")
    other, _ = models.build(next(case for case in models.CASES if case.name == "bert"), tmp_path / "two")
    with pytest.raises(AssertionError, match="q_proj"):
        silt("pack", other, "--lora", adapter, "-o", tmp_path / "m.silt")
