"""What each lossy method makes of the same number of bytes.

A method has one dial (drop rate, rank, energy, quality). The dial is turned until the chunks of the matrices
take the wanted bytes; between the two nearest settings the error is interpolated over the logarithm of the size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from lossy import LossyPair, Measured

#: Bits for each parameter of the matrices.
BUDGETS = (0.03, 0.1, 0.3)

#: Settings to try for one budget, at most, and how near is near enough.
TURNS = 9
NEAR = 0.01


@dataclass(frozen=True)
class Dial:
    """A method and its dial; more of it means more bytes."""

    title: str
    options: Callable[[float], list[str]]
    low: float
    high: float
    whole: bool = False


DIALS = (
    Dial("transform", lambda x: ["--method", "transform", "--quality", f"{1 / x:.6g}"], 1 / 64, 16),
    Dial(
        "lowrank, int4, by rank",
        lambda x: ["--method", "lowrank", "--values", "int4", "--rank", str(round(x))],
        1,
        512,
        whole=True,
    ),
    Dial(
        "lowrank, int4, by energy",
        lambda x: ["--method", "lowrank", "--values", "int4", "--energy", f"{x:.6g}"],
        0.005,
        0.99,
    ),
    Dial(
        "magnitude, int4",
        lambda x: ["--method", "magnitude", "--values", "int4", "--drop", f"{1 - x:.9g}"],
        0.0002,
        0.5,
    ),
    Dial(
        "random, int4, q = 1",
        lambda x: ["--method", "random", "--values", "int4", "--q", "1", "--drop", f"{1 - x:.9g}"],
        0.0002,
        0.5,
    ),
    Dial(
        "random, int4 (DARE)",
        lambda x: ["--method", "random", "--values", "int4", "--drop", f"{1 - x:.9g}"],
        0.0002,
        0.5,
    ),
)


class Search:
    """A method's sizes and errors for one pair, each setting measured once."""

    def __init__(self, pair: LossyPair, dial: Dial) -> None:
        self.pair = pair
        self.dial = dial
        rank = min(min(matrix.fine.shape) for matrix in pair.matrices)
        self.high = min(dial.high, rank) if dial.whole else dial.high
        self.found: dict[float, Measured] = {}

    def at(self, x: float) -> Measured:
        """The measurement at a setting."""
        if x not in self.found:
            self.found[x] = self.pair.measure(*self.dial.options(x))
        return self.found[x]

    def error(self, budget: float) -> float | None:
        """Relative L2 at so many bits for each parameter; nothing where the method does not get there."""
        wanted = budget * self.pair.parameters / 8
        low, high = self.dial.low, self.high
        # What other budgets measured narrows the range.
        for x, measured in self.found.items():
            if measured.payload_bytes <= wanted:
                low = max(low, x)
            else:
                high = min(high, x)
        for _ in range(TURNS):
            if self.dial.whole and high - low <= 1:
                break
            middle = round(math.sqrt(low * high)) if self.dial.whole else math.sqrt(low * high)
            middle = min(max(middle, low + 1), high - 1) if self.dial.whole else middle
            size = self.at(middle).payload_bytes
            if size <= wanted:
                low = middle
            else:
                high = middle
            if abs(size - wanted) < NEAR * wanted:
                break
        below, above = self.at(low), self.at(high)
        if not below.payload_bytes <= wanted <= above.payload_bytes:
            return None
        if below.payload_bytes == above.payload_bytes:
            return below.l2
        share = math.log(wanted / max(below.payload_bytes, 1)) / math.log(
            above.payload_bytes / max(below.payload_bytes, 1)
        )
        return below.l2 + share * (above.l2 - below.l2)


@dataclass(frozen=True)
class Comparison:
    """Errors of all methods at all budgets."""

    errors: dict[str, list[float | None]]
    #: BitDelta has no dial: its own bits for each parameter, and its error.
    sign_bits: float
    sign_error: float


def compare(pair: LossyPair, say: Callable[[str], None]) -> Comparison:
    """Measures all methods for one pair."""
    errors = {}
    for dial in DIALS:
        say(dial.title)
        search = Search(pair, dial)
        errors[dial.title] = [search.error(budget) for budget in BUDGETS]
    sign = pair.measure("--method", "sign")
    return Comparison(errors, 8 * sign.payload_bytes / pair.parameters, sign.l2)
