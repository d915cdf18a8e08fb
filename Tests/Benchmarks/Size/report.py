"""Tables of the size benchmark: for a terminal, as CSV and as Markdown."""

from __future__ import annotations

import csv
import textwrap
from dataclasses import dataclass
from pathlib import Path

from bound import LABELS, Bounds
from pairs import Pair, main_dtype

#: The most that Silt may need, as a multiple of the entropy bound.
TARGET = 1.03

WIDTH = 96
#: Entropies as the terminal shows them.
SHORT_LABELS = {
    "whole": "byte planes, no base",
    "xor": "XOR byte planes",
    "difference": "ordered difference",
    "exponent": "... given base exponent",
    "row_scale": "... and row scale: the bound",
}

CSV_COLUMNS = [
    "pair",
    "dtype",
    "parameters",
    "finetuned_bytes",
    "tool",
    "version",
    "bytes",
    "bits_per_parameter",
]
CSV_COLUMNS += ["ratio_to_bound", "encode_seconds", "decode_seconds", "result"]

COLUMNS = f"{'tool':<30}{'bytes':>12}{'bits/param':>12}{'/ bound':>9}{'/ Silt':>8}{'pack s':>8}  result"


@dataclass(frozen=True)
class Row:
    """What one tool did with a pair: `bytes`, seconds and `result`, or why it `refused`."""

    title: str
    version: str
    data: dict

    @property
    def label(self) -> str:
        """Title with version."""
        return f"{self.title} {self.version}".strip()

    @property
    def bytes(self) -> int | None:
        """Size, if there is one."""
        return self.data.get("bytes")

    @property
    def size(self) -> int:
        """Size of a row that has one."""
        return self.data["bytes"]

    @property
    def result(self) -> str:
        """`identical`, what differs, or why there is no result."""
        return self.data.get("result") or f"refused: {self.data['refused']}"

    @property
    def exact(self) -> bool:
        """Whether the tool gave every byte back."""
        return self.data.get("result") == "identical"


@dataclass(frozen=True)
class Table:
    """All rows of a pair; the first is Silt's."""

    pair: Pair
    bounds: Bounds
    rows: list[Row]

    @property
    def silt(self) -> Row:
        """Silt's row."""
        return self.rows[0]

    @property
    def silt_is_exact(self) -> bool:
        """Whether Silt did its work."""
        return self.silt.exact

    @property
    def target_bytes(self) -> float:
        """The bound that Silt is held to."""
        return self.bounds.row_scale / 8

    @property
    def best_rival(self) -> Row | None:
        """The smallest rival. One that keeps all tensors but not the header still counts."""
        rows = [row for row in self.rows[1:] if row.exact or "header differs" in row.result]
        return min(rows, key=lambda row: row.size, default=None)

    @property
    def misses(self) -> list[str]:
        """Targets that Silt misses, each as a sentence."""
        if self.silt.bytes is None:
            return [f"Silt has no result: {self.silt.result}"]
        found = [] if self.silt.exact else [f"Silt is {self.silt.result}"]
        ratio = self.silt.bytes / self.target_bytes
        if ratio > TARGET:
            found.append(f"{ratio:.4f} x the bound, more than {TARGET}: {self.costs()}")
        best = self.best_rival
        if best is not None and best.size <= self.silt.size:
            found.append(f"{best.label} is smaller: {best.size:,} bytes")
        return found

    def costs(self) -> str:
        """Where Silt's bytes went."""
        kinds = self.silt.data.get("encodings", {})
        parts = [f"{kind} {entry['bytes']:,} in {entry['tensors']}" for kind, entry in kinds.items()]
        rest = self.silt.size - sum(entry["bytes"] for entry in kinds.values())
        return "; ".join([*parts, f"container {rest:,}"]) + f" (bound {self.target_bytes:,.0f})"

    def bits(self, size: float) -> float:
        """Bits per parameter of so many bytes."""
        return 8 * size / self.pair.parameters

    def line(self, label: str, size: float, seconds: float | None, result: str) -> str:
        """One line with figures."""
        silt = f"{size / self.silt.bytes:8.3f}" if self.silt.bytes else f"{'':8}"
        time = f"{seconds:8.1f}" if seconds is not None else f"{'':8}"
        figures = f"{size:12,.0f}{self.bits(size):12.4f}{size / self.target_bytes:9.3f}{silt}{time}"
        return f"{label[:30]:<30}{figures}  {result}".rstrip()

    def text(self) -> str:
        """The table for a terminal, smallest first."""
        pair, files = self.pair, len(self.pair.fine.files)
        facts = f"{main_dtype(pair.fine)}, {pair.parameters:,} parameters, {pair.fine.bytes:,} bytes"
        facts += f" in {files} files" if files > 1 else ""
        lines = ["", f"{pair.name}   {facts}", "", COLUMNS, "-" * WIDTH]
        sized = [row for row in self.rows if row.bytes is not None]
        for row in sorted(sized, key=lambda row: row.size):
            short = row.result if row.exact else "NOT IDENTICAL"
            lines.append(self.line(row.label, row.size, row.data["encode_seconds"], short))
            if not row.exact:
                lines.append(f"{'':32}{row.result.removeprefix('not identical: ')}")
        for row in self.rows:
            if row.bytes is None:
                reason = textwrap.shorten(row.result, 120, placeholder=" ...")
                lines += textwrap.wrap(f"{row.label:<30}  {reason}", WIDTH, subsequent_indent=" " * 32)
        lines += ["-" * WIDTH, "entropy, without headers and digests"]
        for key, label in SHORT_LABELS.items():
            lines.append(self.line(label, getattr(self.bounds, key) / 8, None, ""))
        for miss in self.misses:
            lines += textwrap.wrap(f"MISS: {miss}", WIDTH, subsequent_indent="      ")
        return "\n".join(lines)


def summary(tables: list[Table]) -> str:
    """One line for each pair."""
    heads = f"{'pair':<36}{'Silt':>8}{'bound':>8}{'ratio':>7}  {'best rival':<27}{'ratio':>6}  met"
    lines = ["", heads, "-" * WIDTH]
    for table in tables:
        best, silt = table.best_rival, table.silt.bytes
        cells = f"{table.pair.name[:36]:<36}"
        cells += f"{table.bits(silt):8.3f}" if silt else f"{'-':>8}"
        cells += f"{table.bits(table.target_bytes):8.3f}"
        cells += f"{silt / table.target_bytes:7.3f}" if silt else f"{'-':>7}"
        name = f"{best.title} {table.bits(best.size):.3f}" if best else "none"
        cells += f"  {name[:27]:<27}" + (f"{silt / best.size:6.3f}" if best and silt else f"{'-':>6}")
        lines.append(f"{cells}  {'no' if table.misses else 'yes'}")
    lines.append(f"Bits per parameter. Targets: at most {TARGET} x the bound, and smaller than every rival.")
    return "\n".join(lines)


def write_csv(path: Path, tables: list[Table]) -> None:
    """Every row of every pair, and the entropies."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(CSV_COLUMNS)
        for table in tables:
            pair = table.pair
            facts = [pair.name, main_dtype(pair.fine), pair.parameters, pair.fine.bytes]

            def figures(size: float, table: Table = table) -> list[float]:
                return [round(size), round(table.bits(size), 4), round(size / table.target_bytes, 4)]

            for row in table.rows:
                sizes = ["", "", ""] if row.bytes is None else figures(row.bytes)
                times = [row.data.get("encode_seconds", ""), row.data.get("decode_seconds", "")]
                times = [round(cell, 3) if cell != "" else "" for cell in times]
                writer.writerow([*facts, row.title, row.version, *sizes, *times, row.result])
            for key, label in LABELS.items():
                sizes = figures(getattr(table.bounds, key) / 8)
                writer.writerow([*facts, f"entropy: {label}", "", *sizes, "", "", ""])


def markdown(tables: list[Table]) -> str:
    """Bits per parameter: tools down, pairs across."""
    titles = list(dict.fromkeys(row.label for table in tables for row in table.rows))
    lines = ["| bits per parameter | " + " | ".join(table.pair.name for table in tables) + " |"]
    lines.append("|---|" + "---:|" * len(tables))
    sizes = [f"{table.pair.fine.bytes:,} ({main_dtype(table.pair.fine)})" for table in tables]
    lines.append("| *fine-tuned bytes* | " + " | ".join(sizes) + " |")
    notes: dict[str, int] = {}
    for title in titles:
        cells = []
        for table in tables:
            row = next((row for row in table.rows if row.label == title), None)
            if row is None:
                cells.append("")
            elif row.exact:
                cells.append(f"{table.bits(row.size):.3f}")
            else:
                reason = textwrap.shorten(row.result, 160, placeholder=" ...")
                mark = notes.setdefault(reason, len(notes) + 1)
                cells.append(f"{table.bits(row.bytes):.3f} [{mark}]" if row.bytes else f"refused [{mark}]")
        name = f"**{title}**" if title.startswith("Silt") else title
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    bounds = [f"{table.bits(table.target_bytes):.3f}" for table in tables]
    lines.append("| *entropy bound* | " + " | ".join(bounds) + " |")
    ratios = [f"{t.silt.bytes / t.target_bytes:.3f}" if t.silt.bytes else "" for t in tables]
    lines += ["| *Silt / bound* | " + " | ".join(ratios) + " |", ""]
    lines += [f"[{mark}] {text}  " for text, mark in notes.items()]
    return "\n".join(lines).rstrip() + "\n"
