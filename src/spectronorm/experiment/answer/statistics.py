"""Uncertainty of the differences: a bootstrap over recordings and seeds, and a t interval over folds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from spectronorm.arrays import Floats
from spectronorm.experiment.answer.outcomes import Outcomes

REPLICATES = 10_000
LEVEL = 0.95
_CHUNK = 500


@dataclass(frozen=True)
class Interval:
    """95 % interval, and the two-sided p-value of the hypothesis of zero."""

    low: float
    high: float
    p: float

    @property
    def excludes_zero(self) -> bool:
        """True if zero lies outside the interval."""
        return not self.low <= 0 <= self.high


@dataclass(frozen=True)
class PairedDifference:
    """One arm minus another arm.

    Attributes:
        first: The first arm.
        second: The arm that is subtracted.
        estimate: The mean difference over clips, each averaged over its seeds.
        bootstrap: Interval of the bootstrap over groups crossed with seeds.
        folds: Student's t interval over the differences of the folds; None with a single fold.
        se: Standard error from the bootstrap.
    """

    first: str
    second: str
    estimate: float
    bootstrap: Interval
    folds: Interval | None
    se: float

    @property
    def reversed(self) -> PairedDifference:
        """Return the second arm minus the first."""
        turned = None if self.folds is None else _turned(self.folds)
        return PairedDifference(self.second, self.first, -self.estimate, _turned(self.bootstrap), turned, self.se)


@dataclass(frozen=True, eq=False)
class Resampled:
    """Mean of each arm in each bootstrap replicate, `(arm, replicate)`; all arms share the resamples."""

    outcomes: Outcomes
    means: Floats

    def interval(self, arm: str) -> tuple[float, float]:
        """Return the 95 % interval of one arm's mean."""
        low, high = np.quantile(self.means[self.outcomes.arms.index(arm)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)

    def difference(self, first: str, second: str) -> PairedDifference:
        """Return one arm minus another, paired clip by clip."""
        a, b = (self.outcomes.arms.index(name) for name in (first, second))
        replicates = self.means[a] - self.means[b]
        clips = self.outcomes.of_clips()
        folds = self.outcomes.of_folds()
        return PairedDifference(
            first,
            second,
            float((clips[a] - clips[b]).mean()),
            _percentile_interval(replicates),
            t_interval(folds[a] - folds[b]),
            float(replicates.std(ddof=1)),
        )


def bootstrap(outcomes: Outcomes, *, replicates: int = REPLICATES, seed: int = 0) -> Resampled:
    """Bootstrap the groups and, crossed with the groups, the seeds (Owen 2007, The pigeonhole bootstrap).

    Each replicate draws, with replacement, the full number of groups and the full number of seeds; a clip counts the
    number of times its group was drawn times the number of times the seed was drawn. If clips and seeds interact, the
    intervals are slightly too wide rather than too narrow.

    Args:
        outcomes: Outcomes of all arms.
        replicates: Number of bootstrap replicates.
        seed: Seed of the draws.
    """
    sums, weights = outcomes.group_sums()
    groups, seeds = weights.shape
    generator = np.random.default_rng(seed)
    parts = []
    for begin in range(0, replicates, _CHUNK):
        count = min(_CHUNK, replicates - begin)
        of_groups = generator.multinomial(groups, np.full(groups, 1 / groups), size=count).astype(np.float64)
        of_seeds = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=count).astype(np.float64)
        below = np.einsum("rs,rs->r", of_groups @ weights, of_seeds)
        above = np.stack([np.einsum("rs,rs->r", of_groups @ arm, of_seeds) for arm in sums])
        drawn = below > 0  # A replicate may draw only an unfinished last seed and only recordings that this seed lacks.
        parts.append(above[:, drawn] / below[drawn])
    return Resampled(outcomes, np.concatenate(parts, axis=1))


def t_interval(differences: Floats) -> Interval | None:
    """Student's t interval over folds; None with fewer than two. Equal differences give an interval of width zero."""
    count = len(differences)
    if count < 2:
        return None
    mean, spread = float(differences.mean()), float(differences.std(ddof=1)) / math.sqrt(count)
    if spread < 1e-12:
        return Interval(mean, mean, 1.0 if abs(mean) < 1e-12 else 0.0)
    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * spread
    return Interval(mean - half, mean + half, float(2 * stats.t.sf(abs(mean) / spread, count - 1)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values, which control the chance of rejecting any true null hypothesis.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.array(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(p) for p in adjusted]


def detectable(clips: int, seeds: int, discordance: float) -> float:
    """Smallest difference of accuracy found with 80 % power at the 5 % level: 2.8 standard errors.

    If one arm alone is right on a share `discordance` of `clips` clips, the standard error of the paired difference is
    `sqrt(discordance / clips)`. More seeds reduce it only in part, because a third of the variance belongs to the clips
    (measured with tiny models on ESC-10).

    >>> round(100 * detectable(400, 1, 0.04), 1)
    2.8
    """
    shrunk = 1 / 3 + 2 / 3 / seeds
    return float(stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * math.sqrt(discordance * shrunk / clips)


def _percentile_interval(replicates: Floats) -> Interval:
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    tail = min(np.count_nonzero(replicates <= 0), np.count_nonzero(replicates >= 0))
    return Interval(float(low), float(high), min(1.0, 2 * (tail + 1) / (len(replicates) + 1)))


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.high, -interval.low, interval.p)
