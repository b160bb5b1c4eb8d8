"""Small line plots as one SVG file, readable in light and dark, without any library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _COLUMNS = 340, 210, 2
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 26, 34, 44


@dataclass(frozen=True)
class Panel:
    """One curve over logarithmic x; y is logarithmic when it spans more than a decade, else it begins at zero."""

    x: str
    y: str
    points: tuple[tuple[float, float], ...]


def save_plot(path: Path, title: str, panels: Sequence[Panel]) -> None:
    """Write the panels, two in a row."""
    rows = -(-len(panels) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH, rows * _HEIGHT
    style = (
        "text{font:12px sans-serif;fill:#444}path{fill:none;stroke:#1f77b4;stroke-width:2}circle{fill:#1f77b4}"
        "line{stroke:#8886}@media(prefers-color-scheme:dark){text{fill:#ccc}}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
    parts = [f'{head} aria-label="{escape(title)}"><title>{escape(title)}</title><style>{style}</style>']
    for number, panel in enumerate(panels):
        x, y = number % _COLUMNS * _WIDTH, number // _COLUMNS * _HEIGHT
        parts.append(f'<g transform="translate({x},{y})">{_panel(panel)}</g>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def _panel(panel: Panel) -> str:
    xs, ys = (list(values) for values in zip(*panel.points, strict=True))
    logarithmic = max(ys) > 10 * min(ys) > 0
    low, high = (min(ys), max(ys)) if logarithmic else (0.0, max(ys) * 1.1)

    def place(x: float, y: float) -> tuple[float, float]:
        across = math.log(x / min(xs)) / math.log(max(xs) / min(xs))
        up = math.log(y / low) / math.log(high / low) if logarithmic else (y - low) / (high - low)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    at = [place(x, y) for x, y in panel.points]
    floor = _HEIGHT - _BOTTOM
    marks = [f'<line x1="{_LEFT}" y1="{floor}" x2="{_WIDTH - _RIGHT}" y2="{floor}"/>']
    marks += [
        f'<text x="{x:.1f}" y="{floor + 16}" text-anchor="middle">{_short(v)}</text>'
        for v, (x, _) in zip(xs, at, strict=True)
    ]
    for value in (min(ys), max(ys)):
        _, y = place(xs[0], value)
        marks.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>')
        marks.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>')
    line = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in at)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in at)
    names = (
        f'<text x="{_LEFT}" y="18">{escape(panel.y)}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 10}" text-anchor="end">{escape(panel.x)}</text>'
    )
    return f'{"".join(marks)}<path d="{line}"/>{dots}{names}'


def _short(value: float) -> str:
    if value >= 1000 and value % 100 == 0:
        return f"{value / 1000:g}k"
    return f"{value:g}" if value == round(value) else f"{value:.3g}"
