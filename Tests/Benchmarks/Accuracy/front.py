"""Rows that no other beats."""

from __future__ import annotations


def mark(rows: list[dict], higher_is_better: bool) -> None:
    """Marks the rows that have the best metric, or the least divergence, of all in no more bytes: as `silt sweep` does."""
    sign = -1 if higher_is_better else 1
    for key, loss in (
        ("best_metric", lambda row: sign * row["metric"]["mean"]),
        ("best_divergence", lambda row: row["divergence"]["mean"]),
    ):
        best: tuple[float, float] | None = None
        for row in rows:
            row[key] = False
        for row in sorted(rows, key=lambda row: (row["bytes"]["mean"], loss(row))):
            point = (row["bytes"]["mean"], loss(row))
            if best and (point[1] > best[1] or (point[1] == best[1] and point[0] > best[0])):
                continue
            best, row[key] = point, True
