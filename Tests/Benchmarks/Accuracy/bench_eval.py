"""How long `silt eval` takes beside transformers, on the same sequences and as many threads, in the same run.

usage: bench_eval.py MODEL [--sequences N] [--length N] [--threads N] [--runs N]

MODEL is a checkpoint with a classifier or a causal head. Token ids are made up: the time does not depend on them. Runs
alternate. Silt's seconds are those that it prints, which include reading the model; those of transformers are its forward
passes alone, in batches of 32. Silt is the program in the environment variable SILT, else the release build.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

ROOT = Path(__file__).resolve().parents[3]
BATCH = 32


def load(path: Path) -> torch.nn.Module:
    """The model with the head that its config.json names, in f32."""
    config = transformers.AutoConfig.from_pretrained(path)
    family = getattr(transformers, config.architectures[0])
    return family.from_pretrained(path, dtype=torch.float32).eval()


@torch.inference_mode()
def theirs(model: torch.nn.Module, ids: np.ndarray) -> float:
    """Seconds of the forward passes."""
    tokens = torch.from_numpy(ids.astype(np.int64))
    begin = time.perf_counter()
    for batch in tokens.split(BATCH):
        model(input_ids=batch, attention_mask=torch.ones_like(batch))
    return time.perf_counter() - begin


def ours(program: Path, model: Path, data: Path, threads: int) -> float:
    """Seconds that Silt says it took."""
    words = [program, "eval", model, data, "--threads", threads, "--json", "--quiet"]
    found = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, check=True)
    return json.loads(found.stdout)["seconds"]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--sequences", type=int, default=1_000)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    program = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()
    torch.set_num_threads(options.threads)
    model = load(options.model)
    generator = np.random.default_rng(0)
    shape = (options.sequences, options.length)
    ids = generator.integers(5, model.config.vocab_size, shape, dtype=np.int32)
    seconds: dict[str, list[float]] = {"silt": [], "transformers": []}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.safetensors"
        save_file({"input_ids": ids, "labels": np.zeros(len(ids), dtype=np.int32)}, data)
        theirs(model, ids[:BATCH])
        for _ in range(options.runs):
            seconds["silt"].append(ours(program, options.model, data, options.threads))
            seconds["transformers"].append(theirs(model, ids))
    ratios = [a / b for a, b in zip(seconds["silt"], seconds["transformers"], strict=True)]
    print(f"{options.sequences:,} sequences of {options.length} tokens, {options.threads} threads, {options.runs} runs")
    for name, values in seconds.items():
        print(f"{name:13} {statistics.median(values):.3f} s (from {min(values):.3f} to {max(values):.3f})")
    print(f"ratio         {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
