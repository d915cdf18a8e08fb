"""`silt finetune` beside PyTorch and transformers: the same steps, and directories that load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import architectures

if TYPE_CHECKING:
    from conftest import Silt

STEPS, RATE, CLIP = 6, 3e-3, 1.0
CASES = {case.name: case for case in architectures.CASES}


def train_words(base: Path, data: Path, output: Path, *options: object) -> list[object]:
    words = ["finetune", base, "--train", data, "--validation", data, "-o", output, "--batch", architectures.EXAMPLES]
    return [*words, "--warmup", 0, "--clip", CLIP, "--lr", RATE, "--head-lr", RATE, *options]


def labelled(case: architectures.Case, path: Path, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    tensors = architectures.data(case)
    save_file(tensors if case.is_causal else tensors | {"labels": labels}, path)
    return tensors


def labels_of(case: architectures.Case) -> torch.Tensor:
    if case.options.get("num_labels") == 1:
        return torch.linspace(-1, 1, architectures.EXAMPLES)
    return torch.arange(architectures.EXAMPLES) % case.options.get("num_labels", 2)


def objective(
    case: architectures.Case, model: transformers.PreTrainedModel, tensors: dict[str, torch.Tensor], labels: torch.Tensor
) -> torch.Tensor:
    logits = model(**tensors).logits
    if case.is_causal:
        mask = tensors["attention_mask"]
        return architectures.losses(logits, tensors).sum() / (mask[:, :-1] & mask[:, 1:]).sum()
    if case.options.get("num_labels") == 1:
        return torch.nn.functional.mse_loss(logits[:, 0], labels)
    return torch.nn.functional.cross_entropy(logits, labels)


class AdamR:
    """As the paper's reference describes it, tensor by tensor."""

    def __init__(self, parameters: list[torch.nn.Parameter], pull: float, norm: str, scaled: bool) -> None:
        self.parameters, self.pull, self.norm, self.scaled = parameters, pull, norm, scaled
        self.base = [parameter.detach().clone() for parameter in parameters]
        self.first = [torch.zeros_like(parameter) for parameter in parameters]
        self.second = [torch.zeros_like(parameter) for parameter in parameters]
        self.steps = 0

    @torch.no_grad()
    def step(self, rate: float) -> None:
        self.steps += 1
        for parameter, first, second in zip(self.parameters, self.first, self.second, strict=True):
            first.mul_(0.9).add_(parameter.grad, alpha=0.1)
            second.mul_(0.999).addcmul_(parameter.grad, parameter.grad, value=0.001)
        corrected = [second / (1 - 0.999**self.steps) for second in self.second]
        mean = torch.cat([second.flatten() for second in corrected]).mean().item()
        scale = mean**0.5 if self.scaled and mean > 0 else 1.0
        for parameter, base, first, second in zip(self.parameters, self.base, self.first, corrected, strict=True):
            distance = parameter - base
            parameter.sub_(rate * self.pull / scale * (distance if self.norm == "l2" else distance.sign()))
            parameter.sub_(rate / (1 - 0.9**self.steps) * first / (second.sqrt() + 1e-8))


def losses_of_torch(
    case: architectures.Case, model: transformers.PreTrainedModel, tensors: dict[str, torch.Tensor], labels: torch.Tensor,
    optimizer: AdamR | None, decay: float,
) -> list[float]:
    parameters = list(model.parameters())
    adam = torch.optim.AdamW(parameters, lr=RATE, weight_decay=decay)
    found = []
    for step in range(STEPS):
        rate = RATE * (STEPS - step) / STEPS
        model.zero_grad()
        loss = objective(case, model, tensors, labels)
        loss.backward()
        found.append(loss.item())
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        if optimizer:
            optimizer.step(rate)
        else:
            adam.param_groups[0]["lr"] = rate
            adam.step()
    return found


OPTIMIZERS = {
    "adamw": (["--weight-decay", 0.01], None),
    "adamr-l2": (["--optimizer", "adamr", "--pull", 0.3], (0.3, "l2", True)),
    "adamr-l1": (["--optimizer", "adamr", "--pull", 0.003, "--norm", "l1"], (0.003, "l1", True)),
    "pull": (["--optimizer", "adamr", "--pull", 60, "--pull-scale", "none"], (60.0, "l2", False)),
}


# One family is enough for the other forms of the pull.
FAMILIES = ["roberta", "distilbert", "llama", "qwen2", "gpt2", "bert-regression"]
STEPPED = [("bert", name) for name in OPTIMIZERS] + [(name, way) for name in FAMILIES for way in ("adamw", "adamr-l2")]


@pytest.mark.parametrize(("name", "optimizer"), STEPPED)
def test_steps_are_those_of_torch(silt: Silt, tmp_path: Path, name: str, optimizer: str) -> None:
    """Every batch is the whole data set, so that its order does not matter: the losses follow torch's step by step."""
    case = CASES[name]
    model = architectures.build(case, tmp_path / "base")
    labels = labels_of(case)
    tensors = labelled(case, tmp_path / "data", labels)
    options, rule = OPTIMIZERS[optimizer]
    words = train_words(tmp_path / "base", tmp_path / "data", tmp_path / "out", *options, "--epochs", STEPS)
    report = json.loads(silt(*words, "--validate-every", 1, "--json"))
    own = AdamR(list(model.parameters()), *rule) if rule else None
    expected = losses_of_torch(case, model, tensors, labels, own, decay=0.01)
    found = [entry["loss"] for entry in report["history"]]
    assert found == pytest.approx(expected, rel=2e-3)
    # They must have moved for that to say anything.
    assert abs(expected[-1] - expected[0]) > 0.02 * expected[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bert", "ForSequenceClassification"), ("roberta", "ForSequenceClassification"),
        ("xlm-roberta", "ForSequenceClassification"), ("distilbert", "ForSequenceClassification"),
        ("llama", "ForSequenceClassification"), ("qwen2", "ForSequenceClassification"),
        ("gpt2", "ForSequenceClassification"), ("llama", "ForCausalLM"), ("llama-tied", "ForCausalLM"),
        ("mistral", "ForCausalLM"), ("qwen2", "ForCausalLM"), ("qwen3", "ForCausalLM"), ("gpt2", "LMHeadModel"),
    ],
)
def test_directories_load(silt: Silt, tmp_path: Path, name: str, kind: str) -> None:
    """A base, without its head where another one is trained: transformers misses nothing, ignores nothing, and agrees."""
    case = CASES[name]
    is_classifier = kind == "ForSequenceClassification"
    model = architectures.build(case, tmp_path / "base")
    if is_classifier:
        model.base_model.save_pretrained(tmp_path / "base")
    tensors = architectures.data(case)
    data = tensors | ({"labels": torch.arange(architectures.EXAMPLES) % 3} if is_classifier else {})
    save_file(data, tmp_path / "data")
    silt(*train_words(tmp_path / "base", tmp_path / "data", tmp_path / "out", "--epochs", 2, "--dtype", "f32"))
    family = getattr(transformers, case.family + kind)
    loaded, info = family.from_pretrained(tmp_path / "out", dtype=torch.float32, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    assert type(transformers.AutoConfig.from_pretrained(tmp_path / "out")) is type(loaded.config)
    assert loaded.config.architectures == [case.family + kind]
    if is_classifier:
        assert loaded.config.num_labels == 3
    with torch.no_grad():
        theirs = loaded.eval()(**tensors).logits
    silt("eval", tmp_path / "out", tmp_path / "data", "--logits", tmp_path / "logits")
    ours = load_file(tmp_path / "logits")
    if is_classifier:
        assert torch.allclose(ours["logits"], theirs, atol=1e-4 * theirs.abs().max())
    else:
        expected = architectures.losses(theirs, tensors)
        assert torch.allclose(ours["loss"], expected, atol=1e-4 * expected.abs().max())
