"""`silt plan`: what it predicts is what `silt pack` then writes."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, write_model
from program import Silt, flags, listing

#: Some of the ways that a plan tries; all of them take the same path.
TRIED = (
    "",
    "--method=random --drop=0.9",
    "--method=random --drop=0.99 --values=bf16",
    "--method=magnitude --drop=0.95",
    "--method=columns --drop=0.5",
    "--method=nm",
    "--method=sign",
    "--method=transform --quality=4",
)


@pytest.fixture(scope="module")
def plan(silt: Silt, real_pair: tuple[Path, Path]) -> dict:
    """The plan of the committed pair."""
    return silt.json("plan", *real_pair)


@pytest.mark.parametrize("options", TRIED)
def test_sizes_are_those_of_pack(
    silt: Silt, real_pair: tuple[Path, Path], plan: dict, tmp_path: Path, options: str
) -> None:
    """Within 2 %: bytes, bits and the relative L2 error."""
    found = {" ".join(flags(candidate["options"])): candidate for candidate in plan["candidates"]}[options]
    report = silt.pack(*real_pair, tmp_path / "m.silt", *shlex.split(options), check=False)
    assert found["bytes"] == pytest.approx(report["bytes"], rel=0.02)
    assert found["bits_per_parameter"] == pytest.approx(report["bits_per_parameter"], rel=0.02)
    if options:
        assert found["relative_l2"] == pytest.approx(report["receipt"]["relative_l2"], rel=1e-4)


def test_every_drop_rate_is_there(plan: dict) -> None:
    """p = .5, .9, .95 and .99 beside the exact delta."""
    options = {" ".join(flags(candidate["options"])) for candidate in plan["candidates"]}
    for p in ("0.5", "0.9", "0.95", "0.99"):
        assert f"--method=random --drop={p}" in options
        assert f"--method=magnitude --drop={p}" in options
    assert plan["candidates"][0]["contract"] == "exact"


def test_statistics(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Mean, deviation, largest, share unchanged and excess kurtosis of a group of layers."""
    base, fine, deltas = {}, {}, []
    for layer in range(2):
        before = rng.standard_normal((64, 48)).astype("<f4")
        after = before.copy()
        after[:, :36] += rng.laplace(0.001, 0.01, (64, 36)).astype("<f4")
        base[f"layer.{layer}.weight"] = Tensor("F32", (64, 48), before.tobytes())
        fine[f"layer.{layer}.weight"] = Tensor("F32", (64, 48), after.tobytes())
        deltas.append((after - before).astype(np.float64).ravel())
    delta = np.concatenate(deltas)
    pair = write_model(tmp_path / "base", base), write_model(tmp_path / "fine", fine)
    (group,) = silt.json("plan", *pair)["groups"]
    assert (group["name"], group["tensors"], group["parameters"]) == ("layer.*.weight", 2, delta.size)
    centred = delta - delta.mean()
    kurtosis = (centred**4).mean() / (centred**2).mean() ** 2 - 3
    for name, wanted in (
        ("mean", delta.mean()), ("std", delta.std()), ("largest", np.abs(delta).max()),
        ("unchanged", (delta == 0).mean()), ("kurtosis", kurtosis),
    ):  # fmt: skip
        assert group[name] == pytest.approx(wanted, rel=1e-3, abs=1e-9), name


def test_exact_is_recommended_where_it_is_smallest(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Hardly anything moved: the exact delta costs less than any mask."""
    before = rng.standard_normal((256, 256)).astype("<f4")
    after = before.copy()
    after[3, 5] += 1
    pair = [
        write_model(tmp_path / name, {"layer.weight": Tensor("F32", (256, 256), values.tobytes())})
        for name, values in (("base", before), ("fine", after))
    ]
    assert silt.json("plan", *pair)["advice"][0]["kind"] in {"exact-is-smallest", "lossy-gains-little"}
    assert "Recommended: exact" in silt.ok("plan", *pair).stdout


def test_nothing_is_written(silt: Silt, pairs: dict[str, tuple[Path, Path]]) -> None:
    """Nothing appears beside the inputs."""
    base, fine = pairs["BF16"]
    before = listing(base.parent)
    silt.ok("plan", base, fine)
    assert listing(base.parent) == before
