"""What Silt's library writes, read by the libraries that it is for (the Swift tests keep it), and the other way round."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import xxhash
import zstandard
from compressed_tensors.compressors.sparse_compressors.sparse_24_bitmask import Sparse24BitMaskTensor
from compressed_tensors.compressors.sparse_compressors.sparse_bitmask import bitmask_decompress
from compressed_tensors.config import CompressionFormat, SparsityCompressionConfig
from peft import PeftModel
from safetensors import safe_open
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file

import models

LAYOUTS = ["sparse-bitmask", "sparse-24-bitmask"]


def dense(path: Path, layout: str) -> dict[str, torch.Tensor]:
    """The weights of a sparse checkpoint, by compressed-tensors."""
    tensors = load_file(path / "model.safetensors")
    result = {}
    for name, mask in tensors.items():
        if not name.endswith(".bitmask"):
            continue
        module = name.removesuffix(".bitmask")
        shape, values = tensors[f"{module}.shape"], tensors[f"{module}.compressed"]
        if layout == "sparse-bitmask":
            result[f"{module}.weight"] = bitmask_decompress(values, mask, shape.tolist())
        else:
            result[f"{module}.weight"] = Sparse24BitMaskTensor.from_compressed_data(shape, values, mask).decompress()
    return result


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("writer", ["silt", "compressed-tensors"])
def test_sparse_checkpoints(written: Path, committed: Path, layout: str, writer: str) -> None:
    sparse = written / layout if writer == "silt" else committed / layout / "sparse"
    expected = load_file(committed / layout / "dense" / "model.safetensors")
    weights = dense(sparse, layout)
    assert weights.keys() == {name for name in expected if name.endswith("up_proj.weight")}
    for name, weight in weights.items():
        assert weight.dtype == expected[name].dtype
        assert torch.equal(weight, expected[name])
    config = json.loads((sparse / "config.json").read_text())["quantization_config"]["sparsity_config"]
    parsed = SparsityCompressionConfig.load_from_registry(config["format"], **config)
    assert parsed.format == CompressionFormat(layout).value


@pytest.mark.parametrize("name", ["llama-patterns", "gpt2"])
def test_adapters_that_silt_wrote(written: Path, committed: Path, name: str) -> None:
    case = next(case for case in models.CASES if case.name == name)
    base = committed / name / "base"
    ours = PeftModel.from_pretrained(models.load_base(case, base), written / f"{name}-adapter")
    theirs = models.adapted(case, base, committed / name / "adapter")
    assert (models.logits(ours) - models.logits(theirs)).abs().max() <= 1e-5


def test_shira_adapter_that_silt_wrote(written: Path, committed: Path) -> None:
    """All values but three, which the Swift test leaves out so that zeros fill up."""
    base = committed / "shira" / "base"
    loaded = []
    for path in (written / "shira-adapter", committed / "shira" / "adapter"):
        model = models.LlamaForCausalLM.from_pretrained(base)
        loaded.append(PeftModel.from_pretrained(model, path).merge_and_unload().state_dict())
    ours, theirs = loaded
    changed = {name: int((ours[name] != theirs[name]).sum()) for name in theirs}
    assert {name: count for name, count in changed.items() if count} == {"model.layers.0.mlp.down_proj.weight": 3}


@pytest.mark.parametrize("encoding", ["xor", "overwrite"])
def test_weight_update_that_silt_wrote(written: Path, committed: Path, encoding: str) -> None:
    update = written / f"weight-sync-{encoding}"
    index = json.loads((update / "model.safetensors.index.json").read_text())
    old, new = (load_arrays(committed / "weight-sync" / name / "model.safetensors") for name in ("base", "new"))
    assert index["metadata"]["delta_encoding"] == encoding
    for name, file in index["weight_map"].items():
        with safe_open(update / file, "np") as shard:
            frame, checksum = shard.get_tensor(name).tobytes(), shard.metadata()[name]
        raw = np.frombuffer(zstandard.ZstdDecompressor().decompress(frame), np.uint8)
        data = old[name].reshape(-1).view(np.uint8).copy()
        if encoding == "xor":
            data ^= raw
        else:
            count = int(raw[:4].view("<u4")[0])
            data[raw[4 : 4 + 4 * count].view("<u4")] = raw[4 + 4 * count :]
        assert np.array_equal(data, new[name].reshape(-1).view(np.uint8))
        is_xxh3 = index["metadata"]["checksum_format"] == "xxh3-128"
        assert checksum == (xxhash.xxh3_128(data.tobytes()).hexdigest() if is_xxh3 else f"{zlib.adler32(data.tobytes()):08x}")
        old[name] = new[name]
    assert all(np.array_equal(old[name], new[name]) for name in new)
