"""Lossy deltas computed the naive way, in numpy: masks, DARE, receipts. None of it is the reader's or Silt's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from checkpoints import Tensor, bf16_from_f32, patterns

Floats = NDArray[np.float32]

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
INCREMENTS = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
LOW = np.uint64(0xFFFFFFFF)


def philox(counter: list[NDArray[np.uint64]], key: tuple[int, int]) -> list[NDArray[np.uint64]]:
    """Philox4x32-10: four words for each counter of four words."""
    keys = [np.uint64(word) for word in key]
    for _ in range(10):
        left, right = MULTIPLIERS[0] * counter[0], MULTIPLIERS[1] * counter[2]
        counter = [
            (right >> np.uint64(32)) ^ counter[1] ^ keys[0],
            right & LOW,
            (left >> np.uint64(32)) ^ counter[3] ^ keys[1],
            left & LOW,
        ]
        keys = [(word + step) & LOW for word, step in zip(keys, INCREMENTS, strict=True)]
    return counter


def kept_at_random(name: str, count: int, drop: float, seed: int = 0) -> NDArray[np.bool_]:
    """The positions of a seeded mask that stay (Formats/Silt.md, section 12.3)."""
    identity = xxhash.xxh3_64_intdigest(name.encode())
    block = np.arange(-(-count // 4), dtype=np.uint64)
    constant = [np.full_like(block, word) for word in (identity & 0xFFFFFFFF, identity >> 32)]
    words = philox([block & LOW, block >> np.uint64(32), *constant], (seed & 0xFFFFFFFF, seed >> 32))
    return np.stack(words, axis=1).reshape(-1)[:count] >= np.uint64(round(drop * 2**32))


def values(tensor: Tensor) -> Floats:
    """The values of an F32, F16 or BF16 tensor."""
    bits = patterns(tensor)
    if tensor.dtype == "BF16":
        return (bits.astype("<u4") << 16).view("<f4")
    return bits.view("<f4" if tensor.dtype == "F32" else "<f2").astype("<f4")


def narrowed(numbers: Floats, dtype: str) -> NDArray:
    """Patterns of finite values, rounded to nearest, ties to even."""
    if dtype == "BF16":
        return bf16_from_f32(numbers)
    with np.errstate(over="ignore"):
        return numbers.astype("<f4" if dtype == "F32" else "<f2").view("<u4" if dtype == "F32" else "<u2")


def delta_of(base: Tensor, fine: Tensor) -> Floats:
    """Fine-tuned minus base, in binary32."""
    return values(fine) - values(base)


def added(base: Tensor, change: Floats, dtype: str | None = None) -> Tensor:
    """The base plus a change; where nothing is added, its bits stay (so does -0)."""
    wanted = dtype or base.dtype
    before = values(base)
    untouched = patterns(base) if wanted == base.dtype else narrowed(before, wanted)
    bits = np.where(change == 0, untouched, narrowed(before + change, wanted))
    return Tensor(wanted, base.shape, bits.astype(untouched.dtype).tobytes())


def dare(name: str, base: Tensor, fine: Tensor, drop: float, q: float | None = None, seed: int = 0) -> Tensor:
    """DARE: every element of the delta dropped with probability p, the others divided by q (1 - p)."""
    delta = delta_of(base, fine)
    mask = kept_at_random(name, delta.size, drop, seed)
    divisor = np.float32(1 - drop if q is None else q)
    return added(base, np.where(mask, delta, np.float32(0)).astype(np.float32) / divisor)


@dataclass(frozen=True)
class Sums:
    """The sums that a receipt is made of (Formats/Silt.md, section 12.7)."""

    error: float = 0.0
    delta: float = 0.0
    change: float = 0.0
    product: float = 0.0
    largest: float = 0.0
    differ: int = 0
    elements: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.error + other.error,
            self.delta + other.delta,
            self.change + other.change,
            self.product + other.product,
            max(self.largest, other.largest),
            self.differ + other.differ,
            self.elements + other.elements,
        )

    def receipt(self) -> dict[str, float]:
        """The receipt, as --json calls its numbers."""
        lengths = np.sqrt(self.change * self.delta)
        l2 = 0.0 if self.error == 0 else 1.0 if self.delta == 0 else np.sqrt(self.error / self.delta)
        both = 1.0 if self.change == 0 and self.delta == 0 else 0.0
        return {
            "relative_l2": float(l2),
            "max_abs": self.largest,
            "cosine": float(self.product / lengths) if lengths > 0 else both,
            "changed": self.differ / self.elements if self.elements else 0.0,
        }


def sums(base: Tensor, fine: Tensor, result: Tensor) -> Sums:
    """The sums of one tensor, over the elements at which all three are finite."""
    b, x, y = (values(tensor).astype(np.float64) for tensor in (base, fine, result))
    finite = np.isfinite(b) & np.isfinite(x) & np.isfinite(y)
    differ = (patterns(fine) != patterns(result))[finite]
    b, x, y = b[finite], x[finite], y[finite]
    return Sums(
        error=float(((y - x) ** 2).sum()),
        delta=float(((x - b) ** 2).sum()),
        change=float(((y - b) ** 2).sum()),
        product=float(((y - b) * (x - b)).sum()),
        largest=float(np.abs(y - x).max(initial=0)),
        differ=int(differ.sum()),
        elements=differ.size,
    )
