"""A plot of curves with logarithmic axes, as SVG text; no library needed."""

from __future__ import annotations

import math

WIDTH, HEIGHT = 640, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 96, 16, 48
COLOURS = ("#777777", "#1b6ca8", "#2e8b57", "#c0562f")

Curve = list[tuple[float, float]]


def ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten from low to high."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [value for power in powers for value in (f * 10.0**power for f in (1, 2, 5)) if low <= value <= high]


def svg(curves: dict[str, Curve], x_title: str, y_title: str) -> str:
    """The plot: a dot for each point, a line for each curve, its name at the end."""
    xs = [x for curve in curves.values() for x, _ in curve]
    ys = [y for curve in curves.values() for _, y in curve]
    x_range, y_range = (min(xs) / 1.15, max(xs) * 1.15), (min(ys) / 1.3, max(ys) * 1.3)

    def place(value: float, limits: tuple[float, float], start: float, end: float) -> float:
        share = math.log(value / limits[0]) / math.log(limits[1] / limits[0])
        return start + share * (end - start)

    def x_of(value: float) -> float:
        return place(value, x_range, LEFT, WIDTH - RIGHT)

    def y_of(value: float) -> float:
        return place(value, y_range, HEIGHT - BOTTOM, TOP)

    parts = [
        (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    ]
    for value in ticks(*x_range):
        x = x_of(value)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    for value in ticks(*y_range):
        y = y_of(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for colour, (name, curve) in zip(COLOURS, curves.items(), strict=False):
        points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in curve)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3.5" fill="{colour}"/>' for x, y in curve]
        end = curve[-1]
        parts.append(f'<text x="{x_of(end[0]) + 8:.1f}" y="{y_of(end[1]) + 4:.1f}" fill="{colour}">{name}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{x_title}</text>')
    parts.append(f'<text x="14" y="{HEIGHT / 2}" transform="rotate(-90 14 {HEIGHT / 2})">{y_title}</text></svg>')
    return "\n".join(parts) + "\n"
