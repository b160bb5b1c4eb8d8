"""Probabilities that one arm is better by more than a margin, the same, or worse: a Bayesian correlated t test."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from spectronorm.experiment.answer.units import UnitSpread

MARGIN = 0.02
"""Differences of less than two percentage points count as equivalent."""


@dataclass(frozen=True)
class Chances:
    """Posterior probabilities of one arm against another, which add up to 1.

    Attributes:
        better: The arm is better by more than the margin.
        same: The difference is within the margin.
        worse: The arm is worse by more than the margin.
    """

    better: float
    same: float
    worse: float

    @property
    def turned(self) -> Chances:
        """Return the probabilities of the second arm against the first, or of a metric of which less is better."""
        return Chances(self.worse, self.same, self.better)


def chances(spread: UnitSpread, floor: float = 0.0, margin: float = MARGIN) -> Chances:
    """Return the posterior probabilities of a difference, under a flat prior.

    The posterior is Student's t about the difference, with the scale corrected for overlapping training sets (Corani
    and Benavoli 2015; Benavoli, Corani, Demsar and Zaffalon 2017, *Time for a change*). The scale is at least `floor /
    1.96`, so that equal folds never make a certainty.

    Args:
        spread: Distribution of the difference over folds or seeds.
        floor: Least half-width of the 95 % interval, from the discordance.
        margin: Largest difference that counts as the same.
    """
    scale = max(spread.scale, floor / float(stats.norm.isf(0.025)), 1e-12)
    worse = float(stats.t.cdf((-margin - spread.location) / scale, spread.df))
    better = float(stats.t.sf((margin - spread.location) / scale, spread.df))
    return Chances(better, max(0.0, 1.0 - better - worse), worse)
