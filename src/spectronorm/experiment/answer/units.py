"""Distribution of a difference from its units of training: folds, or seeds and recordings if there is one fold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from spectronorm.arrays import Floats
from spectronorm.experiment.answer.outcomes import Outcomes

LEVEL = 0.95
_TAIL = (1 - LEVEL) / 2
FEWEST_GROUPS = 10
"""With fewer recordings or speakers in a fold no word is given: the bootstrap over so few rejects too often."""


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
class UnitSpread:
    """Student's t distribution of a difference, from the units of training.

    Attributes:
        units: `folds` or `seeds`.
        location: The difference, where each clip counts once.
        scale: Its standard error.
        df: Degrees of freedom.
        error: Standard error of the difference without what `scale` counts twice, which is the noise of each clip and
            seed in the variances over recordings and over seeds; 0 for folds, which count nothing twice.
        parts: With one fold, the variances over seeds and over recordings in `scale`, each with its degrees
            of freedom.
    """

    units: str
    location: float
    scale: float
    df: float
    error: float = 0.0
    parts: tuple[tuple[float, float], ...] = ()

    @property
    def interval(self) -> Interval:
        """The 95 % interval. Equal units give an interval of width zero."""
        if self.scale < 1e-12:
            return Interval(self.location, self.location, 1.0 if abs(self.location) < 1e-12 else 0.0)
        half = float(stats.t.isf(_TAIL, self.df)) * self.scale
        p = float(2 * stats.t.sf(abs(self.location) / self.scale, self.df))
        return Interval(self.location - half, self.location + half, p)


def unit_spread(difference: Floats, outcomes: Outcomes) -> UnitSpread | None:
    """Return the distribution of a difference; None with one fold and one seed.

    With several folds, each fold is a unit: its clips and its models are its own. Training sets of folds overlap, so
    the variance of the mean of `k` folds is `s^2 (1/k + n_test/n_train)` (Nadeau and Bengio 2003). With one fold, the
    variances over seeds and over recordings are added (`combined`); the statement then holds for this one training set.

    Args:
        difference: First arm minus second arm, `(clip, seed)`; NaN where a block is not done.
        outcomes: The folds and groups of the clips.
    """
    clips = np.asarray(np.nanmean(difference, axis=1))
    location = float(clips.mean())
    folds, sizes = np.unique(outcomes.folds, return_counts=True)
    if len(folds) > 1:
        shares = sizes / sizes.sum()
        means = np.array([clips[outcomes.folds == fold].mean() for fold in folds])
        variance = _mean_variance(shares * (means - location)) * (1 + len(folds) * outcomes.overlap)
        return UnitSpread("folds", location, math.sqrt(variance), len(folds) - 1)
    seeds = np.asarray(np.nanmean(difference, axis=0))
    if len(seeds) < 2 or outcomes.n_groups < 2:
        return None
    over_seeds, over_recordings = float(seeds.var(ddof=1)) / len(seeds), variance_over_recordings(clips, outcomes)
    parts = (over_seeds, len(seeds) - 1.0), (over_recordings, outcomes.n_groups - 1.0)
    scale, df = combined(*parts)
    once = over_seeds + over_recordings - _of_both(difference, outcomes)
    error = math.sqrt(max(once, over_seeds, over_recordings))
    return UnitSpread("seeds", location, scale, df, error, parts)


def variance_over_recordings(clips: Floats, outcomes: Outcomes) -> float:
    """Return the variance of a mean over clips, whose recordings or speakers are independent.

    Args:
        clips: One difference for each clip.
        outcomes: The groups of the clips; two or more.
    """
    return _mean_variance(np.bincount(outcomes.groups, weights=clips - clips.mean()) / len(clips))


def _of_both(difference: Floats, outcomes: Outcomes) -> float:
    """Variance of the mean from the interaction of recordings and seeds, by the residuals of both margins.

    Args:
        difference: First arm minus second arm, `(clip, seed)`; an unfinished last seed is left out.
        outcomes: The groups of the clips.
    """
    whole = difference[:, ~np.isnan(difference).any(axis=0)]
    if whole.shape[1] < 2:
        return 0.0
    sums = np.stack([np.bincount(outcomes.groups, weights=seed) for seed in whole.T], axis=1) / len(whole)
    residual = sums - sums.mean(axis=0) - sums.mean(axis=1, keepdims=True) + sums.mean()
    count, seeds = sums.shape
    return float(count * (residual**2).sum() / ((count - 1) * (seeds - 1) * seeds))


def combined(*parts: tuple[float, float]) -> tuple[float, float]:
    """Return the scale and the degrees of freedom of a sum of independent errors.

    The squared half-width of the 95 % interval is `sum(t_i^2 v_i)`, each variance with its own quantile of Student's t,
    which covers at least 95 % whatever the variances are (Banerjee 1960). Satterthwaite's degrees of freedom cover less
    if the variance with the fewest degrees of freedom turns out small by chance. The degrees of freedom returned are
    those for which the quantile times the scale is that half-width.

    >>> combined((1.0, 2.0), (0.0, 99.0))[1]
    2.0

    Args:
        parts: Variance and degrees of freedom of each error.
    """
    scale = math.sqrt(sum(variance for variance, _ in parts))
    fewest, most = min(df for _, df in parts), max(df for _, df in parts)
    if scale == 0:
        return 0.0, fewest
    quantile = math.sqrt(sum(float(stats.t.isf(_TAIL, df)) ** 2 * variance for variance, df in parts)) / scale
    if quantile >= stats.t.isf(_TAIL, fewest):
        return scale, fewest
    if quantile <= stats.t.isf(_TAIL, most):
        return scale, most
    return scale, float(optimize.brentq(lambda df: stats.t.isf(_TAIL, df) - quantile, fewest, most))


def what_is_missing(outcomes: Outcomes) -> str:
    """Return what the outcomes lack for a word about two arms; "" if nothing is missing."""
    folds, seeds = len(np.unique(outcomes.folds)), outcomes.values.shape[2]
    if folds == 1 and seeds == 1:
        return "one fold and one seed cannot tell the arms from chance in training; two or more seeds are needed"
    groups = outcomes.n_groups / folds
    if groups < FEWEST_GROUPS:
        units = "recording or speaker" if groups == 1 else "recordings or speakers"
        mean = "" if groups == int(groups) else " on average"
        return f"a fold has only {groups:.3g} {units}{mean}, and {FEWEST_GROUPS} or more are needed"
    return ""


def _mean_variance(residuals: Floats) -> float:
    """Return the variance of a sum of independent residuals, whose estimated mean costs one degree of freedom."""
    count = len(residuals)
    return count / (count - 1) * float((residuals**2).sum())
