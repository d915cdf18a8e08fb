"""Small random models and adapters, and what PEFT makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

VOCABULARY = 48


def llama(**options: Any) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=32, **options,
        )
    )


def gpt2() -> GPT2LMHeadModel:
    return GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=32))


def bert_config() -> BertConfig:
    return BertConfig(
        vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=32, num_labels=2,
    )


def bert() -> BertForSequenceClassification:
    return BertForSequenceClassification(bert_config())


@dataclass(frozen=True)
class Case:
    """A model, an adapter's configuration, and the class that loads the merged model."""

    name: str
    make: Any
    lora: dict[str, Any]
    dtype: torch.dtype = torch.float32
    shards: bool = False
    headless: bool = False
    family: type[PreTrainedModel] = field(init=False)

    def __post_init__(self) -> None:
        families = {llama: LlamaForCausalLM, gpt2: GPT2LMHeadModel, bert: BertForSequenceClassification}
        object.__setattr__(self, "family", families[self.make])


ATTENTION = ["q_proj", "v_proj"]
CASES = [
    Case("llama", llama, {"r": 4, "lora_alpha": 8, "target_modules": ATTENTION}),
    Case(
        "llama-patterns", llama,
        {
            "r": 4, "lora_alpha": 6, "target_modules": [*ATTENTION, "down_proj"],
            "rank_pattern": {"down_proj": 2, r"layers\.1\.self_attn\.q_proj": 3},
            "alpha_pattern": {"^model.layers.0.self_attn.v_proj": 5},
        },
    ),
    Case(
        "llama-rslora", llama,
        {"r": 4, "lora_alpha": 6, "use_rslora": True, "target_modules": "all-linear"},
    ),
    Case(
        "llama-embeddings", llama,
        {"r": 4, "target_modules": ["embed_tokens", "q_proj"], "modules_to_save": ["norm"]},
    ),
    Case("llama-shards", llama, {"r": 4, "target_modules": ATTENTION}, shards=True),
    Case("llama-bf16", llama, {"r": 4, "lora_alpha": 8, "target_modules": ATTENTION}, dtype=torch.bfloat16),
    Case("gpt2", gpt2, {"r": 3, "target_modules": ["c_attn", "c_proj", "c_fc"], "fan_in_fan_out": True}),
    Case("gpt2-flag-missing", gpt2, {"r": 3, "target_modules": ["c_attn", "c_proj"]}),
    Case(
        "bert", bert,
        {"r": 4, "lora_alpha": 16, "target_modules": ["query", "value"], "task_type": "SEQ_CLS"},
    ),
    Case(
        "bert-headless", bert,
        {"r": 4, "target_modules": ["query", "dense"], "exclude_modules": ["bert.pooler.dense"], "task_type": "SEQ_CLS"},
        headless=True,
    ),
    Case(
        "bert-biases", bert,
        {"r": 4, "target_modules": ["query"], "bias": "lora_only", "modules_to_save": ["classifier"]},
    ),
]


def inputs() -> torch.Tensor:
    return torch.arange(24).reshape(2, 12) * 7 % VOCABULARY


@torch.no_grad()
def logits(model: torch.nn.Module) -> torch.Tensor:
    return model.eval()(input_ids=inputs()).logits.float()


@torch.no_grad()
def shake(model: torch.nn.Module) -> None:
    """Every trained parameter gets values: PEFT begins with B = 0."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.copy_(torch.randn_like(parameter) * 0.2 + (1.0 if "norm" in name else 0.0))


def build(case: Case, work: Path, seed: int = 3) -> tuple[Path, Path]:
    """Directories of the base and of the adapter."""
    torch.manual_seed(seed)
    base, adapter = work / "base", work / "adapter"
    model = case.make().to(case.dtype)
    if case.headless:
        assert isinstance(model, BertForSequenceClassification)
        model.bert.save_pretrained(base)
    else:
        model.save_pretrained(base, max_shard_size="8KB" if case.shards else "5GB")
    tuned = get_peft_model(load_base(case, base), LoraConfig(**{"init_lora_weights": False, **case.lora}))
    shake(tuned)
    tuned.save_pretrained(adapter)
    return base, adapter


def load_base(case: Case, base: Path) -> PreTrainedModel:
    torch.manual_seed(11)
    return case.family.from_pretrained(base, dtype=case.dtype)


def adapted(case: Case, base: Path, adapter: Path) -> PeftModel:
    return PeftModel.from_pretrained(load_base(case, base), adapter)


def merged(case: Case, base: Path, adapter: Path) -> PreTrainedModel:
    return adapted(case, base, adapter).merge_and_unload()


__all__ = ["CASES", "BertModel", "Case", "adapted", "build", "load_base", "logits", "merged"]
