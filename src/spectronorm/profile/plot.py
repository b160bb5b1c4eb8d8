"""Plot of statistics by band: mean, deviation and extremes, and the share of cells on the floor (extra `report`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from spectronorm.display.figure import label_hz, new_figure
from spectronorm.front_end import AnyFrontEnd
from spectronorm.profile.statistics import Statistics


def plot_bands(band: Statistics, front_end: AnyFrontEnd, title: str = "", ax: Any = None) -> Any:
    """Draw statistics by band, and return the axes of the levels.

    Args:
        band: Statistics of each band.
        front_end: Front end of the levels, for frequencies and the unit.
        title: Title of the axes.
        ax: Axes to draw the levels on; by default those of a new figure, with the share on the floor below them.

    Raises:
        MissingExtra: if matplotlib is not installed.
    """
    bands = np.arange(front_end.n_bands)
    levels, lowest = (ax, ax) if ax is not None else _panels(bands, band)
    levels.fill_between(bands, band.min, band.max, color="0.9", label="min … max", step="mid")
    levels.fill_between(bands, band.mean - band.std, band.mean + band.std, alpha=0.35, label="mean ± std", step="mid")
    levels.plot(bands, band.mean, label="mean", drawstyle="steps-mid")
    levels.set_ylabel(f"level ({front_end.unit})")
    levels.legend(loc="upper right")
    levels.set_title(title)
    label_hz(lowest, front_end)
    return levels


def _panels(bands: Any, band: Statistics) -> tuple[Any, Any]:
    levels, floors = new_figure(9, 6).subplots(2, 1, sharex=True, height_ratios=(4, 1))
    floors.fill_between(bands, 100 * band.floor_share, step="mid", color="0.5")
    floors.set_ylabel("floor (%)")
    floors.set_ylim(0, 100)
    return levels, floors
