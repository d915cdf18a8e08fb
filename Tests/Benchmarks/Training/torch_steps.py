"""Times steps of a fine-tuning in PyTorch, F32, as `silt finetune` takes them: AdamW, clipping, padding to the longest."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        options.base, num_labels=2, dtype=torch.float32
    ).eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4, weight_decay=0.0)
    data = {name: tensor.long() for name, tensor in load_file(options.data).items()}
    order = torch.randperm(len(data["labels"]))
    # The first steps warm up caches and allocators, as the program's do within its mean.
    begin = time.perf_counter()
    for step in range(options.steps):
        chosen = order[step * options.batch :][: options.batch]
        longest = int(data["attention_mask"][chosen].sum(1).max())
        batch = {name: tensor[chosen] if name == "labels" else tensor[chosen, :longest] for name, tensor in data.items()}
        optimizer.zero_grad()
        model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(json.dumps({"seconds": (time.perf_counter() - begin) / options.steps}))


if __name__ == "__main__":
    main()
