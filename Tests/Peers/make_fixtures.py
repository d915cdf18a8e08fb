"""Writes Tests/Data/peers anew: small files that PEFT, compressed-tensors and the formulas of slime's updates make.

The Swift tests read them, so that no test of Silt's readers depends on Silt's writers. Run it with the environment of
`make test-peers`; committed files change only when a library changes what it writes.
"""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
import xxhash
import zstandard
from compressed_tensors.compressors.sparse_compressors.sparse_24_bitmask import Sparse24BitMaskTensor
from compressed_tensors.compressors.sparse_compressors.sparse_bitmask import BitmaskTensor
from peft import PeftModel, ShiraConfig, get_peft_model
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

import models

ROOT = Path(__file__).resolve().parents[2] / "Tests" / "Data" / "peers"
LORA = ("llama-patterns", "llama-embeddings", "gpt2", "bert-headless")


def tidy(adapter: Path) -> None:
    """What PEFT writes, without this machine's paths."""
    (adapter / "README.md").unlink(missing_ok=True)
    path = adapter / "adapter_config.json"
    config = json.loads(path.read_text()) | {"base_model_name_or_path": "base"}
    # Sets come in any order.
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2) + "\n")


def lora(case: models.Case) -> None:
    """base/, adapter/, and merged.safetensors: the tensors that the adapter changes, as PEFT merges them."""
    work = ROOT / case.name
    base, adapter = models.build(case, work)
    before = load_file(base / "model.safetensors")
    state = models.merged(case, base, adapter).state_dict()
    changed = {}
    for name, tensor in state.items():
        old = before.get(name, before.get(name.removeprefix("bert.")))
        if name != "lm_head.weight" and (old is None or not torch.equal(old, tensor)):
            changed[name] = tensor.contiguous().clone()
    save_file(changed, work / "merged.safetensors")
    tidy(adapter)


def shira() -> None:
    torch.manual_seed(5)
    work = ROOT / "shira"
    models.llama().save_pretrained(work / "base")
    model = models.LlamaForCausalLM.from_pretrained(work / "base")
    config = ShiraConfig(r=1, target_modules=["q_proj", "down_proj"], random_seed=1, init_weights=False)
    get_peft_model(model, config).save_pretrained(work / "adapter")
    model = models.LlamaForCausalLM.from_pretrained(work / "base")
    before = load_file(work / "base" / "model.safetensors")
    state = PeftModel.from_pretrained(model, work / "adapter").merge_and_unload().state_dict()
    save_file({k: v for k, v in state.items() if k in before and not torch.equal(v, before[k])}, work / "merged.safetensors")
    tidy(work / "adapter")


def bitmask(layout: str) -> None:
    """dense/ and sparse/: two linear weights and what is never converted. Three of the zeros of a bitmask are -0."""
    torch.manual_seed(7)
    work = ROOT / layout
    (work / "dense").mkdir(parents=True)
    (work / "sparse").mkdir()
    dense = {
        "model.embed_tokens.weight": torch.randn(6, 20).bfloat16(),
        "model.norm.weight": torch.zeros(20).bfloat16(),
    }
    for number, dtype in enumerate((torch.bfloat16, torch.float32)):
        weight = torch.randn(12, 20)
        if layout == "sparse-bitmask":
            weight = weight.where(torch.rand(12, 20) > 0.7, 0)
            weight[3] = 0
            weight[4, :3] = -0.0
        else:
            order = torch.rand(12, 5, 4).argsort(-1)
            weight = weight.reshape(12, 5, 4).where(order < 2, 0).reshape(12, 20)
        dense[f"model.layers.{number}.up_proj.weight"] = weight.to(dtype)
        dense[f"model.layers.{number}.up_proj.bias"] = torch.randn(12).to(dtype)
    sparse = {}
    for name, tensor in dense.items():
        module = name.removesuffix(".weight")
        if not name.endswith("up_proj.weight"):
            sparse[name] = tensor
        elif layout == "sparse-bitmask":
            sparse |= BitmaskTensor.from_dense(tensor).dict(module)
        else:
            sparse |= Sparse24BitMaskTensor.from_dense(tensor, "2:4").dict(module)
    save_file(dense, work / "dense" / "model.safetensors", metadata={"format": "pt"})
    save_file(sparse, work / "sparse" / "model.safetensors", metadata={"format": "pt"})
    config = {"model_type": "llama", "rms_norm_eps": 1e-05}
    (work / "dense" / "config.json").write_text(json.dumps(config, indent=2))
    sparsity = {
        "format": layout, "targets": ["Linear"], "ignore": ["lm_head"], "global_sparsity": 0.5,
        "sparsity_structure": "2:4" if "24" in layout else "unstructured",
    }
    config["quantization_config"] = {
        "version": "0.10.2", "quant_method": "compressed-tensors", "sparsity_config": sparsity,
    }
    (work / "sparse" / "config.json").write_text(json.dumps(config, indent=2))


def weight_sync() -> None:
    """base/, new/ and an update for each pair of encoding and checksum; written out from the format's description."""
    rng = np.random.default_rng(9)
    work = ROOT / "weight-sync"
    (work / "base").mkdir(parents=True)
    (work / "new").mkdir()
    old = {
        name: rng.integers(0, 1 << 16, shape, dtype=np.uint16)
        for name, shape in (("a.weight", (40, 30)), ("b.weight", (7, 5)), ("c.weight", (300,)))
    }
    new = {name: array.copy() for name, array in old.items()}
    new["a.weight"].reshape(-1)[rng.integers(0, 1200, 60)] ^= 3
    new["c.weight"][5] += 1
    save_arrays(old, work / "base" / "model.safetensors", metadata={"format": "pt"})
    save_arrays(new, work / "new" / "model.safetensors", metadata={"format": "pt"})
    (work / "base" / "config.json").write_text('{"model_type": "test"}')
    for encoding, checksum in (("xor", "xxh3-128"), ("overwrite", "adler32")):
        directory = work / encoding
        directory.mkdir()
        frames, checksums = {}, {}
        for name in new:
            before, after = (array[name].reshape(-1).view(np.uint8) for array in (old, new))
            changed = np.flatnonzero(before != after)
            if not len(changed):
                continue
            if encoding == "xor":
                raw = (before ^ after).tobytes()
            else:
                raw = struct.pack("<I", len(changed)) + changed.astype("<u4").tobytes() + after[changed].tobytes()
            frames[name] = np.frombuffer(zstandard.ZstdCompressor(level=1).compress(raw), np.uint8)
            data = after.tobytes()
            checksums[name] = xxhash.xxh3_128(data).hexdigest() if encoding == "xor" else f"{zlib.adler32(data):08x}"
        file = "model-00000-of-00001.safetensors"
        save_arrays(frames, directory / file, metadata=checksums)
        metadata = {
            "version": "000007", "base_version": "000006", "delta_encoding": encoding, "compression_format": "zstd",
            "checksum_format": checksum,
        }
        index = {"metadata": metadata, "weight_map": dict.fromkeys(frames, file)}
        (directory / "model.safetensors.index.json").write_text(json.dumps(index))


def main() -> None:
    shutil.rmtree(ROOT, ignore_errors=True)
    for case in models.CASES:
        if case.name in LORA:
            lora(case)
    shira()
    for layout in ("sparse-bitmask", "sparse-24-bitmask"):
        bitmask(layout)
    weight_sync()


if __name__ == "__main__":
    main()
