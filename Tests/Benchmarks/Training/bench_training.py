"""DAREx-L2 end to end: fine-tunes with and without a pull towards the base, drops most of each delta, measures what is left.

Prints the tables of Docs/Training.md. With --torch PYTHON, an interpreter that has PyTorch and transformers, the same
training's time per step is measured there too, on as many threads.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SILT = Path(os.environ.get("SILT", ".build/release/silt")).resolve()

#: Ways of training: what the tables call them, and their options.
TRAININGS = {
    "AdamW": ["--optimizer", "adamw"],
    "AdamR, pull 0.03": ["--optimizer", "adamr", "--pull", "0.03"],
    "AdamR, pull 0.045": ["--optimizer", "adamr", "--pull", "0.045"],
    "AdamR, pull 0.1": ["--optimizer", "adamr", "--pull", "0.1"],
    "plain pull 70": ["--optimizer", "adamr", "--pull-scale", "none", "--pull", "70"],
    "plain pull 100": ["--optimizer", "adamr", "--pull-scale", "none", "--pull", "100"],
}


def silt(*words: object) -> dict:
    """Runs the program with --json."""
    command = [str(SILT), *map(str, words), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stderr}")
    return json.loads(result.stdout)


@dataclass(frozen=True)
class Trained:
    """A trained model and how well it does on the test data, whole and with most of its delta dropped."""

    report: dict
    test: float
    #: By drop rate: the test metric for each mask.
    dropped: dict[float, list[float]]
    #: Bytes of the exact delta.
    exact: int
    #: Bytes of the delta at each drop rate.
    sizes: dict[float, int]


def measure(options: argparse.Namespace, base: Path, words: list[str], work: Path) -> Trained:
    data = options.data / "eval"
    test = data / "foods-small-test.safetensors"
    train = ["--train", data / "foods-small-train.safetensors", "--validation", data / "foods-small-validation.safetensors"]
    settings = ["--lr", "2e-4", "--epochs", 2, "--batch", 32, "--seed", options.seed, "--threads", options.threads]
    model, packed = work / "model", work / "model.silt"
    report = silt("finetune", base, *train, *settings, *words, "-o", model, "--force")
    exact = silt("pack", base, model, "-o", packed, "--force")["bytes"]
    dropped: dict[float, list[float]] = {}
    sizes = {}
    for drop in options.drops:
        dropped[drop] = []
        for mask in range(options.masks):
            method = ["--method", "random", "--drop", drop, "--embeddings", "method", "--vectors", "int4", "--seed", mask]
            sizes[drop] = silt("pack", base, model, "-o", packed, "--force", *method)["bytes"]
            dropped[drop].append(silt("eval", packed, test, "--base", base)["value"])
    return Trained(report, silt("eval", model, test)["value"], dropped, exact, sizes)


def table(options: argparse.Namespace, rows: dict[str, Trained]) -> list[str]:
    drops = options.drops
    lines = [
        "| training | distance | test accuracy | " + " | ".join(f"p = {drop}" for drop in drops) + " | exact delta, bytes |",
        "|---|---:|---:|" + "---:|" * len(drops) + "---:|",
    ]
    for name, row in rows.items():
        cells = []
        for drop in drops:
            values = row.dropped[drop]
            spread = statistics.stdev(values) if len(values) > 1 else 0
            cells.append(f"{statistics.mean(values):.3f} ± {spread:.3f}")
        lines.append(
            f"| {name} | {row.report['distance']:.2e} | {row.test:.3f} | " + " | ".join(cells) + f" | {row.exact:,} |"
        )
    return lines


def torch_seconds(options: argparse.Namespace, base: Path) -> float:
    script = Path(__file__).with_name("torch_steps.py")
    data = options.data / "eval" / "foods-small-train.safetensors"
    words = [str(options.torch), str(script), str(base), str(data), "--threads", str(options.threads)]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])["seconds"]


def times(options: argparse.Namespace, base: Path, work: Path) -> list[str]:
    """Milliseconds of a step, one after the other and twice, the better of each."""
    data = options.data / "eval"
    words = ["--train", data / "foods-small-train.safetensors", "--validation", data / "foods-small-validation.safetensors"]
    words += ["--examples", 1280, "--epochs", 1, "--lr", "2e-4", "--threads", options.threads, "--force"]
    ours, theirs = [], []
    for _ in range(2):
        report = silt("finetune", base, *words, "-o", work / "timed")
        ours.append(report["step_seconds"] / report["steps_of_run"])
        if options.torch:
            theirs.append(torch_seconds(options, base))
    lines = ["| ms a step of 32 examples | |", "|---|---:|", f"| silt finetune | {1000 * min(ours):.0f} |"]
    if theirs:
        lines.append(f"| PyTorch | {1000 * min(theirs):.0f} |")
        lines.append(f"| ratio | {min(ours) / min(theirs):.2f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory with small-base and eval")
    parser.add_argument("--masks", type=int, default=16, help="mask seeds (default: 16)")
    parser.add_argument("--drops", type=lambda text: [float(word) for word in text.split(",")], default=[0.99])
    parser.add_argument("--seed", type=int, default=0, help="seed of the trainings")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--torch", type=Path, help="a Python with PyTorch, to time it beside")
    parser.add_argument("--only", help="the trainings whose names have this in them")
    parser.add_argument("--no-tables", action="store_true", help="times only")
    options = parser.parse_args()
    base = options.data / "small-base"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        if not options.no_tables:
            chosen = {key: words for key, words in TRAININGS.items() if not options.only or options.only in key}
            rows = {}
            for key, words in chosen.items():
                rows[key] = measure(options, base, words, work)
                print(f"{key}: test {rows[key].test:.3f}, {rows[key].report['seconds']:.0f} s", file=sys.stderr)
            print("\n".join(table(options, rows)))
            sizes = next(iter(rows.values())).sizes
            print("\nBytes of a delta: " + ", ".join(f"p = {drop}: {size:,}" for drop, size in sizes.items()) + "\n")
        print("\n".join(times(options, base, work)))


if __name__ == "__main__":
    main()
