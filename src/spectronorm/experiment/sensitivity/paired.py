"""Change of a metric between two sets of predictions on the same clips, with an interval over recordings."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from spectronorm.arrays import Floats, Integers
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.statistics import bootstrap
from spectronorm.experiment.metrics.metric import Metric, truth_of
from spectronorm.experiment.metrics.own_function import FunctionMetric

_REPLICATES, _OWN_REPLICATES = 2000, 200
_TAIL = 0.025


def paired(
    before: Floats, after: Floats, labels: Integers, groups: Integers, metric: Metric, seed: int
) -> tuple[float, float, float, float, float]:
    """Return the metric after the change, the change, both ends of its 95 % interval, and the worst draw's change.

    Recordings are drawn with replacement, crossed with the draws (Owen 2007). A built-in metric is the mean of one
    value for each clip (see `MeanOverClasses`), so that the change is paired clip by clip; a metric of one's own is
    computed again for each drawing of recordings. The percentile interval is expanded as Student's t over their
    number requires (Hesterberg 2015). If no clip's value changes, a built-in metric's interval reaches as far as
    the changes of other recordings may (`half_width_floor`).

    Args:
        before: Log-probabilities `(clip, class)`.
        after: Log-probabilities `(draw, clip, class)`.
        labels: Class of each clip, or zeros and ones `(clip, class)`.
        groups: Number of each clip's recording or speaker.
        metric: The metric.
        seed: Seed of the bootstrap.

    Raises:
        ArgumentError: if the metric cannot be computed.
    """
    if not isinstance(metric, FunctionMetric):
        return _by_clip(before, after, labels, groups, metric, seed)
    first = metric.value(labels, np.exp(before))
    values = [metric.value(labels, np.exp(draw)) for draw in after]
    generator = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    changes: list[float] = []
    while len(changes) < _OWN_REPLICATES:
        chosen = np.concatenate([members[i] for i in generator.integers(len(members), size=len(members))])
        if len(np.unique(labels[chosen], axis=0)) < 2:
            continue
        draw = after[generator.integers(len(after))]
        now, then = (metric.value(labels[chosen], np.exp(part[chosen])) for part in (draw, before))
        changes.append(now - then)
    mean = float(np.mean(values))
    low, high = _expanded(mean - first, np.quantile(changes, [_TAIL, 1 - _TAIL]), len(members))
    sign = -1 if metric.lower_is_better else 1
    return mean, mean - first, low, high, sign * min(sign * value for value in values) - first


def _by_clip(
    before: Floats, after: Floats, labels: Integers, groups: Integers, metric: Metric, seed: int
) -> tuple[float, float, float, float, float]:
    truth = truth_of(labels, before.shape[1])
    wrong = np.stack([metric.by_clip(truth, draw) for draw in after], axis=1)
    shipped = np.repeat(metric.by_clip(truth, before)[:, None], wrong.shape[1], axis=1)
    folds, reach = np.zeros(len(labels), dtype=np.int64), metric.reach(truth, several=labels.ndim == 2)
    outcomes = Outcomes(("wrong", "shipped"), np.stack([wrong, shipped]), folds, groups, reach=reach)
    found = bootstrap(outcomes, replicates=_REPLICATES, seed=seed).difference("wrong", "shipped")
    changes = (wrong - shipped).mean(axis=0)
    worst = changes.max() if metric.lower_is_better else changes.min()
    ends = np.array([found.bootstrap.low, found.bootstrap.high])
    low, high = _expanded(found.estimate, ends, outcomes.n_groups, found.floor)
    return float(wrong.mean()), found.estimate, low, high, float(worst)


def _expanded(estimate: float, ends: Floats, groups: int, floor: float = 0.0) -> tuple[float, float]:
    """Return both ends of a percentile interval after its expansion for few groups.

    The bootstrap takes the normal quantile and divides by the number of groups, where Student's t and the number minus
    one are needed. An interval of width zero reaches `floor` to both sides.
    """
    if ends[0] == ends[1]:
        return max(-1.0, estimate - floor), min(1.0, estimate + floor)
    factor = stats.t.isf(_TAIL, groups - 1) / stats.norm.isf(_TAIL) * math.sqrt(groups / (groups - 1))
    low, high = estimate + factor * (ends - estimate)
    return max(-1.0, float(low)), min(1.0, float(high))
