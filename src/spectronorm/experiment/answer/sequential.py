"""Stopping early without fooling oneself: a boundary for looking at the data after every block."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from spectronorm.arrays import Floats
from spectronorm.experiment.answer.outcomes import Outcomes

ALPHA = 0.05
MARGIN = 0.02
"""Differences below two points count as none."""
OPEN, DIFFERENT, EQUIVALENT = "open", "different", "equivalent"
_WALKS = 200_000


@dataclass(frozen=True)
class Look:
    """One pair of arms after some blocks.

    Attributes:
        estimate: First arm less second.
        low: The repeated interval's lower end: it holds at every look together, not at this one alone.
        high: Its upper end.
        state: `open`, `different`, or `equivalent` (the whole interval within the margin).
    """

    estimate: float
    low: float
    high: float
    state: str


@functools.cache
def boundary(looks: int, pairs: int) -> float:
    """The critical value of O'Brien and Fleming's (1979) shape: at look k, |z| must pass it times sqrt(looks / k).

    By simulation of random walks, for `ALPHA` over all looks and all pairs (Bonferroni). Early looks, at few
    recordings, need overwhelming differences.
    """
    generator = np.random.default_rng(0)
    position, highest = np.zeros(_WALKS), np.zeros(_WALKS)
    for _ in range(looks):
        position += generator.standard_normal(_WALKS)
        np.maximum(highest, np.abs(position), out=highest)
    return float(np.quantile(highest / math.sqrt(looks), 1 - ALPHA / pairs))


def look(outcomes: Outcomes, first: str, second: str, *, fraction: float, critical: float) -> Look:
    """What may be said of a pair now.

    Two standard errors are taken, over recordings and over training runs' units (folds; seeds where there is only one
    fold), each with Student's t, and the one that says less counts: recordings alone would forget that all clips of a
    fold share one model.

    Args:
        outcomes: Of the blocks that are done.
        first: An arm.
        second: The arm that is taken off.
        fraction: The share of the planned blocks that is done, in (0, 1].
        critical: What `boundary` gave.
    """
    a, b = (outcomes.arms.index(name) for name in (first, second))
    difference = outcomes.values[a] - outcomes.values[b]
    clips = np.nanmean(difference, axis=1)
    estimate = float(clips.mean())
    threshold = critical / math.sqrt(fraction)
    half = max(
        _half_width(clips - estimate, outcomes.groups, threshold), _unit_half_width(difference, outcomes, threshold)
    )
    low, high = max(estimate - half, -1.0), min(estimate + half, 1.0)  # all that an accuracy's difference can be
    if low > 0 or high < 0:
        state = DIFFERENT
    elif low > -MARGIN and high < MARGIN:
        state = EQUIVALENT
    else:
        state = OPEN
    return Look(estimate, low, high, state)


def _unit_half_width(difference: Floats, outcomes: Outcomes, threshold: float) -> float:
    """Half the interval with folds as units, or seeds where there is one fold."""
    if outcomes.folds.max() > 0:
        clips = np.nanmean(difference, axis=1)
        means = np.array([clips[outcomes.folds == fold].mean() for fold in np.unique(outcomes.folds)])
    else:
        means = np.nanmean(difference, axis=0)
    return (
        _t_half_width(float(means.std(ddof=1)) / math.sqrt(len(means)), len(means), threshold)
        if len(means) > 1
        else math.inf
    )


def _half_width(residual: Floats, groups: NDArray[np.int64], threshold: float) -> float:
    """Half the interval with recordings as units."""
    sums = np.bincount(groups, weights=residual)
    count = len(sums)
    if count < 2:
        return math.inf
    se = math.sqrt(count / (count - 1) * float((sums**2).sum())) / len(residual)
    return _t_half_width(se, count, threshold)


def _t_half_width(se: float, units: int, threshold: float) -> float:
    """The normal threshold, as the t distribution of so few units has it."""
    return 0.0 if se == 0 else float(stats.t.isf(stats.norm.sf(threshold), units - 1)) * se
