"""Tiny models that run, and data sets for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from checkpoints import Tensor, Tensors, float_tensor, write_safetensors

#: Extents of the tiny models.
VOCABULARY, HIDDEN, INNER, LENGTH = 40, 16, 24, 8


def integers(values: np.ndarray) -> Tensor:
    """An I32 tensor."""
    return Tensor("I32", values.shape, values.astype("<i4").tobytes())


def token_data(rng: np.random.Generator, count: int = 6) -> Tensors:
    """Examples of different lengths, padded at the end, with labels of two classes."""
    ids = rng.integers(1, VOCABULARY, (count, LENGTH))
    mask = (np.arange(LENGTH) < rng.integers(3, LENGTH + 1, (count, 1))).astype(np.int32)
    mask[0] = 1
    return {
        "input_ids": integers(ids * mask),
        "attention_mask": integers(mask),
        "labels": integers(np.arange(count) % 2),
    }


def weights(rng: np.random.Generator, shapes: dict[str, tuple[int, ...]]) -> Tensors:
    """Weights in F32."""
    return {name: float_tensor(rng.standard_normal(shape) * 0.3, "F32") for name, shape in shapes.items()}


def bert(rng: np.random.Generator, labels: int = 2) -> tuple[dict, Tensors]:
    """Configuration and weights of an encoder with two blocks and a head."""
    config = {
        "model_type": "bert",
        "architectures": ["BertForSequenceClassification"],
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": INNER,
        "max_position_embeddings": LENGTH,
        "id2label": {str(index): f"label {index}" for index in range(labels)},
    }
    layers = {"pooler.dense": (HIDDEN, HIDDEN)}
    norms = ["embeddings.LayerNorm"]
    for block in ("encoder.layer.0.", "encoder.layer.1."):
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            layers[f"{block}attention.{name}"] = (HIDDEN, HIDDEN)
        layers[f"{block}intermediate.dense"] = (INNER, HIDDEN)
        layers[f"{block}output.dense"] = (HIDDEN, INNER)
        norms += [f"{block}attention.output.LayerNorm", f"{block}output.LayerNorm"]
    shapes: dict[str, tuple[int, ...]] = {
        "bert.embeddings.word_embeddings.weight": (VOCABULARY, HIDDEN),
        "bert.embeddings.position_embeddings.weight": (LENGTH, HIDDEN),
        "bert.embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "classifier.weight": (labels, HIDDEN),
        "classifier.bias": (labels,),
    }
    for name, shape in layers.items():
        shapes |= {f"bert.{name}.weight": shape, f"bert.{name}.bias": shape[:1]}
    for name in norms:
        shapes |= {f"bert.{name}.weight": (HIDDEN,), f"bert.{name}.bias": (HIDDEN,)}
    return config, weights(rng, shapes)


def llama(rng: np.random.Generator) -> tuple[dict, Tensors]:
    """Configuration and weights of a causal model with one block, whose heads share keys and values."""
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": INNER,
        "max_position_embeddings": 64,
        "tie_word_embeddings": False,
    }
    block = "model.layers.0."
    shapes = {
        "model.embed_tokens.weight": (VOCABULARY, HIDDEN),
        f"{block}self_attn.q_proj.weight": (HIDDEN, HIDDEN),
        f"{block}self_attn.k_proj.weight": (HIDDEN // 2, HIDDEN),
        f"{block}self_attn.v_proj.weight": (HIDDEN // 2, HIDDEN),
        f"{block}self_attn.o_proj.weight": (HIDDEN, HIDDEN),
        f"{block}mlp.gate_proj.weight": (INNER, HIDDEN),
        f"{block}mlp.up_proj.weight": (INNER, HIDDEN),
        f"{block}mlp.down_proj.weight": (HIDDEN, INNER),
        f"{block}input_layernorm.weight": (HIDDEN,),
        f"{block}post_attention_layernorm.weight": (HIDDEN,),
        "model.norm.weight": (HIDDEN,),
        "lm_head.weight": (VOCABULARY, HIDDEN),
    }
    return config, weights(rng, shapes)


def write_tiny(directory: Path, config: object, tensors: Tensors) -> Path:
    """A checkpoint directory."""
    directory.mkdir(parents=True, exist_ok=True)
    write_safetensors(directory / "model.safetensors", tensors)
    (directory / "config.json").write_text(json.dumps(config))
    return directory
