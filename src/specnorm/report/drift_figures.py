"""Pictures of drift: bands over time, and the two distributions."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from specnorm.front_end import FrontEnd
from specnorm.monitor import Monitor
from specnorm.monitor.distribution import Distribution
from specnorm.report.figures import label_hz, new_figure

_HIGHEST = 2.0  # standard deviations at the ends of the colours


def band_history(monitor: Monitor) -> bytes:
    """PNG: the shift of each band's mean over time as a heat map, and the statistic below it."""
    figure = new_figure(9, 6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    history = monitor.history
    ends = np.concatenate([[0], np.cumsum(history.clips)])
    if len(history.clips):
        edges = np.arange(monitor.profile.front_end.n_bands + 1) - 0.5
        image = upper.pcolormesh(ends, edges, history.shift.T, cmap="RdBu_r", vmin=-_HIGHEST, vmax=_HIGHEST)
        figure.colorbar(image, ax=upper, label="shift of the mean (training σ)")
        lower.stairs(history.statistic, ends, color="0.2")
    upper.set_ylabel("band")
    lower.axhline(monitor.threshold, color="tab:red", linestyle="--", label="threshold")
    lower.legend(loc="upper left")
    lower.set_ylabel("statistic")
    lower.set_ylim(bottom=0)
    lower.set_xlabel("clips")
    return _png(figure)


def two_distributions(monitor: Monitor) -> bytes:
    """PNG: mean and std of each band, and all levels pooled, in training and now."""
    front_end = monitor.profile.front_end
    figure = new_figure(9, 6)
    by_band, pooled = figure.subplots(2, 1, height_ratios=(3, 2))
    bands = np.arange(front_end.n_bands)
    then = Distribution.of(monitor.profile.total, front_end)
    for distribution, name, colour in ((then, "training", "tab:blue"), (monitor.distribution(), "now", "tab:orange")):
        low, high = distribution.mean - distribution.std, distribution.mean + distribution.std
        by_band.fill_between(bands, low, high, alpha=0.25, step="mid", color=colour)
        by_band.plot(bands, distribution.mean, drawstyle="steps-mid", color=colour, label=f"{name}: mean ± std")
    by_band.set_ylabel(f"level ({front_end.compress.unit})")
    by_band.legend(loc="upper right")
    label_hz(by_band, front_end)
    all_then = Distribution.of(monitor.profile.total, front_end, pooled=True)
    for distribution, name, colour in (
        (all_then, "training", "tab:blue"),
        (monitor.distribution(pooled=True), "now", "tab:orange"),
    ):
        levels, shares = _coarse(distribution, front_end)
        pooled.fill_between(levels, 100 * shares, step="mid", alpha=0.4, color=colour, label=name)
    pooled.set_xlabel(f"level, all bands ({front_end.compress.unit})")
    pooled.set_ylabel("cells (%)")
    pooled.legend(loc="upper left")
    return _png(figure)


def _coarse(distribution: Distribution, front_end: FrontEnd, cells: int = 16) -> tuple[Any, Any]:
    """Levels and shares over runs of 16 cells."""
    shares = distribution.shares[0]
    padded = np.pad(shares, (0, -len(shares) % cells)).reshape(-1, cells).sum(axis=1)
    first = distribution.first_cell + cells / 2
    return (first + cells * np.arange(len(padded))) * front_end.grid.cell_width, padded


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
