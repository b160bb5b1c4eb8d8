"""Change of a metric between two sets of predictions on the same clips, with an interval over recordings."""

from __future__ import annotations

import numpy as np

from spectronorm.arrays import Floats, Integers
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.statistics import bootstrap
from spectronorm.experiment.metrics.metric import Metric, truth_of
from spectronorm.experiment.metrics.own_function import FunctionMetric

_REPLICATES, _OWN_REPLICATES = 2000, 200


def paired(
    before: Floats, after: Floats, labels: Integers, groups: Integers, metric: Metric, seed: int
) -> tuple[float, float, float, float, float]:
    """Return the metric after the change, the change, both ends of its 95 % interval, and the worst draw's change.

    Recordings are drawn with replacement, crossed with the draws (Owen 2007). A built-in metric is the mean of one
    value for each clip (see `MeanOverClasses`), so that the change is paired clip by clip; a metric of one's own is
    computed again for each drawing of recordings.

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
    low, high = np.quantile(changes, [0.025, 0.975])
    mean = float(np.mean(values))
    sign = -1 if metric.lower_is_better else 1
    return mean, mean - first, float(low), float(high), sign * min(sign * value for value in values) - first


def _by_clip(
    before: Floats, after: Floats, labels: Integers, groups: Integers, metric: Metric, seed: int
) -> tuple[float, float, float, float, float]:
    truth = truth_of(labels, before.shape[1])
    wrong = np.stack([metric.by_clip(truth, draw) for draw in after], axis=1)
    shipped = np.repeat(metric.by_clip(truth, before)[:, None], wrong.shape[1], axis=1)
    outcomes = Outcomes(("wrong", "shipped"), np.stack([wrong, shipped]), np.zeros(len(labels), dtype=np.int64), groups)
    found = bootstrap(outcomes, replicates=_REPLICATES, seed=seed).difference("wrong", "shipped")
    changes = (wrong - shipped).mean(axis=0)
    worst = changes.max() if metric.lower_is_better else changes.min()
    return float(wrong.mean()), found.estimate, found.bootstrap.low, found.bootstrap.high, float(worst)
