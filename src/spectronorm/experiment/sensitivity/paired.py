"""Change of a metric between two sets of predictions on the same clips, with an interval over recordings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.statistics import bootstrap

OwnMetric = Callable[[NDArray[np.int64], NDArray[np.float64]], float]
"""Maps labels `(clip,)` and probabilities `(clip, class)` to a number."""
_ACCURACY_REPLICATES, _METRIC_REPLICATES = 2000, 200


def paired(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    metric: OwnMetric | None,
    seed: int,
) -> tuple[float, float, float, float, float]:
    """Return the metric after the change, the change, both ends of its 95 % interval, and the worst draw's change.

    Recordings are drawn with replacement, crossed with the draws (Owen 2007).

    Args:
        before: Probabilities `(clip, class)`.
        after: Probabilities `(draw, clip, class)`.
        labels: Class of each clip.
        groups: Number of each clip's recording or speaker.
        metric: The metric; None for the accuracy.
        seed: Seed of the bootstrap.

    Raises:
        ArgumentError: if the metric cannot be computed.
    """
    if metric is None:
        return _accuracy(before, after, labels, groups, seed)
    first = _value(metric, labels, before)
    values = [_value(metric, labels, draw) for draw in after]
    generator = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    changes: list[float] = []
    while len(changes) < _METRIC_REPLICATES:
        chosen = np.concatenate([members[i] for i in generator.integers(len(members), size=len(members))])
        if len(np.unique(labels[chosen])) < 2:
            continue
        draw = after[generator.integers(len(after))]
        changes.append(_value(metric, labels[chosen], draw[chosen]) - _value(metric, labels[chosen], before[chosen]))
    low, high = np.quantile(changes, [0.025, 0.975])
    mean = float(np.mean(values))
    return mean, mean - first, float(low), float(high), min(values) - first


def _accuracy(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    seed: int,
) -> tuple[float, float, float, float, float]:
    hits = (after.argmax(axis=2) == labels).T.astype(np.float64)
    shipped = np.repeat((before.argmax(axis=1) == labels).astype(np.float64)[:, None], hits.shape[1], axis=1)
    outcomes = Outcomes(("wrong", "shipped"), np.stack([hits, shipped]), np.zeros(len(labels), dtype=np.int64), groups)
    found = bootstrap(outcomes, replicates=_ACCURACY_REPLICATES, seed=seed).difference("wrong", "shipped")
    worst = float((hits - shipped).mean(axis=0).min())
    return float(hits.mean()), found.estimate, found.bootstrap.low, found.bootstrap.high, worst


def _value(metric: OwnMetric, labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    try:
        value = float(metric(labels, probabilities))
    except (ValueError, TypeError, IndexError, ZeroDivisionError, ArithmeticError) as error:
        raise ArgumentError(f"the metric cannot be computed on {len(labels)} clips: {error}") from None
    if not np.isfinite(value):
        raise ArgumentError(f"the metric is {value} on {len(labels)} clips; it must be a finite number")
    return value
