"""Floor under the width of an interval, from the share of recordings on which only one of two arms is right."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from spectronorm.arrays import Floats
from spectronorm.experiment.answer.outcomes import Outcomes

_TAIL = 0.025


def discordance(difference: Floats, outcomes: Outcomes) -> float:
    """Return the mean over recordings of the squared difference: for accuracy, the share on which the arms disagree.

    Args:
        difference: First arm minus second arm, `(clip, seed)`; NaN where a block is not done.
        outcomes: The groups of the clips.
    """
    clips = np.asarray(np.nanmean(np.square(difference), axis=1))
    sums = np.bincount(outcomes.groups, weights=clips)
    return float((sums / np.bincount(outcomes.groups)).mean())


def mean_squared_difference(difference: Floats, outcomes: Outcomes) -> float:
    """Return the mean over recordings of the squared difference, averaged over seeds and a recording's clips before.

    With one seed and one clip a recording, this is the discordance; more seeds make it smaller.

    Args:
        difference: First arm minus second arm, `(clip, seed)`; NaN where a block is not done.
        outcomes: The groups of the clips.
    """
    clips = np.asarray(np.nanmean(difference, axis=1))
    sums = np.bincount(outcomes.groups, weights=clips)
    return float(np.square(sums / np.bincount(outcomes.groups)).mean())


def half_width_floor(
    share: float, groups: int, threshold: float = float(stats.norm.isf(_TAIL)), reach: float = 1.0
) -> float:
    """Return the least half-width that an interval of a difference of accuracies can honestly have.

    The mean square of the difference may be as high as its upper Clopper-Pearson bound `d` (1934). The standard error
    of the difference is at most `sqrt(d / groups)`, and the difference of arms that never disagreed is at most `d`; the
    floor is the smaller of `d` and `threshold` standard errors. Without one discordant recording, a difference below
    two points takes 183 recordings.

    >>> half_width_floor(0.0, 183) < 0.02 < half_width_floor(0.0, 182)
    True

    Args:
        share: Mean square of the difference, from `mean_squared_difference`; 0 … 1.
        groups: Number of recordings or speakers.
        threshold: Normal quantile of the interval; 1.96 for 95 %.
        reach: By how much one clip's values can differ at most; 1 for accuracy, and 0 if there is no bound, and so
            no floor.
    """
    if reach == 0.0:
        return 0.0
    if reach != 1.0:
        return reach * half_width_floor(share / reach**2, groups, threshold)
    found = min(share, 1.0) * groups
    bound = 1.0 if found >= groups else float(stats.beta.ppf(stats.norm.cdf(threshold), found + 1, groups - found))
    return min(bound, threshold * math.sqrt(bound / groups))
