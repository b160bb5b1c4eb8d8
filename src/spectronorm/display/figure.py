"""Figures of matplotlib (extra `report`): made, labelled and written."""

from __future__ import annotations

import io
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.errors import MissingExtra
from spectronorm.front_end import AnyFrontEnd
from spectronorm.printable import printable
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.content import Content

_LONGEST = 48
"""Longest label in letters; longer ones would leave no room for a drawing."""


def as_label(name: str) -> str:
    """A name as matplotlib shows it: short, a dollar sign begins no formula, and an underscore hides no legend."""
    text = printable(name)
    text = (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…").replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def lowest_to_highest(values: Any) -> str:
    """Return the lowest and the highest of an array's values as a label, with true minus signs.

    >>> lowest_to_highest(np.array([-1.5, 0.0, 2.25]))
    '−1.50 … 2.25'
    """
    return f"{values.min():.2f} … {values.max():.2f}".replace("-", "−")


def label_hz(axis: Any, front_end: AnyFrontEnd) -> None:
    """Label the horizontal axis with bands and, where they are known, their frequencies."""
    hz = front_end.band_hz()
    ticks = np.linspace(0, len(hz) - 1, min(9, len(hz))).round().astype(int)
    axis.set_xticks(ticks, [f"{tick}" if np.isnan(hz[tick]) else f"{tick}\n{hz[tick]:.0f} Hz" for tick in ticks])
    axis.set_xlabel("band" if np.isnan(hz[ticks]).any() else "band, and its frequency")


def new_figure(width: float, height: float) -> Any:
    """Create an empty figure of this size in inches; a notebook shows it and its axes, whatever the backend.

    Raises:
        MissingExtra: if matplotlib is not installed.
    """
    return _figure_class()(figsize=(width, height), layout="constrained")


@cache
def _figure_class() -> Any:
    try:
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure
    except (ImportError, OSError):
        raise MissingExtra("Drawing", "report") from None

    class NotebookAxes(Axes):
        """Axes that a notebook shows as the picture that they are in."""

        def _repr_png_(self) -> bytes | None:
            return figure_png(self.figure) if isinstance(self.figure, NotebookFigure) else None

    class NotebookFigure(Figure):
        """Figure without a window, as PNG in a notebook."""

        def add_subplot(self, *places: Any, **settings: Any) -> Any:
            if "projection" not in settings and "polar" not in settings:
                settings.setdefault("axes_class", NotebookAxes)
            return super().add_subplot(*places, **settings)

        def _repr_png_(self) -> bytes:
            return figure_png(self)

    return NotebookFigure


def figure_png(figure: Any) -> bytes:
    """Return a figure as a PNG; a letter that the font lacks is drawn as a box, without a warning."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(buffer, format="png", dpi=110, metadata={"Software": "spectronorm"})
    return buffer.getvalue()


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as PNG, atomically."""
    drawn = figure_png(figure)
    with atomic_write(path, Content.PICTURE) as file:
        file.write(drawn)
