"""Levels by band as distributions: what two measurements are compared as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.front_end import AnyFrontEnd
from spectronorm.profile import Measurement, Statistics
from spectronorm.profile.counting.clip_histograms import CELLS_PER_DB, dbfs_edges


@dataclass(frozen=True, eq=False)
class Distribution:
    """The levels of each band: mean, std, floor share and a histogram of shares `(band, cell)` from `first_cell` on.

    `rms` and `peak` are shares of clips per cell of their level in dBFS (see `clip_levels`). Everything is a share, so
    weighted sums of distributions are distributions.
    """

    mean: Floats
    std: Floats
    floor_share: Floats
    first_cell: int
    shares: Floats
    rms: Floats
    peak: Floats

    @classmethod
    def of(cls, measurement: Measurement, front_end: AnyFrontEnd, *, pooled: bool = False) -> Distribution:
        """What was measured, band by band; `pooled` as one band."""
        m = measurement.pooled() if pooled else measurement
        statistics = Statistics(m, front_end.grid)
        return cls(
            np.asarray(statistics.mean),
            np.asarray(statistics.std),
            np.asarray(statistics.floor_share),
            m.first_cell,
            m.histogram / m.count[:, None],
            m.rms / m.clips,
            m.peak / m.clips,
        )

    @classmethod
    def mix(cls, parts: Sequence[tuple[float, Distribution]]) -> Distribution:
        """Several with their weights, such as frames."""
        weights = np.array([weight for weight, _ in parts])
        weights = weights / weights.sum()
        first = min(part.first_cell for _, part in parts)
        stop = max(part.first_cell + part.shares.shape[1] for _, part in parts)
        shares = sum(w * part.within(first, stop) for w, (_, part) in zip(weights, parts, strict=True))
        mean = _weighted(weights, [part.mean for _, part in parts])
        square = _weighted(weights, [part.std**2 + part.mean**2 for _, part in parts])
        return cls(
            mean,
            np.sqrt(np.maximum(square - mean**2, 0.0)),
            _weighted(weights, [part.floor_share for _, part in parts]),
            first,
            np.asarray(shares),
            _weighted(weights, [part.rms for _, part in parts]),
            _weighted(weights, [part.peak for _, part in parts]),
        )

    def within(self, first: int, stop: int) -> Floats:
        """The shares on the cells `first … stop`, which must contain all that are in use."""
        left = self.first_cell - first
        return np.pad(self.shares, ((0, 0), (left, stop - first - left - self.shares.shape[1])))


def _weighted(weights: Floats, values: Sequence[Floats]) -> Floats:
    return np.asarray(np.tensordot(weights, np.stack(values), axes=1))


def dbfs_mean(shares: Floats) -> float:
    """The mean of clip levels in dBFS."""
    return float(shares @ (dbfs_edges() + 0.5 / CELLS_PER_DB) / max(shares.sum(), 1e-12))


def aligned(a: Distribution, b: Distribution) -> tuple[Floats, Floats]:
    """The shares of both on the same cells."""
    first = min(a.first_cell, b.first_cell)
    stop = max(a.first_cell + a.shares.shape[1], b.first_cell + b.shares.shape[1])
    return a.within(first, stop), b.within(first, stop)


def population_stability_index(reference: Floats, now: Floats, bins: int = 10) -> Floats:
    """PSI of each band: `Σ (q - p) ln(q / p)` over bins that hold equal shares of the reference `(band, cell)`.

    Bins that are empty count as a ten-thousandth, as is usual (Siddiqi 2006, Credit Risk Scorecards). Below 0.1 is
    taken for no change, above 0.25 for a large one.
    """
    p, q = np.cumsum(reference, axis=1), np.cumsum(now, axis=1)
    result = np.empty(len(p))
    for band in range(len(p)):
        # Cells that hold more than one bin's share make one bin.
        edges = np.unique(np.searchsorted(p[band], np.arange(1, bins) / bins - 1e-12))
        a = np.maximum(np.diff(p[band][edges], prepend=0.0, append=1.0), 1e-4)
        b = np.maximum(np.diff(q[band][edges], prepend=0.0, append=1.0), 1e-4)
        result[band] = ((b - a) * np.log(b / a)).sum()
    return result


def wasserstein(reference: Floats, now: Floats, cell_width: float) -> Floats:
    """Wasserstein-1 of each band in the level's unit: the area between the two cumulative distributions."""
    return np.asarray(np.abs(np.cumsum(reference - now, axis=1)).sum(axis=1) * cell_width)


def jensen_shannon(reference: Floats, now: Floats, cells: int = 16) -> Floats:
    """Jensen-Shannon divergence of each band in bits (0 the same, 1 disjoint), over runs of `cells` cells.

    Cells are run together (16 are 1 dB) because the divergence of two samples grows with the number of empty cells.
    """
    padding = -reference.shape[1] % cells
    p, q = (np.pad(x, ((0, 0), (0, padding))).reshape(len(x), -1, cells).sum(axis=2) for x in (reference, now))
    middle = np.maximum((p + q) / 2, 1e-300)
    return np.asarray((_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2)


def _relative_entropy(p: Floats, q: Floats) -> Floats:
    return np.asarray(np.where(p > 0, p * np.log2(np.maximum(p, 1e-300) / q), 0.0).sum(axis=1))
