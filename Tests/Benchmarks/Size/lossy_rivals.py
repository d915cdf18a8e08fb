"""How other tools lay out pruned deltas, made again in numpy from descriptions of their files.

All get the same random positions (their number is what counts) and BF16 values, except deltatensors, which
stores F32. Headers and names are not counted.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import zstandard
from numpy.typing import NDArray

from lossy import LossyPair

Arrays = list[NDArray]


def bf16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Patterns rounded to nearest."""
    bits = values.view("<u4").astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")


def deltatensors(delta: NDArray[np.float32], kept: NDArray[np.bool_]) -> Arrays:
    """`sparse` of deltatensors 0.2.0: flat indices of 64 bits, values of 32."""
    return [np.flatnonzero(kept).astype("<i8"), delta[kept]]


def sparse_bitmask(delta: NDArray[np.float32], kept: NDArray[np.bool_]) -> Arrays:
    """`sparse-bitmask` of compressed-tensors: values, a bit for each element (rows fill bytes), row offsets."""
    counts = kept.sum(axis=1)
    offsets = (np.cumsum(counts) - counts).astype("<i8")
    return [bf16(delta[kept]), np.packbits(kept, axis=1, bitorder="little"), offsets]


def torch_coo(delta: NDArray[np.float32], kept: NDArray[np.bool_]) -> Arrays:
    """torch's sparse COO tensors: two indices of 64 bits for each value."""
    return [np.stack(np.nonzero(kept)).astype("<i8"), bf16(delta[kept])]


LAYOUTS: dict[str, Callable[[NDArray, NDArray], Arrays]] = {
    "deltatensors (int64 + f32)": deltatensors,
    "compressed-tensors sparse-bitmask": sparse_bitmask,
    "torch COO": torch_coo,
}


def layout_bytes(pair: LossyPair, drop: float) -> dict[str, int]:
    """Bytes of all matrices in each layout, as it is and with zstd -3 on top."""
    generator = np.random.default_rng(1)
    compressor = zstandard.ZstdCompressor(level=3)
    total = {title + suffix: 0 for title in LAYOUTS for suffix in ("", ", zstd -3")}
    for matrix in pair.matrices:
        delta = matrix.delta.reshape(matrix.fine.shape)
        kept = generator.random(delta.shape) >= drop
        for title, layout in LAYOUTS.items():
            for array in layout(delta, kept):
                data = array.tobytes()
                total[title] += len(data)
                total[f"{title}, zstd -3"] += len(compressor.compress(data))
    return total
