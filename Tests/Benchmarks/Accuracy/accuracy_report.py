"""The page that bench_accuracy.py writes."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable
from pathlib import Path

DARE = "DARE"
TUNED = [
    "DAREx-q labelled",
    "DAREx-q unlabelled",
    "DAREx-q kl",
    "DAREx-q kl, per tensor",
    "DAREx-q gradient",
    "DAREx-q gradient-kl",
    "DAREx-q analytic",
    "DAREx-q analytic, as the paper's program",
]


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
        (f"{found['metric'].capitalize()} on {found['examples']} examples of {found['data']}: fine-tuned "
        f"{found['finetuned_metric']:.4f}{base}. Tuned on {tuned}."),
        (f"Fine-tuned files {found['finetuned_bytes']:,} bytes, exact Silt file {exact:,} bytes "
        f"({found['finetuned_bytes'] / exact:.2f} x smaller). {found['seconds']:.0f} s."),
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


def by_drop(found: dict, method: str) -> dict:
    """The rows of a method with int4 values, by drop rate."""
    return {row["drop"]: row for row in found["rows"] if (row["method"], row["values"]) == (method, "int4")}


def comparison(tables: list[dict], key: str, digits: int) -> list[str]:
    """Every way of finding q beside DARE, at each drop rate; better ones in bold."""
    lines = [
        "| pair | p | DARE | " + " | ".join(method.removeprefix("DAREx-q ") for method in TUNED) + " |",
        "|---|---:|" + "---:|" * (1 + len(TUNED)),
    ]
    for found in tables:
        sign = 1 if key == "metric" and found["higher_is_better"] else -1
        dare = by_drop(found, DARE)
        tuned = [by_drop(found, method) for method in TUNED]
        for drop in sorted(dare):
            cells = [spread(dare[drop][key], digits)]
            for rows in tuned:
                if drop not in rows:
                    cells.append("")
                    continue
                text = spread(rows[drop][key], digits)
                is_better = sign * (rows[drop][key]["mean"] - dare[drop][key]["mean"]) > 0
                cells.append(f"**{text}**" if is_better else text)
            if any(cells[1:]):
                lines.append(f"| {found['finetuned']} | {drop:g} | " + " | ".join(cells) + " |")
    return lines


def summary(tables: list[dict]) -> list[str]:
    """How often each way of finding q is better than DARE in the metric, and by how much it is ever worse."""
    lines = [
        ("| DAREx-q | rows | better | equal | worse | better where DARE lost more than 3 points "
        "| worse by more than the spread |"),
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for method in TUNED:
        gains, lost, beyond = [], [], 0
        for found in tables:
            sign = 1 if found["higher_is_better"] else -1
            dare, tuned = by_drop(found, DARE), by_drop(found, method)
            for drop in sorted(set(dare) & set(tuned)):
                a, b = dare[drop]["metric"], tuned[drop]["metric"]
                gains.append(sign * (b["mean"] - a["mean"]))
                if sign * (found["finetuned_metric"] - a["mean"]) > 0.03:
                    lost.append(gains[-1] > 0)
                beyond += gains[-1] < -max(a["deviation"], b["deviation"]) - 1e-9
        better, equal = sum(gain > 0 for gain in gains), sum(gain == 0 for gain in gains)
        lines.append(
            f"| {method.removeprefix('DAREx-q ')} | {len(gains)} | {better} | {equal} | {len(gains) - better - equal} "
            f"| {sum(lost)} of {len(lost)} | {beyond} |"
        )
    return lines


def smallest(found: dict, goal: str, only: Callable[[dict], bool]) -> str:
    """The smallest row that keeps to a bound on the test data."""
    sign = 1 if found["higher_is_better"] else -1
    kept = []
    for row in filter(only, found["rows"]):
        loss = sign * (found["finetuned_metric"] - row["metric"]["mean"])
        if row["divergence"]["mean"] <= 0.01 if goal == "kl" else loss <= 0.01 + 1e-9:
            kept.append(row)
    if not kept:
        return "none"
    row = min(kept, key=lambda row: row["bytes"]["mean"])
    drop = "" if row["drop"] is None else f", p {row['drop']:g}"
    return f"{row['bytes']['mean']:,.0f} ({row['method'].removesuffix(' (as published)')}{drop})"


def bounds(tables: list[dict]) -> list[str]:
    """The files that the searches find beside the smallest rows that keep to the same bound."""
    lines = [
        "| pair | bound | best row as published | best row | file found | x smaller | metric, test | KL, test |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for found in tables:
        for row in found["bounded"]:
            words = "KL 0.01" if row["goal"] == "kl" else "accuracy 1 %"
            published = smallest(found, row["goal"], lambda row: row["method"].endswith("(as published)"))
            lines.append(
                f"| {found['finetuned']} | {words} | {published} | {smallest(found, row['goal'], lambda _: True)} "
                f"| {row['bytes']:,} | {found['finetuned_bytes'] / row['bytes']:.0f} "
                f"| {row['metric']:.4f} of {found['finetuned_metric']:.4f} | {row['divergence']:.4f} |"
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
    # What was kept in the project itself is there for others too.
    private = {"--data", "--markdown"} | (set() if "--kept" in words else {"--results"})
    for word in words:
        if not skips and word not in private:
            kept.append(word)
        skips = word in private
    return " ".join(kept)


def markdown(tables: list[dict], words: list[str]) -> str:
    """The whole page."""
    flags = arguments(words)
    command = "make bench-accuracy DATA=DIR" + (f" ACCURACY_FLAGS='{flags}'" if flags else "")
    lines = [
        "# Accuracy per byte",
        "",
        (f"Written by `{command}` on {datetime.datetime.now(datetime.UTC).date()}; {processor()}, "
        f"{os.cpu_count()} threads, {platform.system()}."),
        "",
        "Bytes are estimated sizes of whole Silt files (Runs/README.md next to the program says how good the",
        "estimates are). In every row, vectors are int4 and the method applies to embeddings too. ± is the standard",
        "deviation over masks. Bold: no smaller file is as good. `as published` rows have the values of their papers",
        "(bf16 for DARE and low rank, signs for BitDelta). KL is the divergence of the outputs from the fine-tuned",
        "model's. All tuning uses the data named, and each row is measured once on the test data. For rules by layer",
        "or tensor, q is the mean over tensors.",
        "",
    ]
    for found in tables:
        lines += table(found)
    lines += [
        "## The smallest file within a bound",
        "",
        "What `--accuracy-within 1%` and `--kl-within 0.01` find on the data that rows are tuned on (all examples),",
        "with every byte of the file counted, next to the smallest rows above that meet the bound on the test data.",
        "",
        *bounds(tables),
        "",
        "## DAREx-q beside DARE",
        "",
        "The metric, as means over masks, with int4 values; bold is better than DARE. (For losses, lower is better.)",
        "",
        *comparison(tables, "metric", 4),
        "",
        "KL to the fine-tuned model, in nats; bold is lower than DARE's.",
        "",
        *comparison(tables, "divergence", 4),
        "",
        "In the metric:",
        "",
        *summary(tables),
    ]
    return "\n".join(lines) + "\n"
