"""Tiny random models of every architecture that Silt runs, and what transformers makes of their inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file

VOCABULARY, EXAMPLES = 61, 7
SMALL = {
    "vocab_size": VOCABULARY, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4,
    "max_position_embeddings": 32,
}
GROUPED = {**SMALL, "num_key_value_heads": 2, "pad_token_id": 0}
LONG = {**SMALL, "max_position_embeddings": 640}
GPT2 = {"vocab_size": VOCABULARY, "n_embd": 24, "n_layer": 3, "n_head": 4, "n_positions": 32, "pad_token_id": 0}
DISTILBERT = {
    "vocab_size": VOCABULARY, "dim": 24, "hidden_dim": 40, "n_layers": 3, "n_heads": 4, "max_position_embeddings": 32,
}
ROBERTA = {**SMALL, "max_position_embeddings": 34, "pad_token_id": 1, "type_vocab_size": 1}
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
YARN = {
    "rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 8.0,
    "beta_slow": 1.0,
}

Edit = Callable[[dict[str, Any]], None]


def as_before_5(config: dict[str, Any]) -> None:
    """Rotary settings as transformers 4 writes them."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = None if rope["rope_type"] == "default" else rope


def without_layer_types(config: dict[str, Any]) -> None:
    """Rotary settings and windows as transformers 4 writes them."""
    as_before_5(config)
    del config["layer_types"]


@dataclass(frozen=True)
class Case:
    """A class of transformers with a configuration, what to change in config.json, and on which side its data are padded."""

    name: str
    family: str
    kind: str
    options: dict[str, Any]
    edit: Edit | None = None
    padding: str = "right"
    length: int = 24

    @property
    def is_causal(self) -> bool:
        return self.kind in ("ForCausalLM", "LMHeadModel")

    def make(self) -> transformers.PreTrainedModel:
        config = getattr(transformers, f"{self.family}Config")(**self.options)
        return getattr(transformers, self.family + self.kind)(config)


def variants() -> list[Case]:
    classification, causal = "ForSequenceClassification", "ForCausalLM"
    cases = [
        Case("bert", "Bert", classification, {**SMALL, "num_labels": 3}),
        Case("bert-regression", "Bert", classification, {**SMALL, "num_labels": 1}),
        Case("bert-relu", "Bert", classification, {**SMALL, "num_labels": 2, "hidden_act": "relu"}),
        Case("bert-gelu-new", "Bert", classification, {**SMALL, "num_labels": 2, "hidden_act": "gelu_new"}),
        Case("roberta", "Roberta", classification, {**ROBERTA, "num_labels": 3}),
        Case("roberta-padding-0", "Roberta", classification, {**ROBERTA, "pad_token_id": 0, "num_labels": 2}),
        Case("xlm-roberta", "XLMRoberta", classification, {**ROBERTA, "num_labels": 2}),
        Case("camembert", "Camembert", classification, {**ROBERTA, "num_labels": 1}),
        Case("distilbert", "DistilBert", classification, {**DISTILBERT, "num_labels": 3}),
        Case("distilbert-relu", "DistilBert", classification, {**DISTILBERT, "num_labels": 2, "activation": "relu"}),
        Case("llama", "Llama", causal, GROUPED),
        Case("llama-left", "Llama", causal, GROUPED, padding="left"),
        Case("llama-4", "Llama", causal, GROUPED, edit=as_before_5),
        Case("llama-tied", "Llama", causal, {**GROUPED, "tie_word_embeddings": True}),
        Case("llama-biases", "Llama", causal, {**GROUPED, "attention_bias": True, "mlp_bias": True}),
        Case("llama-head-dim", "Llama", causal, {**GROUPED, "head_dim": 10}),
        Case("llama-gelu", "Llama", causal, {**GROUPED, "hidden_act": "gelu_pytorch_tanh"}),
        Case("llama-classifier", "Llama", classification, {**GROUPED, "num_labels": 3}),
        Case("llama-classifier-left", "Llama", classification, {**GROUPED, "num_labels": 3}, padding="left"),
        Case("llama-regression", "Llama", classification, {**GROUPED, "num_labels": 1}),
        Case("mistral", "Mistral", causal, {**GROUPED, "sliding_window": 5}),
        Case("mistral-left", "Mistral", causal, {**GROUPED, "sliding_window": 5}, padding="left"),
        # More tokens than Silt takes as queries at once.
        Case("bert-long", "Bert", classification, {**LONG, "num_labels": 2}, length=600),
        Case("llama-long", "Llama", causal, {**GROUPED, **LONG}, length=600),
        Case("mistral-long", "Mistral", causal, {**GROUPED, **LONG, "sliding_window": 70}, padding="left", length=600),
        Case("mistral-no-window", "Mistral", causal, {**GROUPED, "sliding_window": None}),
        Case("mistral-classifier", "Mistral", classification, {**GROUPED, "sliding_window": 6, "num_labels": 2}),
        Case("qwen2", "Qwen2", causal, GROUPED),
        Case(
            "qwen2-window", "Qwen2", causal,
            {**GROUPED, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
        ),
        Case(
            "qwen2-window-layers", "Qwen2", causal,
            {
                **GROUPED, "use_sliding_window": True, "sliding_window": 4,
                "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            },
        ),
        Case(
            "qwen2-window-4", "Qwen2", causal,
            {**GROUPED, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 2},
            edit=without_layer_types,
        ),
        Case("qwen2-classifier", "Qwen2", classification, {**GROUPED, "num_labels": 2}),
        Case("qwen3", "Qwen3", causal, {**GROUPED, "head_dim": 8}),
        Case("gpt2", "GPT2", "LMHeadModel", GPT2),
        Case("gpt2-left", "GPT2", "LMHeadModel", GPT2, padding="left"),
        Case("gpt2-inner", "GPT2", "LMHeadModel", {**GPT2, "n_inner": 36, "activation_function": "relu"}),
        Case("gpt2-scales", "GPT2", "LMHeadModel", {**GPT2, "scale_attn_by_inverse_layer_idx": True}),
        Case("gpt2-no-scale", "GPT2", "LMHeadModel", {**GPT2, "scale_attn_weights": False}),
        Case("gpt2-classifier", "GPT2", classification, {**GPT2, "num_labels": 3}),
        Case("gpt2-classifier-left", "GPT2", classification, {**GPT2, "num_labels": 2}, padding="left"),
    ]
    ropes = {
        "linear": {"rope_type": "linear", "rope_theta": 50.0, "factor": 3.0},
        "dynamic": {"rope_type": "dynamic", "rope_theta": 50.0, "factor": 2.0},
        "llama3": LLAMA3,
        "yarn": YARN,
        "yarn-factor": {**YARN, "attention_factor": 1.3},
        "yarn-mscale": {**YARN, "mscale": 0.7, "mscale_all_dim": 1.4},
        "yarn-untruncated": {**YARN, "truncate": False},
    }
    for name, rope in ropes.items():
        options = {**GROUPED, "hidden_size": 64, "rope_parameters": rope}
        cases.append(Case(f"llama-{name}", "Llama", causal, options))
        cases.append(Case(f"llama-{name}-4", "Llama", causal, options, edit=as_before_5))
    return cases


CASES = variants()


@torch.no_grad()
def build(case: Case, path: Path, seed: int = 5) -> transformers.PreTrainedModel:
    """A model whose every parameter is drawn anew, saved to `path`, in evaluation mode."""
    torch.manual_seed(seed)
    model = case.make().eval()
    for name, parameter in model.named_parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3 + (1.0 if "norm" in name.lower() and "weight" in name else 0.0))
    model.save_pretrained(path)
    if case.edit:
        file = path / "config.json"
        config = json.loads(file.read_text(encoding="utf-8"))
        case.edit(config)
        file.write_text(json.dumps(config), encoding="utf-8")
    return model


def data(case: Case, path: Path | None = None) -> dict[str, torch.Tensor]:
    """Examples of many lengths, padded on the case's side; written to `path` if it is given."""
    generator = torch.Generator().manual_seed(9)
    padding = case.options.get("pad_token_id") or 0
    ids = torch.randint(2, VOCABULARY, (EXAMPLES, case.length), generator=generator)
    mask = torch.zeros(EXAMPLES, case.length, dtype=torch.long)
    for row, length in enumerate(torch.linspace(2, case.length, EXAMPLES).long().tolist()):
        mask[row, case.length - length if case.padding == "left" else 0 :][:length] = 1
    tensors = {"input_ids": torch.where(mask == 1, ids, padding), "attention_mask": mask}
    if case.family == "Bert":
        tensors["token_type_ids"] = torch.randint(0, 2, (EXAMPLES, case.length), generator=generator)
    if path:
        # A classifier is judged by labels, a regressor by values; what they are does not matter here.
        labels = torch.zeros(EXAMPLES, dtype=torch.long)
        if case.options.get("num_labels") == 1:
            labels = torch.linspace(0, 1, EXAMPLES)
        save_file(tensors if case.is_causal else tensors | {"labels": labels}, path)
    return tensors


@torch.no_grad()
def expected(case: Case, model: transformers.PreTrainedModel) -> torch.Tensor:
    """The logits: [examples, labels], or [examples, tokens, vocabulary] of a causal model."""
    return model(**data(case)).logits


def losses(logits: torch.Tensor, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss at each position that has a next token, [examples, tokens - 1]; 0 where one of the two is padding."""
    mask = tensors["attention_mask"]
    loss = torch.nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), tensors["input_ids"][:, 1:], reduction="none"
    )
    return loss * (mask[:, :-1] & mask[:, 1:])
