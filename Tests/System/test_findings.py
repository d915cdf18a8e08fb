"""What pack says of a pair: tensors that the base does not have, an adapter in the wrong place, the state of a training."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensors, random_tensor, small_model, tuned_model, write_model, write_safetensors
from models import bert, weights, write_tiny
from program import Silt


def size(tensors: Tensors) -> int:
    """Bytes of all tensors."""
    return sum(len(tensor.data) for tensor in tensors.values())


def packed(silt: Silt, base: Path, fine: Path, output: Path, *options: object) -> tuple[dict, str]:
    """The report and what is said, of two runs."""
    said = silt.ok("pack", base, fine, "-o", output, *options).stderr
    return silt.json("pack", base, fine, "-o", output, "--force", *options), said


def test_nothing_to_say(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """All tensors have a counterpart, under their name or with a prefix; a longer vocabulary has one too."""
    model = small_model(rng)
    grown = dict(tuned_model(rng, model))
    name = "embeddings.word_embeddings.weight"
    grown[name] = random_tensor(rng, "BF16", (210, 48))
    grown["no.elements"] = random_tensor(rng, "BF16", (0, 4))
    base = write_model(tmp_path / "base", model)
    fine = write_model(tmp_path / "fine", {f"bert.{key}": tensor for key, tensor in grown.items()})
    report, said = packed(silt, base, fine, tmp_path / "out.silt")
    assert said == ""
    assert report["unmatched"] == {"tensors": 0, "bytes": 0, "share": 0}
    assert report["training_state"] == {"files": 0, "bytes": 0, "share": 0}


def test_new_layer(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Some tensors are new: how many, their share, the likeliest reason; -v names them."""
    model = small_model(rng)
    new = {f"head.{index}.weight": random_tensor(rng, "BF16", (7, 40)) for index in range(3)}
    base = write_model(tmp_path / "base", model)
    fine = write_model(tmp_path / "fine", tuned_model(rng, model) | new)
    report, said = packed(silt, base, fine, tmp_path / "out.silt")
    share = size(new) / (size(model) + size(new))
    assert report["unmatched"] == {"tensors": 3, "bytes": size(new), "share": pytest.approx(share)}
    (line,) = said.splitlines()
    assert line.startswith("notice: 3 of 8 tensors") and "no counterpart" in line and "new layers" in line
    assert f"{share * 100:.1f} %" in line and "--verbose" in line and "right base" not in line
    verbose = silt.ok("pack", base, fine, "-o", tmp_path / "out.silt", "--force", "-v").stderr
    assert all(name in verbose for name in new)
    assert silt.ok("pack", base, fine, "-o", tmp_path / "out.silt", "--force", "-q").stderr == ""


def test_one_new_tensor(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """One is told in the singular."""
    model = small_model(rng)
    fine = tuned_model(rng, model) | {"head.weight": random_tensor(rng, "BF16", (7, 40))}
    pair = [write_model(tmp_path / name, tensors) for name, tensors in (("base", model), ("fine", fine))]
    said = packed(silt, *pair, tmp_path / "out.silt")[1]
    assert "1 of 6 tensors" in said and "has no counterpart" in said and "is stored whole" in said


@pytest.mark.parametrize("form", ["directory", "file"])
def test_another_family(silt: Silt, rng: np.random.Generator, tmp_path: Path, form: str) -> None:
    """Nearly nothing matches: is this the right base?"""
    other = {f"h.{index}.mlp.c_fc.weight": random_tensor(rng, "BF16", (64, 16)) for index in range(4)}
    model = small_model(rng) | {"ln.weight": random_tensor(rng, "BF16", (4,))}
    base = write_model(tmp_path / "base", other | {"ln.weight": random_tensor(rng, "BF16", (4,))})
    fine = write_model(tmp_path / "fine", model)
    if form == "file":
        base, fine = base / "model.safetensors", fine / "model.safetensors"
    report, said = packed(silt, base, fine, tmp_path / "out.silt")
    assert report["unmatched"]["tensors"] == 5 and 0.99 < report["unmatched"]["share"] < 1
    assert "5 of 6 tensors" in said and "is this the right base?" in said


def adapter(rng: np.random.Generator) -> Tensors:
    """Two factors as PEFT names them."""
    stem = "base_model.model.encoder.layer.0.attention.query"
    return {
        f"{stem}.lora_A.weight": random_tensor(rng, "F32", (4, 48)),
        f"{stem}.lora_B.weight": random_tensor(rng, "F32", (48, 4)),
    }


@pytest.mark.parametrize("form", ["directory", "file", "renamed"])
def test_adapter_as_fine_tuned(silt: Silt, rng: np.random.Generator, tmp_path: Path, form: str) -> None:
    """It is packed as it is, and told what it is and how it had better be given."""
    base = write_model(tmp_path / "base", small_model(rng))
    name = "model.safetensors" if form == "renamed" else "adapter_model.safetensors"
    fine = write_safetensors(tmp_path / "adapter" / name, adapter(rng))
    if form != "file":
        fine = fine.parent
        (fine / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4, "target_modules": ["query"]}')
    report, said = packed(silt, base, fine, tmp_path / "out.silt")
    assert report["unmatched"]["tensors"] == 2
    assert "this is an adapter" in said and "--lora" in said
    silt.round_trip(base, fine, tmp_path)


def test_adapter_beside_the_model(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Beside a model it is no mistake, but is named."""
    model = small_model(rng)
    base = write_model(tmp_path / "base", model)
    fine = write_model(tmp_path / "fine", tuned_model(rng, model))
    write_safetensors(fine / "adapter_model.safetensors", adapter(rng))
    said = packed(silt, base, fine, tmp_path / "out.silt")[1]
    assert "beside the model" in said and "this is an adapter" not in said


def test_adapter_over_an_adapter(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """The difference of two adapters is what was meant."""
    old = adapter(rng)
    base = write_safetensors(tmp_path / "base" / "adapter_model.safetensors", old).parent
    fine = write_safetensors(tmp_path / "fine" / "adapter_model.safetensors", tuned_model(rng, old)).parent
    report, said = packed(silt, base, fine, tmp_path / "out.silt")
    assert said == "" and report["unmatched"]["tensors"] == 0


def test_adapter_as_base(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """A base that is an adapter is named."""
    base = write_safetensors(tmp_path / "base" / "adapter_model.safetensors", adapter(rng)).parent
    fine = write_model(tmp_path / "fine", small_model(rng))
    assert "the base is an adapter" in packed(silt, base, fine, tmp_path / "out.silt")[1]


STATES = {
    "trainer": ["optimizer.pt", "scheduler.pt", "rng_state.pth"],
    "trainer-distributed": ["optimizer.pt", "rng_state_0.pth", "rng_state_1.pth"],
    "accelerate": ["optimizer.bin", "scheduler.bin", "random_states_0.pkl"],
    "deepspeed": ["global_step500/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt", "global_step500/mp_rank_00_model_states.pt"],
    "fsdp": ["optimizer_0/__0_0.distcp", "optimizer_0/.metadata", "pytorch_model_fsdp_0/__0_0.distcp"],
    "safetensors": ["optimizer.safetensors"],
}


@pytest.mark.parametrize("kind", STATES)
def test_training_state(silt: Silt, rng: np.random.Generator, tmp_path: Path, kind: str) -> None:
    """What a training needs to go on is named with its share of the bytes."""
    model = small_model(rng)
    base = write_model(tmp_path / "base", model)
    fine = write_model(tmp_path / "fine", tuned_model(rng, model))
    (fine / "training_args.bin").write_bytes(bytes(50))
    total = 0
    for name in STATES[kind]:
        path = fine / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith(".safetensors"):
            write_safetensors(path, {"state.0.exp_avg": random_tensor(rng, "F32", (90, 90))})
        else:
            path.write_bytes(rng.bytes(30_000))
        total += path.stat().st_size
    report, said = packed(silt, base, fine, tmp_path / "out.silt")
    state = report["training_state"]
    assert (state["files"], state["bytes"]) == (len(STATES[kind]), total)
    assert state["share"] == pytest.approx(total / report["finetuned_bytes"])
    assert "state of a training" in said and f"{state['share'] * 100:.1f} %" in said


def test_names_that_only_look_like_it(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Files of the model whose names have the words."""
    model = small_model(rng)
    base = write_model(tmp_path / "base", model)
    fine = write_model(tmp_path / "fine", tuned_model(rng, model))
    for name in ("optimizer.md", "optimizer_config.json", "scheduler_config.json", "training_args.bin", "trainer_state.json"):
        (fine / name).write_text("{}")
    assert packed(silt, base, fine, tmp_path / "out.silt")[0]["training_state"]["files"] == 0


def test_calibrated(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """The same with a search, whose time counts: the report's seconds are those of the whole run."""
    config, model = bert(rng)
    new = weights(rng, {"extra.weight": (4, 16)})
    base = write_tiny(tmp_path / "base", config, model)
    fine = write_tiny(tmp_path / "fine", config, tuned_model(rng, model) | new)
    evaluator = "sleep 0.5; echo 1; : {model}"
    begin = time.monotonic()
    report = silt.json(
        "pack", base, fine, "-o", tmp_path / "out.silt", "--accuracy-within", "50%", "--evaluator", evaluator
    )
    wall = time.monotonic() - begin
    assert wall >= report["seconds"] > 0.8 * wall > 0.8
    assert report["unmatched"]["tensors"] == 1
