"""The page that bench_accuracy.py writes."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path

DARE, TUNED = "DARE", "DAREx-q kl"


def spread(value: dict, digits: int) -> str:
    """Mean ± standard deviation; the mean alone of one measurement."""
    mean = f"{value['mean']:.{digits}f}"
    return mean if value["count"] < 2 else f"{mean} ± {value['deviation']:.{digits}f}"


def table(found: dict) -> list[str]:
    """The rows of one pair, smallest first; the best metric for its size in bold."""
    base = "" if found["base_metric"] is None else f", base {found['base_metric']:.4f}"
    tuned = f"{found['tuned']}" + (f" (first {found['tuned_examples']})" if found["tuned_examples"] else "")
    exact = found["exact_bytes"]
    lines = [
        f"## {found['finetuned']}",
        "",
        f"{found['metric'].capitalize()} on {found['examples']} examples of {found['data']}: fine-tuned "
        f"{found['finetuned_metric']:.4f}{base}. Tuned on {tuned}.",
        f"Fine-tuned files {found['finetuned_bytes']:,} bytes, exact Silt file {exact:,} bytes "
        f"({found['finetuned_bytes'] / exact:.2f} x smaller). {found['seconds']:.0f} s.",
        "",
        f"| method | values | p | bytes | x smaller | {found['metric']} | KL, nats | q | seeds |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(found["rows"], key=lambda row: row["bytes"]["mean"]):
        size = row["bytes"]["mean"]
        metric = spread(row["metric"], 4)
        cells = [
            row["method"],
            row["values"],
            "" if row["drop"] is None else f"{row['drop']:g}",
            f"{size:,.0f}",
            f"{found['finetuned_bytes'] / size:.1f}",
            f"**{metric}**" if row["best_metric"] else metric,
            spread(row["divergence"], 5),
            "" if row["q"] is None else f"{row['q']['mean']:.4g}",
            str(row["metric"]["count"]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def comparison(found: dict) -> list[str]:
    """DAREx-q beside DARE, at each drop rate that both have."""

    def rows(method: str) -> dict:
        return {row["drop"]: row for row in found["rows"] if (row["method"], row["values"]) == (method, "int4")}

    dare, tuned = rows(DARE), rows(TUNED)
    sign = 1 if found["higher_is_better"] else -1
    lines = []
    for drop in sorted(set(dare) & set(tuned)):
        a, b = dare[drop], tuned[drop]
        gain = sign * (b["metric"]["mean"] - a["metric"]["mean"])
        verdict = "better" if gain > 0 else "equal" if gain == 0 else "worse"
        nearer = b["divergence"]["mean"] < a["divergence"]["mean"]
        lines.append(
            f"| {found['finetuned']} | {drop:g} | {spread(a['metric'], 4)} | {spread(b['metric'], 4)} "
            f"| {verdict} ({gain:+.4f}) | {spread(a['divergence'], 4)} | {spread(b['divergence'], 4)} "
            f"| {'nearer' if nearer else 'farther'} |"
        )
    return lines


def processor() -> str:
    """The processor's name, where the system tells it."""
    place = Path("/proc/cpuinfo")
    if place.exists():
        for line in place.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def arguments(words: list[str]) -> str:
    """The command's options without the directories of whoever ran it."""
    kept, skips = [], False
    for word in words:
        if not skips and word not in ("--data", "--markdown", "--results"):
            kept.append(word)
        skips = word in ("--data", "--markdown", "--results")
    return " ".join(kept)


def markdown(tables: list[dict], words: list[str]) -> str:
    """The whole page."""
    flags = arguments(words)
    command = "make bench-accuracy DATA=DIR" + (f" ACCURACY_FLAGS='{flags}'" if flags else "")
    lines = [
        "# Accuracy per byte",
        "",
        f"Written by `{command}` on {datetime.datetime.now(datetime.timezone.utc).date()}; {processor()}, "
        f"{os.cpu_count()} threads, {platform.system()}.",
        "",
        "Bytes are whole Silt files, within a percent or two; vectors are int4 and embeddings go with the method in every",
        "row. ± is the standard deviation over masks. Bold: nothing else is as good in fewer bytes. `as published` rows have",
        "the values of their papers (bf16 for DARE and low rank, signs for BitDelta). KL is the divergence of the outputs",
        "from the fine-tuned model's. Everything tuned is tuned on the data named, and measured once on the test data. q of",
        "rules by layer or tensor is the mean over tensors.",
        "",
    ]
    for found in tables:
        lines += table(found)
    compared = [line for found in tables for line in comparison(found)]
    lines += [
        "## DAREx-q beside DARE",
        "",
        "Means over masks, int4 values, q by the rule kl; losses are shown as they are.",
        "",
        "| pair | p | DARE | DAREx-q kl | DAREx-q is | KL, DARE | KL, DAREx-q kl | DAREx-q is |",
        "|---|---:|---:|---:|---|---:|---:|---|",
        *compared,
        "",
    ]
    better, equal = (sum(f"| {word} (" in line for line in compared) for word in ("better", "equal"))
    lines.append(
        f"DAREx-q kl is better than DARE in {better} of {len(compared)} rows, equal in {equal}, "
        f"worse in {len(compared) - better - equal}."
    )
    return "\n".join(lines) + "\n"
