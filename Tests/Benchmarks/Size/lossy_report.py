"""Tables of the lossy part of the size benchmark: for a terminal, as CSV and as Markdown."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from lossy_search import BUDGETS, Comparison
from pairs import Pair, main_dtype

#: Bits for each pruned parameter that a seeded mask with p = .9 may take, everything counted.
SEEDED_TARGETS = {"int4": 0.40, "bf16": 1.10}
#: The fine-tune that is in the project.
PROJECT_PAIR = "small-foods"
#: How far stored positions may be above n H(keep).
POSITION_TARGET = 1.05


@dataclass(frozen=True)
class MaskRow:
    """One mask, drop rate and value type."""

    mask: str
    drop: float
    values: str
    #: The Silt file of the matrices alone, its payload, and that of the whole model.
    file_bytes: int
    payload_bytes: int
    whole_bytes: int
    #: Entropy of positions and values together, and of the positions.
    bound_bits: float
    #: What the positions take; nothing where they cannot be told from the values.
    position_bytes: int | None
    position_bound_bits: float

    @property
    def ratio(self) -> float:
        """Payload over entropy."""
        return 8 * self.payload_bytes / self.bound_bits if self.bound_bits else float("inf")

    @property
    def position_ratio(self) -> float | None:
        """Positions over n H(keep)."""
        return 8 * self.position_bytes / self.position_bound_bits if self.position_bytes else None


@dataclass(frozen=True)
class Target:
    """Something that was promised, and whether it holds."""

    text: str
    found: float
    most: float

    @property
    def holds(self) -> bool:
        """Whether it was kept."""
        return self.found <= self.most


@dataclass(frozen=True)
class LossyTable:
    """All that was measured of a pair."""

    pair: Pair
    parameters: int
    masks: list[MaskRow]
    layouts: dict[float, dict[str, int]]
    comparison: Comparison | None

    def bits(self, size: float) -> float:
        """Bits for each pruned parameter."""
        return 8 * size / self.parameters

    @property
    def compared(self) -> Comparison:
        """The comparison of a table that has one."""
        assert self.comparison is not None
        return self.comparison

    def row(self, mask: str, drop: float, values: str) -> MaskRow:
        """A row that was measured."""
        found = self.find(mask, drop, values)
        assert found is not None, (mask, drop, values)
        return found

    def find(self, mask: str, drop: float, values: str) -> MaskRow | None:
        """A row, if it was measured."""
        return next((r for r in self.masks if (r.mask, r.drop, r.values) == (mask, drop, values)), None)

    @property
    def rates(self) -> list[float]:
        """The drop rates."""
        return sorted({row.drop for row in self.masks})

    @property
    def value_types(self) -> list[str]:
        """The value types."""
        return list(dict.fromkeys(row.values for row in self.masks))

    @property
    def targets(self) -> list[Target]:
        """What was promised."""
        found = []
        for values, most in SEEDED_TARGETS.items():
            row = self.find("seeded", 0.9, values)
            if row is not None:
                bits = self.bits(row.file_bytes)
                text = f"seeded, p .9, {values}: {bits:.3f} bits, at most {most:.2f}"
                found.append(Target(text, bits, most))
        for drop in self.rates:
            ratios = [r.position_ratio for r in self.masks if r.drop == drop and r.position_ratio]
            if ratios:
                text = f"stored mask (the smaller of both), p {drop:g}: {min(ratios):.3f} x n H(keep), "
                text += f"at most {POSITION_TARGET}"
                found.append(Target(text, min(ratios), POSITION_TARGET))
        return found

    def text(self) -> str:
        """The tables for a terminal."""
        dtype = main_dtype(self.pair.fine)
        lines = ["", f"{self.pair.name}   {dtype}, {self.parameters:,} parameters in pruned matrices", ""]
        if self.masks:
            lines += [*self._mask_lines(), "", *self._layout_lines(), ""]
        if self.comparison:
            lines += [*self._method_lines(), ""]
        lines += [f"{'holds ' if t.holds else 'MISSED'}  {t.text}" for t in self.targets]
        return "\n".join(lines)

    def _mask_lines(self) -> list[str]:
        head = f"{'mask':<9}{'p':>5}  " + "".join(f"{kind:>15}" for kind in self.value_types)
        lines = ["bits for each pruned parameter, everything counted (chunks / entropy)", head]
        for mask in dict.fromkeys(row.mask for row in self.masks):
            for drop in self.rates:
                if self.find(mask, drop, self.value_types[0]) is None:
                    continue
                rows = [self.row(mask, drop, kind) for kind in self.value_types]
                cells = [f"{self.bits(row.file_bytes):.4f} ({row.ratio:.3f})" for row in rows]
                lines.append(f"{mask:<9}{drop:5.2f}  " + "".join(f"{cell:>15}" for cell in cells))
        return lines

    def _layout_lines(self) -> list[str]:
        lines = [f"{'other layouts, no headers':<44}" + "".join(f"p {drop:<8g}" for drop in self.layouts)]
        for title in next(iter(self.layouts.values())):
            cells = [f"{self.bits(sizes[title]):<10.3f}" for sizes in self.layouts.values()]
            lines.append(f"{title:<44}" + "".join(cells))
        return lines

    def _method_lines(self) -> list[str]:
        heads = "".join(f"{budget:>8g} b" for budget in BUDGETS)
        lines = [f"{'relative L2 at bits for each parameter of':<44}{heads}"]
        for title, errors in self.compared.errors.items():
            cells = "".join(f"{error:>10.4f}" if error is not None else f"{'-':>10}" for error in errors)
            lines.append(f"{title:<44}{cells}")
        lines.append(f"sign: {self.compared.sign_error:.4f} at {self.compared.sign_bits:.3f} bits")
        return lines


def write_csv(path: Path, tables: list[LossyTable]) -> None:
    """Every row of every pair."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        columns = ["pair", "what", "drop", "values", "bits", "whole_bytes", "entropy_bits", "ratio", "l2"]
        writer.writerow(columns)
        for table in tables:
            name, count = table.pair.name, table.parameters
            for row in table.masks:
                bits = round(table.bits(row.file_bytes), 5)
                entropy = round(row.bound_bits / count, 5)
                cells = [row.drop, row.values, bits, row.whole_bytes, entropy, round(row.ratio, 4), ""]
                writer.writerow([name, f"mask {row.mask}", *cells])
            for drop, sizes in table.layouts.items():
                for title, size in sizes.items():
                    writer.writerow([name, title, drop, "", round(table.bits(size), 5), "", "", "", ""])
            if table.comparison:
                for title, errors in table.comparison.errors.items():
                    for budget, error in zip(BUDGETS, errors, strict=True):
                        shown = "" if error is None else round(error, 5)
                        writer.writerow([name, title, "", "", budget, "", "", "", shown])
                bits = round(table.comparison.sign_bits, 5)
                error = round(table.comparison.sign_error, 5)
                writer.writerow([name, "sign", "", "", bits, "", "", "", error])


def markdown(tables: list[LossyTable]) -> str:
    """The page: targets, methods at equal size, masks and values, other layouts."""
    parts = [HEAD]
    if all(table.comparison for table in tables):
        parts.append(methods_markdown(tables))
    if all(table.masks for table in tables):
        parts += [values_markdown(tables), positions_markdown(tables), layouts_markdown(tables)]
        parts.append(targets_markdown(tables))
    return "\n".join(parts).rstrip() + "\n"


HEAD = """# Sizes of lossy deltas

Written by `make bench-size` (`bench_lossy.py --markdown`). Bits are per parameter of the matrices that methods apply to,
without embeddings, heads, norms and biases; `whole` is the size of the whole Silt file in bytes, which has those exactly.
The pairs are those of the README; small-foods is in `Tests/Data`.
"""


def heads(tables: list[LossyTable], first: str) -> list[str]:
    """The first lines of a table with a column for each pair."""
    names = [table.pair.fine.name for table in tables]
    return [f"| {first} | " + " | ".join(names) + " |", "|---|" + "---:|" * len(tables)]


def methods_markdown(tables: list[LossyTable]) -> str:
    """Relative L2 of the deltas at equal size."""
    lines = ["## Methods at equal size", ""]
    lines.append("Relative L2 error of the rebuilt deltas (from the receipt) at equal size of the matrices' chunks.")
    lines.append("Smaller is better; dropping everything gives 1.")
    for index, budget in enumerate(BUDGETS):
        lines += ["", *heads(tables, f"{budget:g} bits")]
        for title in tables[0].compared.errors:
            errors = [table.compared.errors[title][index] for table in tables]
            best = [min(e for row in table.compared.errors.values() if (e := row[index])) for table in tables]
            cells = [
                "-" if error is None else f"**{error:.3f}**" if error == least else f"{error:.3f}"
                for error, least in zip(errors, best, strict=True)
            ]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines += ["", *heads(tables, "sign (no dial)")]
    signs = [f"{t.compared.sign_error:.3f} at {t.compared.sign_bits:.2f}" for t in tables]
    lines.append("| error at bits | " + " | ".join(signs) + " |")
    return "\n".join(lines) + "\n"


def shown_in_full(tables: list[LossyTable]) -> LossyTable:
    """The project's pair, which everybody has; the first one where it was not measured."""
    return next((table for table in tables if table.pair.fine.name == PROJECT_PAIR), tables[0])


def cell(table: LossyTable, mask: str, drop: float, values: str) -> str:
    """Bits for each pruned parameter, and the chunks over their entropy."""
    row = table.row(mask, drop, values)
    return f"{table.bits(row.file_bytes):.3f} ({row.ratio:.2f})"


def values_markdown(tables: list[LossyTable]) -> str:
    """All masks and value types of one pair; seeded masks of all pairs."""
    table = shown_in_full(tables)
    kinds = table.value_types
    lines = ["## Masks and values", ""]
    lines.append("Bits per pruned parameter, header and manifest included; in brackets the chunks relative to their")
    lines.append("entropy: that of the positions plus the order-0 entropy of each matrix's values.")
    lines += ["", "| " + table.pair.fine.name + " | p | " + " | ".join(kinds) + " | whole, int4 |"]
    lines.append("|---|---:|" + "---:|" * (len(kinds) + 1))
    for mask in dict.fromkeys(row.mask for row in table.masks):
        for drop in table.rates:
            if table.find(mask, drop, kinds[0]) is None:
                continue
            cells = [cell(table, mask, drop, kind) for kind in kinds]
            whole = table.row(mask, drop, "int4").whole_bytes
            lines.append(f"| {mask} | {drop:g} | " + " | ".join(cells) + f" | {whole:,} |")
    lines += ["", *heads(tables, "seeded, p")]
    for kind in ("bf16", "int4", "int2"):
        for drop in table.rates:
            cells = [cell(each, "seeded", drop, kind) for each in tables]
            lines.append(f"| {kind}, {drop:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def positions_markdown(tables: list[LossyTable]) -> str:
    """Stored positions over their entropy."""
    lines = ["## Stored positions over n H(keep)", "", *heads(tables, "mask, p")]
    for mask in ("bitmask", "gaps"):
        for drop in tables[0].rates:
            cells = [f"{table.row(mask, drop, 'int4').position_ratio:.3f}" for table in tables]
            lines.append(f"| {mask}, {drop:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def layouts_markdown(tables: list[LossyTable]) -> str:
    """Other tools' layouts beside Silt's masks, with values of BF16."""
    lines = ["## Beside other layouts", "", "Bits per pruned parameter, BF16 values, random positions."]
    lines.append("The other layouts are reimplemented from their descriptions; their headers are not counted, Silt's is.")
    table = shown_in_full(tables)
    rates = list(table.layouts)
    lines += ["", f"| {table.pair.fine.name} | " + " | ".join(f"p {drop:g}" for drop in rates) + " |"]
    lines.append("|---|" + "---:|" * len(rates))
    for mask in ("seeded", "bitmask", "gaps"):
        cells = [f"{table.bits(table.row(mask, drop, 'bf16').file_bytes):.3f}" for drop in rates]
        lines.append(f"| **Silt, {mask}** | " + " | ".join(cells) + " |")
    for title in table.layouts[rates[0]]:
        cells = [f"{table.bits(table.layouts[drop][title]):.3f}" for drop in rates]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def targets_markdown(tables: list[LossyTable]) -> str:
    """What was promised: the worst of all pairs, and where it does not hold."""
    lines = ["## Targets", ""]
    for targets in zip(*(table.targets for table in tables), strict=True):
        missed = [table.pair.fine.name for table, target in zip(tables, targets, strict=True) if not target.holds]
        worst = max(targets, key=lambda target: target.found)
        verdict = f"**missed** by {', '.join(missed)}" if missed else "holds"
        lines.append(f"- {worst.text}: {verdict}")
    return "\n".join(lines) + "\n"
