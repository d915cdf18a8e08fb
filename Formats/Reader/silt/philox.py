"""Section 12.3: Philox4x32-10, the counter-based generator of seeded masks."""

from __future__ import annotations

import numpy as np

ROUNDS = 10
MULTIPLIERS = (0xD251_1F53, 0xCD9E_8D57)
INCREMENTS = (0x9E37_79B9, 0xBB67_AE85)
MASK = 0xFFFF_FFFF


def philox(counters: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """The four words for each counter; both are columns of four words, held in u64."""
    low, shift = np.uint64(MASK), np.uint64(32)
    c0, c1, c2, c3 = (counters[:, word].astype(np.uint64) for word in range(4))
    k0, k1 = key
    for _ in range(ROUNDS):
        first, second = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            second >> shift ^ c1 ^ np.uint64(k0),
            second & low,
            first >> shift ^ c3 ^ np.uint64(k1),
            first & low,
        )
        k0, k1 = (k0 + INCREMENTS[0]) & MASK, (k1 + INCREMENTS[1]) & MASK
    return np.stack([c0, c1, c2, c3], axis=1)


def words(seed: int, identity: int, start: int, count: int) -> np.ndarray:
    """The words of the positions from `start` on: of each counter its four, one after the other."""
    first, last = start // 4, (start + count + 3) // 4
    numbers = np.arange(first, last, dtype=np.uint64)
    counters = np.empty((last - first, 4), np.uint64)
    counters[:, 0] = numbers & np.uint64(MASK)
    counters[:, 1] = numbers >> np.uint64(32)
    counters[:, 2], counters[:, 3] = identity & MASK, identity >> 32
    found = philox(counters, (seed & MASK, seed >> 32)).reshape(-1)
    return found[start - 4 * first :][:count]


def stays(seed: int, threshold: int, identity: int, start: int, count: int) -> np.ndarray:
    """Whether each position from `start` on stays."""
    return words(seed, identity, start, count) >= threshold
