"""Sizes of lossy deltas: masks and values beside their entropies and other layouts, and methods at equal size.

usage: bench_lossy.py [--data DIR]... [--pair BASE FINETUNED]... [--csv FILE] [--markdown FILE]
                      [--only masks|methods]

Pairs as in bench_size.py. Silt is the program in the environment variable SILT, else the release build.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import lossy_report as report
from bench_size import CACHE, ROOT, collect_pairs
from lossy import LossyPair
from lossy_bounds import LARGEST, bound_bits, position_bits
from lossy_rivals import layout_bytes
from lossy_search import compare
from pairs import Pair

RATES = (0.5, 0.9, 0.95, 0.99)
VALUES = ("bf16", "f16", "int8", "int4", "int2", "sign")
MASKS: dict[str, list[str]] = {
    "seeded": ["--method", "random", "--mask", "seeded"],
    "bitmask": ["--method", "random", "--mask", "bitmask"],
    "gaps": ["--method", "random", "--mask", "gaps"],
    "columns": ["--method", "columns"],
    "rows": ["--method", "rows"],
    "2:4": ["--method", "nm", "--pattern", "2:4"],
}


def measure_masks(pair: LossyPair) -> list[report.MaskRow]:
    """A row for every mask, drop rate and value type."""
    rows: list[report.MaskRow] = []
    for mask, options in MASKS.items():
        for drop in (0.5,) if mask == "2:4" else RATES:
            for kind in VALUES:
                words = [*options, "--values", kind, *([] if mask == "2:4" else ["--drop", str(drop)])]
                found = pair.measure(*words)
                steps = pair.steps(*words) if kind in LARGEST else {}
                # Without the values, which are those of the seeded mask.
                seeded = next(
                    (r for r in rows if (r.mask, r.drop, r.values) == ("seeded", drop, kind)), None
                )
                stored = seeded if mask in ("bitmask", "gaps") else None
                position_bytes = found.payload_bytes - stored.payload_bytes if stored else None
                rows.append(
                    report.MaskRow(
                        mask=mask,
                        drop=drop,
                        values=kind,
                        file_bytes=found.file_bytes,
                        payload_bytes=found.payload_bytes,
                        whole_bytes=pair.rest_bytes + found.payload_bytes,
                        bound_bits=bound_bits(pair, mask, drop, kind, steps),
                        position_bytes=position_bytes,
                        position_bound_bits=position_bits(mask, drop, pair.matrices),
                    )
                )
    return rows


def measure(pair: Pair, program: Path, only: str | None) -> report.LossyTable:
    """Everything for one pair."""

    def say(text: str) -> None:
        print(f"  {pair.name}: {text} …", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        lossy = LossyPair(pair, program, Path(work))
        masks, layouts = [], {}
        if only != "methods":
            say("masks and values")
            masks = measure_masks(lossy)
            layouts = {drop: layout_bytes(lossy, drop) for drop in RATES}
        comparison = compare(lossy, say) if only != "masks" else None
        return report.LossyTable(pair, lossy.parameters, masks, layouts, comparison)


def main() -> int:
    """Measures, prints and writes. Exit 1 with --strict if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, action="append", default=[], metavar="DIR", help="more pairs")
    parser.add_argument("--pair", nargs=2, action="append", default=[], metavar=("BASE", "FINETUNED"))
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every row")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables for a page")
    parser.add_argument("--only", choices=["masks", "methods"], help="one half of the work")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a target is missed")
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    program = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()
    tables = []
    for pair in collect_pairs(options.data, options.pair):
        tables.append(measure(pair, program, options.only))
        print(tables[-1].text(), flush=True)
    if options.csv:
        report.write_csv(options.csv, tables)
    if options.markdown:
        options.markdown.write_text(report.markdown(tables))
    missed = any(not target.holds for table in tables for target in table.targets)
    return 1 if options.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
