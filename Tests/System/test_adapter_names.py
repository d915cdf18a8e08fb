"""Adapters whose names are not the base's: words of wrappers, and modules that have other names in memory than in the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters import Case, blocks, floats
from checkpoints import Tensors
from program import Silt, check_with_reader

MODULES = ("self_attn.q_proj", "self_attn.v_proj")


def adapted(base: Tensors, prefix: str) -> list[str]:
    """The matrices below `prefix` that adapters have, mostly."""
    return [name for name in base if name.startswith(prefix) and any(f"{m}.weight" in name for m in MODULES)]


@pytest.mark.parametrize(
    "path",
    [
        "{}",
        "base_model.model.{}",
        "base_model.model.base_model.model.{}",
        "base_model.model._orig_mod.{}",
        "_orig_mod.base_model.model.{}",
        "module.base_model.model.{}",
        "base_model.model.module.{}",
        "module._orig_mod.base_model._orig_mod.model.{}",
        "base_model.model._fsdp_wrapped_module.{}",
        "_fsdp_wrapped_module.base_model.model._checkpoint_wrapped_module.{}",
        "thinker.base_model.model.{}",
        "policy.actor.module.base_model.model.{}",
        "pretrained_model.{}",
    ],
)
def test_words_in_front(silt: Silt, tmp_path: Path, rng: np.random.Generator, path: str) -> None:
    """The merged model has the base's names, whatever stands before the adapter's."""
    case = Case(blocks(rng, "model.") | {"model.norm.weight": floats(rng, 16)}, rng)
    case.adapt_all(adapted(case.base, "model."), path)
    case.check(silt, tmp_path)


@pytest.mark.parametrize("word", ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "module"])
@pytest.mark.parametrize("place", [".self_attn", ".q_proj", ".lora"])
def test_words_between(silt: Silt, tmp_path: Path, rng: np.random.Generator, word: str, place: str) -> None:
    """The words of wrappers do not matter anywhere."""
    case = Case(blocks(rng, "model."), rng)
    case.adapt_all(adapted(case.base, "model."))
    case.adapter = {name.replace(place, f".{word}{place}"): tensor for name, tensor in case.adapter.items()}
    case.check(silt, tmp_path)


@pytest.mark.parametrize("word", ["_orig_mod.", "module.", "base_model.model."])
def test_words_of_the_base(silt: Silt, tmp_path: Path, rng: np.random.Generator, word: str) -> None:
    """A base that was saved with them keeps its names, for adapters with and without."""
    case = Case(blocks(rng, word + "model."), rng)
    names = adapted(case.base, word)
    for index, name in enumerate(names):
        path = name.removesuffix(".weight").removeprefix("" if index % 2 else word)
        case.adapt(name, "base_model.model." + path)
    case.check(silt, tmp_path)


def test_less_in_front(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """An adapter of the model without its head, and one of a part of a larger model."""
    for prefix in ("model.", "thinker.model."):
        case = Case(blocks(rng, prefix) | {"talker.model.norm.weight": floats(rng, 8)}, rng)
        for name in adapted(case.base, prefix):
            case.adapt(name, "base_model.model." + name.removeprefix(prefix).removesuffix(".weight"))
        case.check(silt, tmp_path / prefix)


#: Where subtrees are in memory, and in the file: Gemma 3 and LLaVA, Qwen2.5-VL, and a projector and a tower renamed too.
LAYOUTS = {
    "gemma": {
        "model.language_model.": "language_model.model.",
        "model.vision_tower.": "vision_tower.",
        "lm_head.": "language_model.lm_head.",
    },
    "qwen": {"model.language_model.": "model.", "model.visual.": "visual.", "lm_head.": "lm_head."},
    "tower": {
        "model.language_model.": "language_model.model.",
        "model.vision_tower.encoder.": "vision_tower.vision_model.encoder.",
        "model.multi_modal_projector.": "multi_modal_projector.",
        "lm_head.": "language_model.lm_head.",
    },
}


def subtree(rng: np.random.Generator, prefix: str, alike: bool) -> Tensors:
    """What stands below a prefix. `alike`: towers have layers of the same names and shapes as the language model."""
    if "lm_head" in prefix:
        return {prefix + "weight": floats(rng, 40, 16)}
    if "projector" in prefix:
        return {f"{prefix}linear_{i}.weight": floats(rng, 16, 24) for i in (1, 2)}
    if "vision" in prefix or "visual" in prefix:
        return blocks(rng, prefix) if alike else blocks(rng, prefix, 3, 24, 24)
    return blocks(rng, prefix) | {prefix + "embed_tokens.weight": floats(rng, 40, 16)}


@pytest.mark.parametrize("alike", [False, True], ids=["other", "alike"])
@pytest.mark.parametrize("some", ["text", "all"])
@pytest.mark.parametrize("to_old", [True, False], ids=["to-old", "to-new"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_renamed_subtrees(
    silt: Silt, tmp_path: Path, rng: np.random.Generator, layout: str, to_old: bool, some: str, alike: bool
) -> None:
    """A model of vision and language, both ways: names in memory over the old file, old names over a new file."""
    base: Tensors = {}
    case_names: list[tuple[str, str]] = []
    for new, old in LAYOUTS[layout].items():
        theirs, ours = (old, new) if to_old else (new, old)
        tensors = subtree(rng, theirs, alike)
        base |= tensors
        if some == "all" or "language_model" in new:
            matrices = [name for name in tensors if "embed_tokens" not in name]
            case_names += [(name, ours + name.removeprefix(theirs)) for name in matrices]
    case = Case(base, rng)
    for name, target in case_names:
        case.adapt(name, "base_model.model." + target.removesuffix(".weight"))
    case.check(silt, tmp_path)
    check_with_reader(tmp_path / "base", tmp_path / "a.silt", tmp_path / "merged")


@pytest.mark.parametrize("alike", [False, True], ids=["other", "alike"])
@pytest.mark.parametrize("words", ["policy.base_model.model.{}", "policy.{}", "base_model.model._orig_mod.module.{}"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_renamed_behind_other_words(
    silt: Silt, tmp_path: Path, rng: np.random.Generator, layout: str, words: str, alike: bool
) -> None:
    """Words in front of names that differ besides; and a base that has more words in front."""
    targets: dict[str, str] = {}
    base: Tensors = {}
    for new, old in LAYOUTS[layout].items():
        tensors = subtree(rng, old, alike)
        base |= tensors
        targets |= {name: new + name.removeprefix(old) for name in tensors if "embed_tokens" not in name}
    less = Case(base, rng)
    more = Case({"thinker." + name: tensor for name, tensor in base.items()}, rng)
    for name, target in targets.items():
        less.adapt(name, words.format(target.removesuffix(".weight")))
        more.adapt("thinker." + name, words.replace("policy.", "").format(target.removesuffix(".weight")))
    less.check(silt, tmp_path / "less")
    more.check(silt, tmp_path / "more")


def test_renamed_with_whole_modules(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """Whole tensors go where their subtree goes; a head by itself."""
    base = blocks(rng, "language_model.model.")
    base |= {f"language_model.{n}.weight": floats(rng, 40, 16) for n in ("model.embed_tokens", "lm_head")}
    case = Case(base, rng)
    for name in adapted(base, "language_model."):
        path = name.replace("language_model.model.", "model.language_model.").removesuffix(".weight")
        case.adapt(name, "base_model.model." + path)
    for target, name in [
        ("model.language_model.embed_tokens.weight", "language_model.model.embed_tokens.weight"),
        ("lm_head.weight", "language_model.lm_head.weight"),
    ]:
        case.merged[name] = case.adapter["base_model.model." + target] = floats(rng, 44, 16)
    case.config["modules_to_save"] = ["embed_tokens", "lm_head"]
    assert "vocab_size" in case.check(silt, tmp_path)


def test_two_places(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """Where two subtrees fit alike, both are named."""
    base = blocks(rng, "thinker.model.") | blocks(rng, "talker.model.")
    case = Case(base, rng)
    for name in adapted(base, "thinker."):
        case.adapt(name, "base_model.model." + name.removeprefix("thinker.").removesuffix(".weight"))
    said = case.refused(silt, tmp_path)
    assert "thinker." in said and "talker." in said
    # Of other shapes, only one fits.
    case = Case(blocks(rng, "thinker.model.") | blocks(rng, "talker.model.", width=24), rng)
    for name in adapted(case.base, "thinker."):
        case.adapt(name, "base_model.model." + name.removeprefix("thinker.").removesuffix(".weight"))
    case.check(silt, tmp_path / "other")


def test_another_base(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """What is missing is named, with what comes nearest and the model that the configuration names."""
    case = Case(blocks(rng, "model.", layers=3), rng)
    case.adapt_all(adapted(case.base, "model."))
    case.base = {name: tensor for name, tensor in case.base.items() if ".2." not in name}
    said = case.refused(silt, tmp_path)
    assert "model.layers.2.self_attn.q_proj.weight" in said and "someone/toy" in said and "another base" not in said
    case.base = {name: floats(rng, *(2 * n for n in tensor.shape)) for name, tensor in case.merged.items()}
    assert "someone/toy" in case.refused(silt, tmp_path / "shapes")


def test_patterns_see_the_models_names(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """A pattern that is tied to the start of a path is meant behind PEFT's prefix."""
    case = Case(blocks(rng, "model."), rng)
    case.adapt_all(adapted(case.base, "model."), "policy._orig_mod.base_model.model.{}")
    case.config |= {"r": 99, "lora_alpha": 99, "rank_pattern": {r"^model\.layers\..*": 4}, "alpha_pattern": {"^model.*": 8}}
    case.check(silt, tmp_path)


def test_a_module_twice(silt: Silt, tmp_path: Path, rng: np.random.Generator) -> None:
    """Two adapters in one file, one with a wrapper's word."""
    case = Case(blocks(rng, "model."), rng)
    for path in ("base_model.model.{}", "base_model.model._orig_mod.{}"):
        case.adapt_all(adapted(case.base, "model."), path)
    assert "more than one adapter" in case.refused(silt, tmp_path)
