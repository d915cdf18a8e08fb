"""Adapters and other tools' layouts through the command: fixtures that the tools themselves wrote (Tests/Data/peers)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import read_safetensors
from program import ROOT, Silt, digests
from pruning import values

PEERS = ROOT / "Tests" / "Data" / "peers"
LORA = ("bert-headless", "gpt2", "llama-embeddings", "llama-patterns")


@pytest.mark.parametrize("name", LORA)
def test_adapter_comes_back(silt: Silt, tmp_path: Path, name: str) -> None:
    """Packed, verified and exported: the tensors and the configuration are those that went in."""
    place, file = PEERS / name, tmp_path / "m.silt"
    silt.ok("pack", place / "base", "--lora", place / "adapter", "-o", file)
    silt.ok("verify", place / "base", file)
    silt.ok("export", file, "--lora", tmp_path / "out")
    wanted = read_safetensors(place / "adapter" / "adapter_model.safetensors")
    assert read_safetensors(tmp_path / "out" / "adapter_model.safetensors") == wanted
    config = "adapter_config.json"
    assert (tmp_path / "out" / config).read_bytes() == (place / "adapter" / config).read_bytes()


@pytest.mark.parametrize("name", [*LORA, "shira"])
def test_merged_model_is_the_peers(silt: Silt, tmp_path: Path, name: str) -> None:
    """What PEFT merges, up to the order of its sums."""
    place = PEERS / name
    silt.ok("pack", place / "base", "--lora", place / "adapter", "-o", tmp_path / "m.silt")
    silt.unpack(place / "base", tmp_path / "m.silt", tmp_path / "out")
    wanted = read_safetensors(place / "merged.safetensors")
    found = read_safetensors(tmp_path / "out" / "model.safetensors")
    for key, tensor in wanted.items():
        if key in found:
            close = np.allclose(values(found[key]), values(tensor), rtol=1e-2, atol=1e-5)
            assert close, key
    assert len(set(wanted) & set(found)) > len(wanted) // 2


def test_factors_can_be_dropped(silt: Silt, tmp_path: Path) -> None:
    """DARE on the factors: smaller, another model, and q in the file."""
    place = PEERS / "gpt2"
    whole = silt.json("pack", place / "base", "--lora", place / "adapter", "-o", tmp_path / "a.silt")
    options = ("--method", "random", "--drop", "0.5", "--values", "int4")
    less = silt.json("pack", place / "base", "--lora", place / "adapter", "-o", tmp_path / "b.silt", *options)
    assert less["bytes"] < whole["bytes"] and less["packing"]["q"] == "0.5"
    silt.ok("verify", place / "base", tmp_path / "b.silt")
    silt.ok("rescale", tmp_path / "b.silt", "--q", "0.6", "--base", place / "base")


@pytest.mark.parametrize(
    "options",
    [("--method", "magnitude"), ("--method", "random", "--only", "x"), ("--codec", "zstd")],
)
def test_what_adapters_cannot(silt: Silt, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Options of checkpoints are refused, not ignored."""
    place = PEERS / "gpt2"
    silt.exits(64, "pack", place / "base", "--lora", place / "adapter", "-o", tmp_path / "m.silt", *options)
    assert not (tmp_path / "m.silt").exists()


@pytest.mark.parametrize("layout", ["sparse-bitmask", "sparse-24-bitmask"])
def test_sparse_layouts(silt: Silt, tmp_path: Path, layout: str) -> None:
    """compressed-tensors' own files, both ways."""
    place = PEERS / layout
    silt.ok("convert", place / "sparse", "--to", "dense", "-o", tmp_path / "dense")
    found = read_safetensors(tmp_path / "dense" / "model.safetensors")
    wanted = read_safetensors(place / "dense" / "model.safetensors")
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        # The layout has no -0.0.
        assert found[name].dtype == tensor.dtype and np.array_equal(values(found[name]), values(tensor)), name
    silt.ok("convert", place / "dense", "--to", layout, "-o", tmp_path / "sparse")
    assert read_safetensors(tmp_path / "sparse" / "model.safetensors") == read_safetensors(
        place / "sparse" / "model.safetensors"
    )


@pytest.mark.parametrize("encoding", ["xor", "overwrite"])
def test_weight_sync(silt: Silt, tmp_path: Path, encoding: str) -> None:
    """Updates that other code wrote, applied; ours, applied too."""
    place = PEERS / "weight-sync"
    silt.ok("sync", "apply", place / "base", place / encoding, "-o", tmp_path / "new")
    new = {name: sha for name, sha in digests(place / "new").items() if name.endswith(".safetensors")}
    assert {name: sha for name, sha in digests(tmp_path / "new").items() if name in new} == new
    options = ("--encoding", encoding, "--version", "2", "--base-version", "1")
    silt.ok("sync", "write", place / "base", place / "new", "-o", tmp_path / "update", *options)
    silt.ok("sync", "apply", place / "base", tmp_path / "update", "-o", tmp_path / "again")
    assert {name: sha for name, sha in digests(tmp_path / "again").items() if name in new} == new
