"""Figures of drift: bands over time, the two distributions, and the figures by band."""

from __future__ import annotations

from typing import Any

import numpy as np

from spectronorm.counted import frequency
from spectronorm.display.figure import figure_png, label_hz, new_figure
from spectronorm.front_end import AnyFrontEnd
from spectronorm.monitor import BandDrift, Monitor
from spectronorm.monitor.change.distribution import Distribution

_HIGHEST = 2.0  # standard deviations at the ends of the colour scale
_SIZE = (7.5, 5.5)  # inches, so that labels are readable on a narrow screen


def band_history(monitor: Monitor) -> bytes:
    """Draw the shift of each band's mean over time as a heat map, and the statistic below it; returns PNG bytes."""
    figure = new_figure(*_SIZE)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    history = monitor.history_so_far()
    ends = np.concatenate([[0], np.cumsum(history.clips)])
    edges = np.arange(monitor.profile.front_end.n_bands + 1) - 0.5
    image = upper.pcolormesh(ends, edges, history.shift.T, cmap="RdBu_r", vmin=-_HIGHEST, vmax=_HIGHEST)
    figure.colorbar(image, ax=upper, label="shift of the mean (training σ)", extend="both")
    hz = monitor.profile.front_end.band_hz()
    ticks = np.linspace(0, len(hz) - 1, min(7, len(hz))).round().astype(int)
    upper.set_yticks(ticks, [frequency(hz[tick], str(tick)) for tick in ticks])
    upper.set_ylabel("band" if np.isnan(hz).any() else "band (Hz)")
    lower.stairs(history.statistic, ends, color="0.2")
    lower.axhline(monitor.threshold, color="tab:red", linestyle="--", label="threshold")
    lower.legend(loc="upper left")
    lower.set_ylabel("statistic")
    lower.set_ylim(bottom=0)
    lower.set_xlabel("clips")
    return figure_png(figure)


def two_distributions(monitor: Monitor) -> bytes:
    """Draw mean and std of each band, and all levels above the floor, in training and now; returns PNG bytes."""
    front_end = monitor.profile.front_end
    figure = new_figure(*_SIZE)
    by_band, pooled = figure.subplots(2, 1, height_ratios=(3, 2))
    bands = np.arange(front_end.n_bands)
    total = monitor.profile.total
    for name, colour, distribution, all_bands in (
        ("training", "tab:blue", Distribution.of(total, front_end), Distribution.of(total, front_end, pooled=True)),
        ("now", "tab:orange", monitor.distribution(), monitor.distribution(pooled=True)),
    ):
        low, high = distribution.mean - distribution.std, distribution.mean + distribution.std
        by_band.fill_between(bands, low, high, alpha=0.25, step="mid", color=colour)
        by_band.plot(bands, distribution.mean, drawstyle="steps-mid", color=colour, label=f"{name}: mean ± std")
        levels, shares = _above_floor(all_bands, front_end)
        label = f"{name} ({all_bands.floor_share[0]:.1%} on the floor)"
        pooled.fill_between(levels, 100 * shares, step="mid", alpha=0.4, color=colour, label=label)
    by_band.set_ylabel(f"level ({front_end.unit})")
    by_band.legend(loc="best")
    label_hz(by_band, front_end)
    pooled.set_xlabel(f"level, all bands ({front_end.unit})")
    pooled.set_ylabel("cells (%)")
    pooled.set_ylim(bottom=0)
    pooled.legend(loc="best")
    return figure_png(figure)


def drift_by_band(monitor: Monitor, found: BandDrift) -> bytes:
    """Draw mean shift with its 95 % interval, std ratio, PSI and Wasserstein-1 by band; returns PNG bytes."""
    front_end = monitor.profile.front_end
    figure = new_figure(_SIZE[0], 6.5)
    shift, ratio, psi, distance = figure.subplots(4, 1, sharex=True, height_ratios=(3, 2, 2, 2))
    bands = np.arange(front_end.n_bands)
    margin = np.where(np.isfinite(found.mean_shift_se), 1.96 * found.mean_shift_se, 0.0)
    shift.fill_between(bands, found.mean_shift - margin, found.mean_shift + margin, alpha=0.3, step="mid")
    for axis, values, reference, label in (
        (shift, found.mean_shift, 0.0, "mean (training σ)"),
        (ratio, found.std_ratio, 1.0, "std ratio"),
        (psi, found.psi, 0.0, "PSI"),
        (distance, found.wasserstein, 0.0, f"Wasserstein-1 ({front_end.unit})"),
    ):
        axis.axhline(reference, color="0.6", linewidth=1)
        axis.plot(bands, values, drawstyle="steps-mid", color="tab:blue")
        axis.set_ylabel(label)
    psi.axhline(0.25, color="tab:red", linestyle="--", linewidth=1)
    figure.align_ylabels()
    label_hz(distance, front_end)
    return figure_png(figure)


def _above_floor(distribution: Distribution, front_end: AnyFrontEnd, cells: int = 16) -> tuple[Any, Any]:
    """Levels and shares over runs of `cells` cells, without the floor, which would dwarf the rest."""
    shares = distribution.shares[0].copy()
    lowest = int(np.flatnonzero(shares)[0])
    shares[lowest] = max(shares[lowest] - distribution.floor_share[0], 0.0)
    padded = np.pad(shares, (0, -len(shares) % cells)).reshape(-1, cells).sum(axis=1)
    first = distribution.first_cell + cells / 2
    return (first + cells * np.arange(len(padded))) * front_end.grid.cell_width, padded
