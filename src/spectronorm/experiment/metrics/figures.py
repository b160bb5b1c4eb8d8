"""Figures of one class against all others, each with the influence of every clip on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.experiment.metrics.of_classes import Positives


def recall_of_class(positives: Positives, decided: Floats) -> tuple[float, Floats]:
    """Return the share of positive clips that are decided for."""
    value = float(decided[positives].mean())
    return value, np.where(positives, (decided - value) * len(decided) / positives.sum(), 0.0)


def average_precision(positives: Positives, scores: Floats) -> tuple[float, Floats]:
    """Return the mean over positive clips of the precision at their score, where equal scores count together.

    It is scikit-learn's `average_precision_score`: the sum of precisions weighted by the steps of recall, without
    interpolation.
    """
    # Positions run from the highest score down; `last` is the last position with an equal score.
    order, first, last = _ranked(scores)
    hit = positives[order].astype(np.float64)
    accepted = last + 1.0
    precision = np.cumsum(hit)[last] / accepted
    count = hit.sum()
    value = float(hit @ precision / count)
    # A clip's weight counts in the precision of every positive clip at or below its score.
    of_truth, of_precision = (
        np.cumsum(part[::-1])[::-1][first] for part in (hit / accepted, hit * precision / accepted)
    )
    derivative = (hit * (precision - value) + hit * of_truth - of_precision) / count
    return value, _unranked(derivative * len(scores), order)


def area_under_roc(positives: Positives, scores: Floats) -> tuple[float, Floats]:
    """Return the chance that a positive clip has a higher score than another one, equal scores counting half."""
    order, first, last = _ranked(scores)
    hit = positives[order].astype(np.float64)
    above, count = _sum_before(hit), float(hit.sum())
    others = len(hit) - count
    higher = (above[first] + above[last + 1]) / 2  # positives above each clip, those with an equal score half
    lower = others - (_sum_before(1 - hit)[first] + _sum_before(1 - hit)[last + 1]) / 2
    value = float(hit @ lower / (count * others))
    derivative = np.where(hit > 0, (lower / others - value) / count, (higher / count - value) / others)
    return value, _unranked(derivative * len(scores), order)


def equal_error_rate(positives: Positives, scores: Floats) -> tuple[float, Floats]:
    """Return the rate at which as large a share of positives is rejected as of the others accepted.

    The rates are joined by straight lines between the thresholds at which they are attained. A clip's influence is that
    on either rate at the threshold, weighted by the densities of the scores there (Bickel and Doksum), which are
    counted among the clips with neighbouring ranks.
    """
    order, first, last = _ranked(scores)
    hit = positives[order].astype(np.float64)
    count, others = float(hit.sum()), float(len(hit) - hit.sum())
    ends = np.unique(last)
    rejected = np.concatenate([[1.0], 1 - np.cumsum(hit)[ends] / count])
    accepted = np.concatenate([[0.0], np.cumsum(1 - hit)[ends] / others])
    gap = accepted - rejected
    step = int(np.argmax(gap >= 0))
    part = -gap[step - 1] / (gap[step] - gap[step - 1])
    value = float(accepted[step - 1] + part * (accepted[step] - accepted[step - 1]))
    # The threshold accepts all clips above it, and this part of those with its very score.
    at = ends[step - 1]
    share = np.where(last < at, 1.0, np.where(last == at, part, 0.0))
    around = _neighbours(hit, (first[at] + at) / 2)
    dense, dense_others = (around.sum() + 0.5) / count, (len(around) - around.sum() + 0.5) / others
    of_rejected, of_accepted = (1 - share - value) / count, (share - value) / others
    weight = dense_others / (dense + dense_others)
    derivative = np.where(hit > 0, weight * of_rejected, (1 - weight) * of_accepted)
    return value, _unranked(derivative * len(scores), order)


def _neighbours(hit: Floats, at: float) -> Floats:
    """Return the entries around a position: a number that grows as the 0.8th power of all, and at least ten."""
    half = max(5, round(0.5 * len(hit) ** 0.8))
    centre = round(at)
    return hit[max(0, centre - half) : centre + half + 1]


def _ranked(scores: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the order from the highest score down, and the first and last position with each position's score."""
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order]
    new = np.concatenate([[True], sorted_scores[1:] != sorted_scores[:-1]])
    run = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(scores)) - 1
    return order, first[run], last[run]


def _sum_before(values: Floats) -> Floats:
    """Return the sum of all entries before each position, and of all entries at the end."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _unranked(values: Floats, order: NDArray[np.int64]) -> Floats:
    found = np.empty(len(values))
    found[order] = values
    return found
