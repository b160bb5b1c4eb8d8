"""Distributions of levels (log-spectrogram values) by band: the form in which two measurements are compared."""

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
    """Mean, std, floor share and histogram of each band's levels, as shares `(band, cell)` from `first_cell` on.

    `rms` and `peak` hold the share of clips in each cell of clip level in dBFS (see `clip_levels`). Every entry is a
    share, so weighted sums of distributions are distributions.
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
        """Build the distribution of a measurement, band by band, or with `pooled` as a single band."""
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
        """Mix distributions with weights, such as numbers of frames."""
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
        """Return the shares on the cells `first … stop`, which must contain every occupied cell."""
        left = self.first_cell - first
        return np.pad(self.shares, ((0, 0), (left, stop - first - left - self.shares.shape[1])))


def _weighted(weights: Floats, values: Sequence[Floats]) -> Floats:
    return np.asarray(np.tensordot(weights, np.stack(values), axes=1))


def decayed(
    parts: Sequence[tuple[int, Measurement]], front_end: AnyFrontEnd, decay: float
) -> tuple[Distribution, Distribution]:
    """Distributions by band and pooled of a window's panes, with their numbers, newest first.

    A pane has the weight `decay` relative to the next newer one.
    """
    newest = parts[0][0]
    weighted = [(m.frames * decay ** (newest - number), m) for number, m in parts]
    if decay == 1.0:
        weighted = [(1.0, Measurement.sum(m for _, m in parts))]
    by_band = Distribution.mix([(w, Distribution.of(m, front_end)) for w, m in weighted])
    pooled = Distribution.mix([(w, Distribution.of(m, front_end, pooled=True)) for w, m in weighted])
    return by_band, pooled


def dbfs_mean(shares: Floats) -> float:
    """Return the mean clip level in dBFS."""
    return float(shares @ (dbfs_edges() + 0.5 / CELLS_PER_DB) / max(shares.sum(), 1e-12))


def aligned(a: Distribution, b: Distribution) -> tuple[Floats, Floats]:
    """Return the shares of both distributions on common cells."""
    first = min(a.first_cell, b.first_cell)
    stop = max(a.first_cell + a.shares.shape[1], b.first_cell + b.shares.shape[1])
    return a.within(first, stop), b.within(first, stop)


def population_stability_index(reference: Floats, now: Floats, bins: int = 10) -> Floats:
    """PSI of each band: `Σ (q - p) ln(q / p)` over bins with equal shares of the reference `(band, cell)`.

    Empty bins count as 0.0001, as is usual (Siddiqi 2006, Credit Risk Scorecards). A value below 0.1 is read as no
    change, above 0.25 as a large change.

    Args:
        reference: Shares of the reference, `(band, cell)`.
        now: Shares to compare, `(band, cell)`.
        bins: Number of bins.
    """
    p, q = np.cumsum(reference, axis=1), np.cumsum(now, axis=1)
    result = np.empty(len(p))
    for band in range(len(p)):
        # Neighbouring bin edges in one cell are merged.
        edges = np.unique(np.searchsorted(p[band], np.arange(1, bins) / bins - 1e-12))
        a = np.maximum(np.diff(p[band][edges], prepend=0.0, append=1.0), 1e-4)
        b = np.maximum(np.diff(q[band][edges], prepend=0.0, append=1.0), 1e-4)
        result[band] = ((b - a) * np.log(b / a)).sum()
    return result


def wasserstein(reference: Floats, now: Floats, cell_width: float) -> Floats:
    """Wasserstein-1 distance of each band in the level's unit: the area between the two cumulative distributions."""
    return np.asarray(np.abs(np.cumsum(reference - now, axis=1)).sum(axis=1) * cell_width)


def jensen_shannon(reference: Floats, now: Floats, cells: int = 16) -> Floats:
    """Jensen–Shannon divergence of each band in bits (0: identical, 1: disjoint), over runs of `cells` cells.

    Cells are merged (16 make 1 dB) because the divergence of two samples grows with the number of empty cells.
    """
    padding = -reference.shape[1] % cells
    p, q = (np.pad(x, ((0, 0), (0, padding))).reshape(len(x), -1, cells).sum(axis=2) for x in (reference, now))
    middle = np.maximum((p + q) / 2, 1e-300)
    return np.asarray((_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2)


def _relative_entropy(p: Floats, q: Floats) -> Floats:
    return np.asarray(np.where(p > 0, p * np.log2(np.maximum(p, 1e-300) / q), 0.0).sum(axis=1))
