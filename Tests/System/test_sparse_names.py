"""`silt convert --to dense` of sparse layouts as several releases of compressed-tensors wrote names and configurations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, Tensors, random_tensor, read_safetensors, write_safetensors, write_sharded
from program import MALFORMED, Silt

SPARSITY = {"format": "sparse-bitmask", "global_sparsity": 0.5, "sparsity_structure": "unstructured"}

#: Where config.json says that the model is sparse.
CONFIGURATIONS: dict[str, dict] = {
    "quantization": {"quantization_config": {"quant_method": "compressed-tensors", "sparsity_config": SPARSITY}},
    "compression": {"compression_config": {"quant_method": "compressed-tensors", "sparsity_config": SPARSITY}},
    "alone": {"sparsity_config": SPARSITY},
    "beside": {
        "quantization_config": {"quant_method": "compressed-tensors", "sparsity_config": {}},
        "sparsity_config": SPARSITY,
    },
}


def model(rng: np.random.Generator) -> Tensors:
    """Two pruned matrices, one whose columns fill no whole bytes, and a norm."""
    tensors = {"layers.0.norm.weight": random_tensor(rng, "BF16", (13,))}
    for name, shape in (("layers.0.q_proj.weight", (8, 24)), ("layers.0.weight_proj.weight", (5, 13))):
        values = np.frombuffer(random_tensor(rng, "BF16", shape, specials=False).data, "<u2").copy()
        values[rng.random(values.size) < 0.5] = 0
        tensors[name] = Tensor("BF16", shape, values.tobytes())
    return tensors


def integers(values: np.ndarray) -> Tensor:
    """An I64 tensor."""
    return Tensor("I64", values.shape, values.astype("<i8").tobytes())


def compressed(tensors: Tensors, behind_weight: bool) -> Tensors:
    """The parts of the matrices, named behind the weight or behind the module."""
    found: Tensors = {}
    for name, tensor in tensors.items():
        if "_proj" not in name:
            found[name] = tensor
            continue
        stem = name if behind_weight else name.removesuffix(".weight")
        values = np.frombuffer(tensor.data, "<u2").reshape(tensor.shape)
        mask = values != 0
        bits = np.packbits(mask, axis=1, bitorder="little")
        found[f"{stem}.shape"] = integers(np.array(tensor.shape))
        found[f"{stem}.compressed"] = Tensor("BF16", (int(mask.sum()),), values[mask].tobytes())
        found[f"{stem}.bitmask"] = Tensor("U8", bits.shape, bits.tobytes())
        found[f"{stem}.row_offsets"] = integers(np.concatenate([[0], np.cumsum(mask.sum(1))[:-1]]))
    return found


@pytest.mark.parametrize("behind_weight", [True, False])
@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_dense(
    silt: Silt, rng: np.random.Generator, tmp_path: Path, behind_weight: bool, shards: int, kind: str
) -> None:
    """The dense tensors have their names and values, and the configuration and the index say nothing of parts."""
    dense = model(rng)
    sparse = tmp_path / "sparse"
    parts = compressed(dense, behind_weight)
    if shards == 1:
        write_safetensors(sparse / "model.safetensors", parts)
    else:
        ordered = dict(sorted(parts.items(), key=lambda item: item[0].rpartition(".")[0]))
        sparse.mkdir()
        names = list(ordered)
        # A weight's parts may lie in different shards.
        write_sharded(sparse, {name: ordered[name] for name in names}, shards)
    (sparse / "config.json").write_text(json.dumps({"model_type": "llama"} | CONFIGURATIONS[kind]))
    silt.ok("convert", sparse, "--to", "dense", "-o", tmp_path / "dense")
    found: Tensors = {}
    for path in (tmp_path / "dense").glob("*.safetensors"):
        found |= read_safetensors(path)
    assert found == dense
    assert json.loads((tmp_path / "dense" / "config.json").read_text()) == {"model_type": "llama"}
    if shards > 1:
        index = json.loads((tmp_path / "dense" / "model.safetensors.index.json").read_text())
        assert set(index["weight_map"]) == set(dense)


def test_both_names(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """One weight under both names is refused."""
    dense = model(rng)
    sparse = tmp_path / "sparse"
    write_safetensors(sparse / "model.safetensors", compressed(dense, True) | compressed(dense, False))
    (sparse / "config.json").write_text(json.dumps(CONFIGURATIONS["quantization"]))
    said = silt.exits(MALFORMED, "convert", sparse, "--to", "dense", "-o", tmp_path / "dense").stderr
    assert "q_proj.weight" in said or "weight_proj.weight" in said
    assert not (tmp_path / "dense").exists()
