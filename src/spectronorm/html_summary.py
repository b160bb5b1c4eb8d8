"""HTML summaries for notebooks: a table of facts, and bands as a small drawing, in at most 8 kB."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from spectronorm.printable import printable

MOST_HTML_BYTES, _FOR_THE_END = 8000, 100
_WIDTH, _HEIGHT, _LEFT, _POINTS = 360, 120, 66, 100
MOST_ROWS, _MOST_CELL, _MOST_COLUMNS, _MOST_IN_COLUMN = 20, 120, 8, 40


def html_table(title: str, facts: Iterable[tuple[str, object]]) -> str:
    """Return a table with a title and one row for each fact; names and values are escaped and long ones cut."""
    rows = list(facts)
    more = f"<tr><td colspan=2>… and {len(rows) - MOST_ROWS} more</td></tr>" if len(rows) > MOST_ROWS else ""
    cells = "".join(f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows[:MOST_ROWS])
    return f"<table><caption>{_text(title)}</caption>{cells}{more}</table>"


def html_columns(title: str, names: Sequence[str], rows: Sequence[Sequence[object]], total: int) -> str:
    """Return a table with a heading for each column, and the rows that fit; the rest of `total` are counted."""
    shown = names[:_MOST_COLUMNS]
    head = "".join(f'<th scope="col">{_text(name, _MOST_IN_COLUMN)}</th>' for name in shown)
    html, written = f"<table><caption>{_text(title)}</caption><tr>{head}</tr>", 0
    for row in rows[:MOST_ROWS]:
        line = f"<tr>{''.join(f'<td>{_text(value, _MOST_IN_COLUMN)}</td>' for value in row[: len(shown)])}</tr>"
        if len((html + line).encode()) > MOST_HTML_BYTES - _FOR_THE_END:
            break
        html, written = html + line, written + 1
    more = f"<tr><td colspan={len(shown)}>… and {total - written} more</td></tr>" if total > written else ""
    return f"{html}{more}</table>"


def band_svg(mean: ArrayLike, std: ArrayLike, unit: str, hz: ArrayLike = ()) -> str:
    """Return a drawing of mean ± std by band, with the levels at its left and the frequencies below.

    Args:
        mean: Mean of each band, `(band,)`.
        std: Standard deviation of each band, `(band,)`.
        unit: Unit of the level.
        hz: Centre frequency of each band in Hz, or nothing.
    """
    middle, spread = np.asarray(mean, dtype=np.float64).ravel(), np.asarray(std, dtype=np.float64).ravel()
    chosen = np.unique(np.linspace(0, len(middle) - 1, min(_POINTS, len(middle))).round().astype(int))
    low, high = float((middle - spread).min()), float((middle + spread).max())
    scale = _HEIGHT / max(high - low, 1e-9)
    x = _LEFT + chosen * (_WIDTH / max(len(middle) - 1, 1))

    def line(values: np.ndarray) -> list[str]:
        return [f"{at:.0f},{(high - value) * scale:.0f}" for at, value in zip(x, values[chosen], strict=True)]

    area = " ".join([*line(middle + spread), *reversed(line(middle - spread))])
    centres = np.asarray(hz, dtype=np.float64).ravel()
    known = centres.size > 0 and bool(np.isfinite(centres[[0, -1]]).all())
    ends = [f"{centres[0]:,.0f} Hz", f"{centres[-1]:,.0f} Hz"] if known else ["band 0", f"band {len(middle) - 1}"]
    label = f"Mean and standard deviation by band, {low:.1f} to {high:.1f} {unit}"
    right, below = _LEFT + _WIDTH, _HEIGHT + 14
    texts = [(_LEFT - 4, 10, f"{high:.1f} {unit}", "end"), (_LEFT - 4, _HEIGHT, f"{low:.1f} {unit}", "end")]
    texts += [(_LEFT, below, ends[0], "start"), (right, below, ends[1], "end")]
    texts += [((_LEFT + right) // 2, below, "mean ± std by band", "middle")]
    written = "".join(
        f'<text x="{left}" y="{top}" font-size="10" text-anchor="{anchor}">{_text(text)}</text>'
        for left, top, text, anchor in texts
    )
    return (
        f'<svg role="img" aria-label="{_text(label)}" width="{right}" height="{_HEIGHT + 20}" fill="currentColor">'
        f'<polygon points="{area}" fill="#47a" fill-opacity="0.25"/>'
        f'<polyline points="{" ".join(line(middle))}" fill="none" stroke="#47a" stroke-width="1.5"/>{written}</svg>'
    )


def _text(value: object, most: int = _MOST_CELL) -> str:
    text = printable(str(value)[: most + 1])
    return escape(text if len(text) <= most else f"{text[:most]}…")
