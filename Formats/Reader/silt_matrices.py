"""The encoders of section 12: masks, values, matrices and components, for test vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import zstandard

from silt.errors import given
from silt.tables import CODED
from silt.values import FIELD_BITS, FLOAT_DTYPE
from silt_adaptive import adaptive
from silt_coders import BitWriter, PlaneCoder, leb128, normalise
from silt_specs import ComponentSpec, MaskSpec, MatrixSpec, SparseSpec, cell_scales, cuts, dense, kept


class ChunkStore:
    """Where chunks go; tables of one group are written once, and fit for all bytes."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks
        self.shared: dict[str, tuple[int, PlaneCoder]] = {}

    def add(self, chunk: bytes) -> int:
        self.chunks.append(chunk)
        return len(self.chunks) - 1

    def coder(self, planes: list[np.ndarray], width: int, group: str | None) -> tuple[int, PlaneCoder]:
        """The index of a chunk of tables, and their coder."""
        if group is not None and group in self.shared:
            return self.shared[group]
        coder = PlaneCoder.fit(planes, width)
        if group is not None:
            counts = [np.bincount(np.concatenate(planes)[:, p], minlength=256) for p in range(width)]
            coder = PlaneCoder([CODED] * width, [normalise(8 * count + 1) for count in counts])
        found = self.add(coder.stored()), coder
        if group is not None:
            self.shared[group] = found
        return found


def _symbols(keep: np.ndarray, width: int) -> np.ndarray:
    """Symbols of `width` positions of each row."""
    padded = np.pad(keep, ((0, 0), (0, -keep.shape[1] % width))).reshape(-1, width)
    return np.packbits(padded, axis=1, bitorder="little")


def _gaps(keep: np.ndarray) -> list[int]:
    return (np.diff(np.flatnonzero(keep), prepend=-1) - 1).tolist()


def _gap_bytes(keep: np.ndarray) -> np.ndarray:
    data = b"".join(b"\xff" * (gap // 255) + bytes([gap % 255]) for gap in _gaps(keep))
    return np.frombuffer(data, np.uint8)[:, None]


def encode_mask(
    mask: MaskSpec, cells: list[np.ndarray], store: ChunkStore
) -> tuple[dict[str, Any], list[bytes]]:
    """The fields of a stored mask, and the positions of each cell."""
    fields: dict[str, Any] = {"over": mask.over, "by": mask.by, "codec": mask.codec}
    if mask.codec == "none" and mask.by == "bits":
        return fields, [np.packbits(keep.reshape(-1), bitorder="little").tobytes() for keep in cells]
    if mask.codec != "rans":
        gaps = [_gaps(keep) for keep in cells]
        if mask.codec == "none":
            return fields, [leb128(len(g)) + b"".join(map(leb128, g)) for g in gaps]
        return fields, [leb128(len(g)) + adaptive(g, False) for g in gaps]
    bits = mask.by == "bits"
    planes = [_symbols(keep, mask.width) if bits else _gap_bytes(keep) for keep in cells]
    fields["tables"], coder = store.coder(planes, 1, mask.group)
    if bits:
        return fields | {"width": mask.width}, [coder.chunk(plane) for plane in planes]
    return fields, [leb128(len(plane)) + (coder.chunk(plane) if len(plane) else b"") for plane in planes]


def _fold(codes: np.ndarray, kind: str) -> np.ndarray:
    if kind == "sign":
        return (codes < 0).astype(np.uint8)
    return np.where(codes < 0, -2 * codes - 1, 2 * codes).astype(np.uint8)


def _rotated(patterns: np.ndarray) -> np.ndarray:
    """Float patterns with the sign as the lowest bit, as rows of bytes."""
    bits = 8 * patterns.itemsize
    return (patterns << 1 | patterns >> (bits - 1))[:, None].view(np.uint8)


def _encode_values(
    spec: MatrixSpec, cells: list[np.ndarray], store: ChunkStore
) -> tuple[dict[str, Any], list[bytes]]:
    """The fields of the values (without scales), and the values of each cell."""
    fields: dict[str, Any] = {"type": spec.type, "codec": spec.codec}
    if spec.codec == "adaptive":
        return fields, [adaptive(cell.tolist(), True) for cell in cells]
    floats = spec.type in FLOAT_DTYPE
    rows = [_rotated(cell) if floats else _fold(cell, spec.type)[:, None] for cell in cells]
    if spec.codec == "rans":
        fields["tables"], coder = store.coder(rows, rows[0].shape[1], spec.group)
        return fields, [coder.chunk(planes) for planes in rows]
    if spec.codec == "zstd":
        return fields, [zstandard.ZstdCompressor(level=19).compress(planes.T.tobytes()) for planes in rows]
    if floats:
        return fields, [planes.tobytes() for planes in rows]
    results = []
    for planes in rows:
        bits = BitWriter()
        for z in planes[:, 0].tolist():
            bits.put(z, FIELD_BITS[spec.type])
        results.append(bits.finish())
    return fields, results


def encode_matrix(spec: MatrixSpec, name: str, store: ChunkStore) -> dict[str, Any]:
    """Write the chunks of a matrix; its object in the manifest."""
    keep, cells = kept(spec, name), cuts(spec)
    masks, positions = [], []
    for mask in spec.masks:
        if mask.by == "seeded":
            masks.append({"over": mask.over, "by": "seeded", "seed": mask.seed, "threshold": mask.threshold})
        elif mask.over == "columns":
            fields, (chunk,) = encode_mask(mask, [given(mask.keep)[None, :]], store)
            masks.append(fields | {"chunk": store.add(chunk)})
        else:
            flags = given(mask.keep)
            rows = flags if mask.over == "elements" else flags[:, None]
            parts = [
                rows[start:end] if mask.over == "elements" else rows[start:end].T for start, end in cells
            ]
            fields, blobs = encode_mask(mask, parts, store)
            masks.append(fields)
            positions.append(blobs)
    full = [number for number, (start, end) in enumerate(cells) if keep[start:end].any()]
    # Zeros are values as well: only the cells in which nothing stays become empty.
    data = [spec.data[start:end][keep[start:end]] for start, end in (cells[number] for number in full)]
    fields, values = _encode_values(spec, data or [spec.data[:0, 0]], store)
    if spec.step is not None:
        fields["step"] = spec.step
    if spec.scales is not None:
        fields["scales"] = "rows" if spec.by_rows else "groups"
        if not spec.by_rows:
            fields["group"] = spec.scale_group
    entry: dict[str, Any] = {"values": fields}
    if masks:
        entry["masks"] = masks
    if spec.q is not None:
        entry["q"] = spec.q
    entry["chunk"] = len(store.chunks)
    for number, (start, end) in enumerate(cells):
        if number not in full and not spec.fill:
            store.add(b"")
            continue
        chunk = b"".join(leb128(len(blobs[number])) + blobs[number] for blobs in positions)
        if number in full:
            if spec.scales is not None:
                patterns = cell_scales(spec, keep, start, end).astype(np.int64)
                scales = adaptive(np.diff(patterns, prepend=0).tolist(), True)
                chunk += leb128(len(scales)) + scales
            chunk += values[full.index(number)]
            # A plane of zeros takes no bytes: for signs these are values of 1, but an empty chunk says 0.
            if not chunk and dense(spec, name)[start:end].any():
                raise AssertionError("a chunk of values is empty")
        store.add(chunk)
    return entry


def encode_component(spec: ComponentSpec, name: str, store: ChunkStore) -> dict[str, Any]:
    """Write the chunks of a component; its object in the manifest."""
    if isinstance(spec, SparseSpec):
        return {"kind": "sparse", "matrix": encode_matrix(spec.matrix, name, store)}
    fields: dict[str, Any] = {"kind": "low-rank", "rank": len(spec.left.data)}
    fields["left"] = encode_matrix(spec.left, f"{name}:left", store)
    fields["right"] = encode_matrix(spec.right, f"{name}:right", store)
    if spec.scale is not None:
        fields["scale"] = spec.scale
    return fields
