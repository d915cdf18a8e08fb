"""Toy bases and PEFT adapters made by hand, and the models that they make together, by numpy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from checkpoints import Tensor, Tensors, float_tensor, read_safetensors, write_safetensors
from program import Silt
from pruning import values

RANK, ALPHA = 4, 8
CONFIG, MODEL = "adapter_config.json", "adapter_model.safetensors"


def floats(rng: np.random.Generator, *shape: int, dtype: str = "BF16", std: float = 0.02) -> Tensor:
    """Normal values."""
    return float_tensor((rng.standard_normal(shape) * std).astype(np.float32), dtype)


def blocks(rng: np.random.Generator, prefix: str, layers: int = 2, width: int = 16, kv: int = 8) -> Tensors:
    """The layers of a model, without embeddings."""
    shapes = {"self_attn.q_proj": (width, width), "self_attn.v_proj": (kv, width), "mlp.up_proj": (2 * width, width)}
    names = [(f"{prefix}layers.{i}.{module}.weight", shape) for i in range(layers) for module, shape in shapes.items()]
    return {name: floats(rng, *shape) for name, shape in names}


def merged(weight: Tensor, a: Tensor, b: Tensor, embedding: bool = False) -> Tensor:
    """W + alpha / r * B A in binary32, rounded to the dtype of W."""
    product = np.zeros(weight.shape[::-1] if embedding else weight.shape, np.float32)
    first, second = (values(t).astype(np.float32).reshape(t.shape) for t in (a, b))
    for k in range(RANK):
        product += second[:, k : k + 1] * first[k : k + 1]
    base = values(weight).astype(np.float32).reshape(weight.shape)
    return float_tensor(base + np.float32(ALPHA / RANK) * (product.T if embedding else product), weight.dtype)


@dataclass
class Case:
    """A base, an adapter over it, and the merged model."""

    base: Tensors
    rng: np.random.Generator
    adapter: Tensors = field(default_factory=dict)
    merged: Tensors = field(default_factory=dict)
    config: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing is changed yet."""
        self.merged = dict(self.base)

    def adapt(self, name: str, path: str, dtype: str = "F32") -> None:
        """LoRA of the base's matrix `name`; the adapter names the module `path`."""
        rows, columns = self.base[name].shape
        a, b = floats(self.rng, RANK, columns, dtype=dtype), floats(self.rng, rows, RANK, dtype=dtype)
        self.adapter |= {f"{path}.lora_A.weight": a, f"{path}.lora_B.weight": b}
        self.merged[name] = merged(self.base[name], a, b)

    def adapt_all(self, names: Iterable[str], path: str = "base_model.model.{}") -> None:
        """LoRA of these matrices, each under its own name in `path`."""
        for name in names:
            self.adapt(name, path.format(name.removesuffix(".weight")))

    def adapt_embedding(self, name: str, path: str, below: Tensor) -> None:
        """LoRA of the embedding `name` over `below`, which the adapter has as `base_layer`."""
        rows, columns = below.shape
        a, b = floats(self.rng, RANK, rows), floats(self.rng, columns, RANK)
        self.adapter |= {f"{path}.lora_embedding_A": a, f"{path}.lora_embedding_B": b}
        self.adapter[f"{path}.base_layer.weight"] = below
        self.merged[name] = merged(below, a, b, embedding=True)

    def write(self, work: Path) -> tuple[Path, Path]:
        """The directories of base and adapter."""
        for name in ("base", "adapter"):
            (work / name).mkdir(parents=True)
        write_safetensors(work / "base" / "model.safetensors", self.base, {"format": "pt"})
        (work / "base" / "config.json").write_text('{"model_type": "toy"}')
        write_safetensors(work / "adapter" / MODEL, self.adapter, {"format": "pt"})
        config = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "base_model_name_or_path": "someone/toy"}
        (work / "adapter" / CONFIG).write_text(json.dumps(config | self.config))
        return work / "base", work / "adapter"

    def check(self, silt: Silt, work: Path) -> str:
        """Packs, unpacks and exports: the merged model and the adapter are as they should be. What was said."""
        base, adapter = self.write(work)
        said = silt.ok("pack", base, "--lora", adapter, "-o", work / "a.silt").stderr
        silt.ok("verify", base, work / "a.silt")
        silt.unpack(base, work / "a.silt", work / "merged")
        assert read_safetensors(work / "merged" / "model.safetensors") == self.merged
        silt.ok("export", work / "a.silt", "--lora", work / "again")
        assert read_safetensors(work / "again" / MODEL) == self.adapter
        assert (work / "again" / CONFIG).read_bytes() == (adapter / CONFIG).read_bytes()
        return said

    def refused(self, silt: Silt, work: Path, codes: tuple[int, ...] = (64, 65)) -> str:
        """Packs, which fails. What was said."""
        base, adapter = self.write(work)
        said = silt.exits(codes, "pack", base, "--lora", adapter, "-o", work / "a.silt").stderr
        assert not (work / "a.silt").exists()
        return said
