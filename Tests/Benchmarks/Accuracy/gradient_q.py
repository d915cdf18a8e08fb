"""Rescale factors by each search, on the same masks: accuracy and divergence on test data, mean of several seeds.

usage: gradient_q.py --data DIR [--drop P] [--seeds N] [--rules RULE,...] [--per WHAT]

q is tuned on the validation data of foods-small (no label is used but by the rule labelled), and measured on the test data. Silt is
the program in the environment variable SILT, else the release build.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()


def silt(*words: object) -> dict:
    """The report of a command."""
    run = [str(PROGRAM), *map(str, words), "--json", "--quiet"]
    return json.loads(subprocess.run(run, stdout=subprocess.PIPE, check=True).stdout)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """In binary64."""
    x = logits.astype(np.float64)
    x -= x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def main() -> None:
    """A line for each rule."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="small-base, small-foods and eval/")
    parser.add_argument("--drop", default="0.99", metavar="P")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rules", default="dare,kl,gradient,gradient-kl", metavar="RULE,...")
    parser.add_argument("--per", choices=("global", "tensor", "row"), help="(default: each rule's own)")
    options = parser.parse_args()
    base, fine = options.data / "small-base", options.data / "small-foods"
    tuning, test = (options.data / "eval" / f"foods-small-{part}.safetensors" for part in ("validation", "test"))
    sys.stdout.reconfigure(line_buffering=True)
    print(f"p = {options.drop}, {options.seeds} seeds: means on the test data, and ± the standard deviation\n")
    print("| rule | accuracy | divergence, nats | seconds a pack |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        whole = silt("eval", fine, test, "--logits", work / "fine")
        reference = log_softmax(load_file(work / "fine")["logits"])
        print(f"| fine-tuned | {whole['accuracy']:.4f} | 0 | |")
        for rule in options.rules.split(","):
            found = []
            for seed in range(options.seeds):
                words = ["--method", "random", "--drop", options.drop, "--embeddings", "method", "--vectors", "int4"]
                words += ["--seed", seed, "--q", rule]
                if rule != "dare":
                    words += ["--calibration", tuning]
                    words += ["--per", options.per] if options.per else []
                begin = time.monotonic()
                silt("pack", base, fine, "-o", work / "file", "-f", *words)
                seconds = time.monotonic() - begin
                report = silt("eval", work / "file", test, "--base", base, "--logits", work / "out", "-f")
                answers = log_softmax(load_file(work / "out")["logits"])
                divergence = (np.exp(reference) * (reference - answers)).sum(1).mean()
                found.append((report["accuracy"], divergence, seconds))
            mean, deviation = np.mean(found, 0), np.std(found, 0, ddof=1)
            print(f"| {rule} | {mean[0]:.4f} ± {deviation[0]:.4f} | {mean[1]:.4f} ± {deviation[1]:.4f} | {mean[2]:.1f} |")


if __name__ == "__main__":
    main()
