"""Group-sequential testing: a boundary for looks after every block, so that stopping early keeps the error rate."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from spectronorm.arrays import Floats
from spectronorm.experiment.answer.chances import MARGIN
from spectronorm.experiment.answer.discordance import half_width_floor, mean_squared_difference
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.units import unit_spread, what_is_missing

ALPHA = 0.05
OPEN, DIFFERENT, EQUIVALENT = "open", "different", "equivalent"
_WALKS = 200_000


@dataclass(frozen=True)
class Look:
    """State of one pair of arms after some of the blocks.

    Attributes:
        estimate: First arm minus second arm.
        low: Lower end of the repeated confidence interval, which holds for all looks together.
        high: Upper end of the repeated confidence interval.
        state: `open`, `different`, or `equivalent` (the whole interval lies within the margin).
    """

    estimate: float
    low: float
    high: float
    state: str


@functools.cache
def boundary(looks: int, pairs: int) -> float:
    """Critical value of an O'Brien–Fleming (1979) boundary: at look k, |z| must exceed it times sqrt(looks / k).

    The value is found by simulating random walks. It keeps the error rate `ALPHA` over all looks and all pairs
    (Bonferroni). Early looks, which rest on few recordings, need overwhelming differences.

    Args:
        looks: Number of planned looks.
        pairs: Number of pairs of arms tested.
    """
    generator = np.random.default_rng(0)
    position, highest = np.zeros(_WALKS), np.zeros(_WALKS)
    for _ in range(looks):
        position += generator.standard_normal(_WALKS)
        np.maximum(highest, np.abs(position), out=highest)
    return float(np.quantile(highest / math.sqrt(looks), 1 - ALPHA / pairs))


def evaluate_look(outcomes: Outcomes, first: str, second: str, *, fraction: float, critical: float) -> Look:
    """Evaluate one pair of arms at one look.

    Two standard errors are computed, one over recordings and one over the units of training (`unit_spread`), each with
    Student's t. The wider interval counts: recordings alone would ignore that all clips of a fold share one model. An
    interval that calls two arms equivalent is at least as wide as their discordance allows.

    Args:
        outcomes: Outcomes of the completed blocks.
        first: The first arm.
        second: The arm that is subtracted.
        fraction: Completed share of the planned blocks, in (0, 1].
        critical: The critical value from `boundary`.
    """
    a, b = (outcomes.arms.index(name) for name in (first, second))
    difference = outcomes.values[a] - outcomes.values[b]
    clips = np.nanmean(difference, axis=1)
    estimate = float(clips.mean())
    threshold = critical / math.sqrt(fraction)
    spread = unit_spread(difference, outcomes)
    if spread is None or what_is_missing(outcomes):
        return Look(estimate, -1.0, 1.0, OPEN)
    half = max(
        _half_width(clips - estimate, outcomes.groups, threshold), _t_half_width(spread.scale, spread.df, threshold)
    )
    low, high = max(estimate - half, -1.0), min(estimate + half, 1.0)  # the range of a difference of accuracies
    square = mean_squared_difference(difference, outcomes)
    reach = half_width_floor(square, outcomes.n_groups, threshold, outcomes.reach) + abs(estimate)
    if low > 0 or high < 0:
        state = DIFFERENT
    elif low > -MARGIN and high < MARGIN and reach < MARGIN:
        state = EQUIVALENT
    else:
        state = OPEN
    return Look(estimate, low, high, state)


def _half_width(residual: Floats, groups: NDArray[np.int64], threshold: float) -> float:
    """Half-width of the interval with recordings as units."""
    sums = np.bincount(groups, weights=residual)
    count = len(sums)
    if count < 2:
        return math.inf
    se = math.sqrt(count / (count - 1) * float((sums**2).sum())) / len(residual)
    return _t_half_width(se, count - 1, threshold)


def _t_half_width(se: float, df: float, threshold: float) -> float:
    """Half-width with the normal threshold replaced by that of the t distribution with few degrees of freedom."""
    return 0.0 if se == 0 else float(stats.t.isf(stats.norm.sf(threshold), df)) * se
