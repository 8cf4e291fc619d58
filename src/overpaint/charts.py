"""Line charts as SVG, drawn here: a page that works without a network needs no more."""

import html
from dataclasses import dataclass

_WIDE, _HIGH, _LEFT, _LOW, _TOP = 460, 220, 46, 22, 10
# Distinguishable in light and dark, and by people who see few colours.
_COLOURS = ("#c8623a", "#3a86c8", "#7a9a2e", "#9a5fb4")


@dataclass(frozen=True)
class Curve:
    """A name and points (x, y)."""

    name: str
    points: list[tuple[float, float]]


def line_chart(title: str, curves: list[Curve]) -> str:
    """Curves over pictures seen; thin where they are raw, bold where they are a running mean."""
    points = [point for curve in curves for point in curve.points]
    if not points:
        return ""
    right = max(x for x, _ in points) or 1
    low, high = _range([y for _, y in points])

    def place(x: float, y: float) -> str:
        across = _LEFT + (_WIDE - _LEFT - 8) * x / right
        down = _TOP + (_HIGH - _TOP - _LOW) * (1 - (min(max(y, low), high) - low) / (high - low))
        return f"{across:.1f},{down:.1f}"

    lines, keys = [], []
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        many = len(curve.points) > 30
        raw = " ".join(place(x, y) for x, y in _thinned(curve.points))
        lines.append(f'<polyline points="{raw}" fill="none" stroke="{colour}" stroke-width="{0.6 if many else 2}"/>')
        if many:
            mean = " ".join(place(x, y) for x, y in _thinned(_running_mean(curve.points)))
            lines.append(f'<polyline points="{mean}" fill="none" stroke="{colour}" stroke-width="2"/>')
        keys.append(f'<b style="color:{colour}">{html.escape(curve.name)}</b> {curve.points[-1][1]:.3g}')
    bottom = _HIGH - _LOW
    return (
        f'<p class="key">{html.escape(title)}: {", ".join(keys)}</p>'
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{html.escape(title)}">'
        f'<path class="axis" fill="none" d="M{_LEFT} {_TOP}V{bottom}H{_WIDE - 8}"/>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 10}" text-anchor="end">{high:.3g}</text>'
        f'<text x="{_LEFT - 6}" y="{bottom}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{_LEFT}" y="{_HIGH - 6}">0</text>'
        f'<text x="{_WIDE - 8}" y="{_HIGH - 6}" text-anchor="end">{right:,.0f} pictures</text>{"".join(lines)}</svg>'
    )


def _range(values: list[float]) -> tuple[float, float]:
    """From the lowest to the 99th percentile, so that a first spike does not flatten the rest."""
    ordered = sorted(values)
    low, high = min(0.0, ordered[0]), ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return (low, high) if high > low else (low, low + 1)


def _running_mean(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    window = max(2, len(points) // 25)
    means, total = [], 0.0
    for number, (x, y) in enumerate(points):
        total += y - (points[number - window][1] if number >= window else 0)
        means.append((x, total / min(number + 1, window)))
    return means


def _thinned(points: list[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    step = max(1, len(points) // most)
    return points[::step]
