"""Would better contexts make the residual smaller? An estimate by entropies, with and without low-rank predictions.

usage: context_study.py [--data DIR]... [--pair BASE FINETUNED]...

Only matrices are looked at, for there the bits are. Each row of the table is a model of the residual's symbols, in bits for
each element of the matrices, all side information and tables counted as in bound.py:

  today            the class of row scale and base exponent (Formats/Silt.md, section 7)
  + column         the row's scale times the column's, which costs a code for each column
  + neighbours     also what the elements above and to the left have moved, in five levels: a decoder knows them
  + both
  mixing           the probabilities of all four, mixed with weights that follow the data block by block; the tables of all
                   four count
  mixing, free     the same with tables that cost nothing, though they were fitted to the very data: a bound that adaptive
                   tables do not reach, since they must learn

Predictions are made again in numpy: a truncated singular value decomposition, both factors quantised by one step, which is
chosen by the bits of factors and residual together. They are a little worse than Silt's.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bound import FLOATS, entropy, ordered
from pairs import Pair, TensorRecord, checkpoint, counterpart_names, find_pairs

CLASSES = 32
#: Elements after which the weights of mixing move.
BLOCK = 2048
MODELS = ("today", "+ column", "+ neighbours", "+ both", "mixing", "mixing, free")


@dataclass(frozen=True)
class Residual:
    """A matrix to be coded: patterns of what is predicted and of the result."""

    dtype: str
    shape: tuple[int, int]
    base: NDArray
    fine: NDArray

    @property
    def difference(self) -> NDArray[np.int64]:
        """Steps from base to result."""
        bits = FLOATS[self.dtype][0]
        return ordered(self.fine, bits) - ordered(self.base, bits)

    @property
    def exponent(self) -> NDArray[np.int64]:
        """Exponents of the base."""
        _, mantissa, mask = FLOATS[self.dtype]
        return np.maximum(self.base.astype(np.int64) >> mantissa & mask, 1)


def symbols_of(difference: NDArray[np.int64], bits: int) -> tuple[NDArray[np.int64], int]:
    """Symbols of section 7.1 and the raw bits beside them."""
    direct = {16: 6, 32: 4}[bits]
    folded = np.where(difference >= 0, 2 * difference, -2 * difference - 1)
    top = np.floor(np.log2(np.maximum(folded, 1))).astype(np.int64)
    bucket = (1 << direct) + 8 * (top - direct) + (folded >> np.maximum(top - 3, 0) & 7)
    large = folded >> direct != 0
    return np.where(large, bucket, folded), int((top[large] - 3).sum())


def half_octaves(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rounded half octaves; what is 0 becomes a scale far below all others."""
    return np.where(values > 0, np.round(2 * np.log2(np.maximum(values, 1e-300))), -9999).astype(np.int64)


def classes_of(scale: NDArray[np.int64], exponent: NDArray[np.int64]) -> NDArray[np.int64]:
    """32 classes of scale in ulps; 0 where nothing moved."""
    relative = scale - 2 * exponent
    moved = scale > -9000
    if not moved.any():
        return np.zeros(relative.shape, np.int64)
    origin = int(np.percentile(relative[moved], 1))
    return np.where(moved, np.clip(relative - origin, 0, CLASSES - 2) + 1, 0)


def neighbour_level(amount: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.int64]:
    """Five levels of what the elements above and to the left moved, in units of what the scales promise."""
    share = amount / np.maximum(expected, 1e-300)
    above, left = np.ones_like(share), np.ones_like(share)
    above[1:], left[:, 1:] = share[:-1], share[:, :-1]
    return np.digitize((above + left) / 2, [0.25, 0.6, 1.1, 1.8])


def tables_of(symbols: NDArray, contexts: NDArray) -> tuple[float, NDArray[np.float64]]:
    """Bits with one table for each context, and the probability that each symbol had."""
    alphabet, count = int(symbols.max()) + 1, int(contexts.max()) + 1
    counts = np.bincount(contexts * alphabet + symbols, minlength=alphabet * count).reshape(count, alphabet)
    bits = sum(entropy(row) for row in counts)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return bits, (counts / totals)[contexts, symbols]


def mixed(probabilities: list[NDArray[np.float64]]) -> float:
    """Bits of symbols whose probabilities are mixed; weights are those that the blocks before would have wanted."""
    stacked = np.maximum(np.stack(probabilities), 1e-9)
    weights = np.full(len(probabilities), 1 / len(probabilities))
    bits = 0.0
    for begin in range(0, stacked.shape[1], BLOCK):
        block = stacked[:, begin : begin + BLOCK]
        together = weights @ block
        bits -= float(np.log2(together).sum())
        wanted = (weights[:, None] * block / together).mean(axis=1)
        weights = 0.7 * weights + 0.3 * wanted
    return bits


def study(residual: Residual) -> NDArray[np.float64]:
    """Bits of a matrix under each model, raw bits in all of them."""
    bits = FLOATS[residual.dtype][0]
    shape, exponent = residual.shape, residual.exponent.reshape(residual.shape)
    difference = residual.difference
    symbols, raw = symbols_of(difference, bits)
    amount = np.abs(difference).reshape(shape) * np.exp2(exponent.astype(float))
    rows = amount.mean(axis=1)
    columns = (amount / np.maximum(rows, 1e-300)[:, None]).mean(axis=0)
    row_codes, column_codes = half_octaves(rows), np.maximum(half_octaves(columns), -16)
    row_side = entropy(np.unique(row_codes, return_counts=True)[1])
    column_side = entropy(np.unique(column_codes, return_counts=True)[1])
    by_row = np.broadcast_to(row_codes[:, None], shape)
    by_both = np.where(by_row > -9000, by_row + column_codes[None, :], -9999)
    plain, scaled = classes_of(by_row, exponent), classes_of(by_both, exponent)
    expected = np.exp2(by_row / 2.0)
    levels = neighbour_level(amount, expected)
    both_levels = neighbour_level(amount, np.where(by_both > -9000, np.exp2(by_both / 2.0), 1))
    found, likely = [], []
    for contexts, side in (
        (plain, row_side),
        (scaled, row_side + column_side),
        (plain * 5 + levels, row_side),
        (scaled * 5 + both_levels, row_side + column_side),
    ):
        total, probability = tables_of(symbols, contexts.reshape(-1))
        found.append((total + side, total + float(np.log2(np.maximum(probability, 1e-9)).sum()) + side))
        likely.append(probability)
    # What each model pays beside its symbols: the sides of the largest, and the tables of all that are mixed.
    overhead = sum(cost for _, cost in found) - 3 * row_side - column_side
    together = mixed(likely)
    return np.array([total for total, _ in found] + [together + overhead, together + row_side]) + raw


def floats(patterns: NDArray, dtype: str) -> NDArray[np.float32]:
    """Values of patterns."""
    if dtype == "F32":
        return patterns.view("<f4")
    return (patterns.astype("<u4") << 16).view("<f4") if dtype == "BF16" else patterns.view("<f2").astype("<f4")


def rounded(values: NDArray[np.float32], dtype: str) -> NDArray:
    """Patterns of values, to nearest even."""
    bits = values.astype("<f4").view("<u4")
    if dtype == "F32":
        return bits
    if dtype == "F16":
        return values.astype("<f2").view("<u2")
    return ((bits.astype(np.uint64) + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")


def predicted(residual: Residual) -> tuple[float, Residual]:
    """The best prediction: the bits of its factors, and what is left. Without one: none, and all."""
    old, new = floats(residual.base, residual.dtype), floats(residual.fine, residual.dtype)
    delta = (new - old).reshape(residual.shape)
    if min(delta.shape) < 32 or not np.isfinite(delta).all() or not delta.any():
        return 0.0, residual
    left, sigma, right = np.linalg.svd(delta, full_matrices=False)
    step = 4 * float(np.sqrt((delta.astype(float) ** 2).mean()))
    best = (0.0, residual)
    least = study(residual)[0]
    worse = 0
    for _ in range(12):
        rank = int((sigma >= 0.6 * step * np.sqrt(min(delta.shape))).sum())
        if rank:
            u = np.round(left[:, :rank] * (sigma[:rank] / step))
            v = np.round(right[:rank] * (sigma[:rank] / step)[:, None])
            product = (u * (step * step / sigma[:rank])) @ v
            bits = sum(entropy(np.unique(row, return_counts=True)[1]) for row in [*u.T, *v])
            patterns = rounded(old + product.astype("<f4").reshape(-1), residual.dtype)
            trial = Residual(residual.dtype, residual.shape, patterns, residual.fine)
            total = study(trial)[0] + bits
            if total < least:
                best, least, worse = (bits, trial), total, 0
            else:
                worse += 1
                if worse == 2:
                    break
        step *= 0.6
    return best


def matrices(pair: Pair) -> list[Residual]:
    """The matrices that both sides have, with more than 32,768 elements."""
    base, fine = pair.base.tensors(), pair.fine.tensors()
    source = counterpart_names(base, fine)
    found = []
    for name, record in fine.items():
        old: TensorRecord | None = base.get(source.get(name, ""))
        if old is None or len(record.shape) != 2 or record.elements < 32_768 or record.dtype not in FLOATS:
            continue
        if (old.dtype, old.shape) == (record.dtype, record.shape) and old.data != record.data:
            kind = f"<u{FLOATS[record.dtype][0] // 8}"
            patterns = np.frombuffer(old.data, kind), np.frombuffer(record.data, kind)
            found.append(Residual(record.dtype, record.shape, *patterns))
    return found


def report(pair: Pair) -> list[str]:
    """Two rows of the table."""
    plain, over = np.zeros(len(MODELS)), np.zeros(len(MODELS))
    elements = 0
    for residual in matrices(pair):
        plain += study(residual)
        factors, left = predicted(residual)
        over += study(left) + factors
        elements += residual.base.size
    lines = []
    for label, bits in (("alone", plain), ("over predictions", over)):
        cells = [f"{bits[0] / elements:.3f}"]
        cells += [f"{value / elements:.3f} ({100 * (value / bits[0] - 1):+.1f} %)" for value in bits[1:]]
        lines.append(f"| {pair.fine.name}, {label} | {' | '.join(cells)} |")
    return lines


def main() -> int:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--pair", nargs=2, action="append", default=[], metavar=("BASE", "FINETUNED"))
    options = parser.parse_args()
    directories = options.data or [Path(__file__).resolve().parents[2] / "Data"]
    pairs = [Pair(checkpoint(Path(base)), checkpoint(Path(fine))) for base, fine in options.pair]
    if not pairs:
        pairs = [pair for directory in directories for pair in find_pairs(directory)]
    print(f"| bits for each element of the matrices | {' | '.join(MODELS)} |")
    print("|---" + "|---:" * len(MODELS) + "|")
    for pair in pairs:
        print("\n".join(report(pair)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
