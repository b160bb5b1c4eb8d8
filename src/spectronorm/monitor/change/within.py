"""Features of the training clips, and how those of a window differ: what no histogram of a range holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.clips.features import band_ranges, columns_of
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.short_repr import with_short_repr

_MOST_ROWS = 60
LEVELS = ("quiet", "level", "loud")


def parts_of(ranges: int) -> list[NDArray[np.int64]]:
    """The lowest two ranges, where hum is, the rest of the lower half, and the upper half."""
    return [part for part in np.split(np.arange(ranges), [2, max(ranges // 2, 2)]) if len(part)]


@with_short_repr
@dataclass(frozen=True, eq=False)
class KnownClips:
    """The training clips, as far as causes are judged by them.

    Attributes:
        levels: Quiet moments, mean and loud moments `(clip, range, 3)` of some of the clips, in dB.
        hz: Centre frequency of each range.
        figures: Matrix that takes features to the figures that causes explain.
        mean: Mean of the figures.
        covariance: Covariance of the figures over clips.
        between_groups: Share of that covariance by which the groups' means differ beyond chance.
        deviation: Standard deviation of each feature over clips.
    """

    levels: Floats
    hz: Floats
    figures: Floats
    mean: Floats
    covariance: Floats
    between_groups: float
    deviation: Floats
    n_bands: int

    @classmethod
    def of(cls, baseline: Baseline, decibels: float) -> KnownClips:
        """Look at the training clips; `decibels` is what a unit of level is worth."""
        n_bands = baseline.front_end.n_bands
        ranges = band_ranges(n_bands)
        hz = np.array([float(baseline.front_end.band_hz()[r].mean()) for r in ranges])
        order = np.argsort(baseline.rows[:, columns_of(n_bands, "level")].mean(axis=1), kind="stable")
        some = order[np.linspace(0, len(order) - 1, min(_MOST_ROWS, len(order))).astype(int)]
        columns = [columns_of(n_bands, name) for name in LEVELS]
        levels = np.stack([baseline.rows[np.ix_(some, c)] for c in columns], axis=2) * decibels
        figures = _figures(n_bands, baseline.rows.shape[1], decibels)
        values = baseline.rows @ figures.T
        parts = [values[baseline.folds == fold] for fold in np.unique(baseline.folds)]
        apart = np.stack([part.mean(axis=0) for part in parts]).var(axis=0, ddof=min(1, len(parts) - 1))
        chance = np.mean([part.var(axis=0) / len(part) for part in parts], axis=0)
        variance = np.maximum(values.var(axis=0), 1e-9)
        return cls(
            levels,
            hz,
            figures,
            values.mean(axis=0),
            np.atleast_2d(np.cov(values.T)),
            float(np.clip(np.mean((apart - chance) / variance), 0.0, 1.0)),
            baseline.rows.std(axis=0),
            n_bands,
        )

    def spread(self, moments: FeatureMoments, name: str) -> Floats:
        """Logarithm of the ratio of clips' deviations, now and then, in each part of the ranges."""
        columns = columns_of(self.n_bands, name)
        ratio = np.log((moments.deviation[columns] + 0.5) / (self.deviation[columns] + 0.5))
        return np.array([ratio[part].mean() for part in parts_of(len(ratio))])


def _figures(n_bands: int, features: int, decibels: float) -> Floats:
    """The levels range by range, flux and steadiest band in parts, RMS, crest and onset, from features."""
    ranges = len(band_ranges(n_bands))
    rows = []
    for r in range(ranges):
        rows += [_row(features, columns_of(n_bands, name)[[r]], decibels) for name in LEVELS]
    for name in ("flux", "steadiest"):
        columns = columns_of(n_bands, name)
        rows += [_row(features, columns[part], decibels) for part in parts_of(ranges)]
    rows += [_row(features, columns_of(n_bands, name), 1.0) for name in ("RMS", "crest", "onset")]
    return np.stack(rows)


def _row(features: int, columns: np.ndarray, weight: float) -> Floats:
    row = np.zeros(features)
    row[columns] = weight / len(columns)
    return row


@with_short_repr
@dataclass(frozen=True, eq=False)
class Within:
    """Differences between a window's clips and the training clips.

    Attributes:
        known: The training clips.
        moved: Change of the figures.
        quiet_spread: Logarithm of the ratio of clips' deviations of quiet moments, now and then, in each part of the
            ranges.
        loud_spread: That of loud moments.
        tops: Change of the logarithm (to base 10) of the share of samples near a clip's peak.
        tops_deviation: Standard deviation of that logarithm over training clips.
    """

    known: KnownClips
    moved: Floats
    quiet_spread: Floats
    loud_spread: Floats
    tops: float
    tops_deviation: float

    @classmethod
    def of(cls, known: KnownClips, then: Floats, moments: FeatureMoments) -> Within:
        """Compare a window's moments with the means `then` of the training clips' features."""
        tops = columns_of(known.n_bands, "flat tops")[0]
        return cls(
            known,
            known.figures @ moments.mean - known.mean,
            known.spread(moments, "quiet"),
            known.spread(moments, "loud"),
            float(moments.mean[tops] - then[tops]),
            float(known.deviation[tops]),
        )
