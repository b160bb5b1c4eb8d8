"""Smallest difference for which the word "better" comes four times in five."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

POWER = 0.8
_CHANCES = (np.arange(200) + 0.5) / 200


@dataclass(frozen=True)
class Precision:
    """Precision of one difference of a design.

    Attributes:
        se: Standard error of the difference.
        df: Degrees of freedom of the interval over folds, or of the part over seeds if there is one fold.
        widening: Factor from the standard error to the scale of that interval or part; over 1 where training sets
            overlap.
        recordings: Factor from the standard error to the scale of the interval's part over recordings, which many
            recordings make almost constant; 0 for an interval over folds, which has no such part.
        actual: Factor from the standard error, which the intervals use, to the scatter of the estimate itself; below 1
            where the bootstrap and the interval over seeds count the noise of clips and seeds twice.
        discordance: For accuracy over folds, the share of the recordings on which only one of two arms is right; 0
            for a metric that does not count clips, and for one fold, where the shifts of whole models weigh most.
    """

    se: float
    df: float
    widening: float = 1.0
    recordings: float = 0.0
    actual: float = 1.0
    discordance: float = 0.0

    def se_at(self, difference: float) -> float:
        """Return the standard error for arms that differ by `difference`.

        Arms that differ by `d` disagree on at least `d` of the clips, so a clip's variance is at least `d - d^2`.
        """
        if not 0.0 < self.discordance < difference - difference**2:
            return self.se
        return self.se * math.sqrt((difference - difference**2) / self.discordance)


def power_of_better(difference: float, precision: Precision, pairs: int) -> float:
    """Return the chance that the word is "better" if one arm is better by `difference`.

    The word needs three things: the 95 % interval of the bootstrap clear of zero, the interval over folds or seeds
    clear of zero, and Holm's corrected p below 0.05, of which the first and hardest step is taken: `0.05 / pairs`. The
    estimate is normal about the difference, and the scale of the second interval, or of its part over seeds, varies as
    the root of chi-squared over its degrees of freedom. With one fold Holm corrects the second interval's p too. A
    difference of accuracy above the share of clips on which the arms disagree makes them disagree on more (`se_at`).

    Args:
        difference: True difference of accuracy.
        precision: Precision of the estimate.
        pairs: Number of pairs of arms that Holm's correction covers.
    """
    if precision.se <= 0:
        return 1.0 if difference > 0 else 0.0
    by_recordings = stats.norm.isf(0.025 / pairs)
    tail = 0.025 / pairs if precision.recordings else 0.025
    varying = stats.t.isf(tail, precision.df) * precision.widening
    constant = stats.norm.isf(tail) * precision.recordings
    by_units = np.sqrt(varying**2 * stats.chi2.ppf(_CHANCES, precision.df) / precision.df + constant**2)
    needed = np.maximum(by_recordings, by_units)
    return float(stats.norm.sf((needed - difference / precision.se_at(difference)) / precision.actual).mean())


def detectable(precision: Precision, pairs: int) -> float:
    """Return the smallest difference for which `power_of_better` is 0.8; at most 1, the largest difference there is.

    With many folds, two arms and no overlap it is the textbook's 2.8 standard errors.

    >>> round(detectable(Precision(se=0.01, df=10_000), 1), 3)
    0.028
    """
    if precision.se <= 0:
        return 0.0
    if power_of_better(1.0, precision, pairs) < POWER:
        return 1.0
    return float(optimize.brentq(lambda size: power_of_better(size, precision, pairs) - POWER, 0.0, 1.0, xtol=1e-6))
