"""Uncertainty of the differences: a bootstrap over recordings and seeds, and a t interval over folds or seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.experiment.answer.chances import Chances, chances
from spectronorm.experiment.answer.discordance import discordance, half_width_floor, mean_squared_difference
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.units import LEVEL, Interval, UnitSpread, unit_spread, what_is_missing

REPLICATES = 10_000
_CHUNK = 500


@dataclass(frozen=True)
class PairedDifference:
    """One arm minus another arm.

    Attributes:
        first: The first arm.
        second: The arm that is subtracted.
        estimate: The mean difference over clips, each averaged over its seeds.
        bootstrap: Interval of the bootstrap over groups crossed with seeds.
        spread: Student's t distribution over folds, or over seeds if there is one fold; None with one fold and one
            seed.
        se: Standard error from the bootstrap.
        discordance: Mean over recordings of the squared difference: for accuracy, the share of the recordings on which
            only one of the two arms is right.
        floor: Least half-width of an interval that calls the arms equivalent.
        missing: What the run lacks for a word about the two arms; "" if nothing.
        chances: Probabilities that the first arm is better by more than the margin, the same, or worse; None with one
            fold and one seed.
    """

    first: str
    second: str
    estimate: float
    bootstrap: Interval
    spread: UnitSpread | None
    se: float
    discordance: float = 0.0
    floor: float = 0.0
    missing: str = ""
    chances: Chances | None = None

    @property
    def units(self) -> Interval | None:
        """Student's t interval over folds, or over seeds if there is one fold; None with one fold and one seed."""
        return None if self.spread is None else self.spread.interval

    @property
    def reversed(self) -> PairedDifference:
        """Return the second arm minus the first."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            estimate=-self.estimate,
            bootstrap=_turned(self.bootstrap),
            spread=None if self.spread is None else replace(self.spread, location=-self.spread.location),
            chances=None if self.chances is None else self.chances.turned,
        )


@dataclass(frozen=True, eq=False)
class Resampled:
    """Mean of each arm in each bootstrap replicate, `(arm, replicate)`; all arms share the resamples."""

    outcomes: Outcomes
    means: Floats

    def interval(self, arm: str) -> tuple[float, float]:
        """Return the 95 % interval of one arm's mean; if all recordings are alike, of what others may be."""
        found = _percentile_interval(self.means[self.outcomes.arms.index(arm)])
        if found.low < found.high or not self.outcomes.reach:
            return found.low, found.high
        floor = half_width_floor(0.0, self.outcomes.n_groups, reach=self.outcomes.reach)
        return max(found.low - floor, min(found.low, 0.0)), min(found.high + floor, max(found.high, 1.0))

    def difference(self, first: str, second: str) -> PairedDifference:
        """Return one arm minus another, paired clip by clip."""
        a, b = (self.outcomes.arms.index(name) for name in (first, second))
        replicates = self.means[a] - self.means[b]
        difference = self.outcomes.values[a] - self.outcomes.values[b]
        spread = unit_spread(difference, self.outcomes)
        square = mean_squared_difference(difference, self.outcomes)
        floor = half_width_floor(square, self.outcomes.n_groups, reach=self.outcomes.reach)
        return PairedDifference(
            first,
            second,
            float(np.nanmean(difference, axis=1).mean()),
            _no_certainty(_percentile_interval(replicates), floor),
            spread,
            float(replicates.std(ddof=1)),
            discordance(difference, self.outcomes),
            floor,
            what_is_missing(self.outcomes),
            None if spread is None else chances(spread, floor),
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


def _percentile_interval(replicates: Floats) -> Interval:
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    tail = min(np.count_nonzero(replicates <= 0), np.count_nonzero(replicates >= 0))
    return Interval(float(low), float(high), min(1.0, 2 * (tail + 1) / (len(replicates) + 1)))


def _no_certainty(found: Interval, floor: float) -> Interval:
    """Return an interval of width zero with the half-width that the discordance allows; others as they are."""
    return found if found.low < found.high else replace(found, low=found.low - floor, high=found.high + floor)


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.high, -interval.low, interval.p)
