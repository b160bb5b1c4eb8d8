"""Accuracy: the share of clips whose predicted classes are the right ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.experiment.metrics.metric import Metric, Truth, decisions


@dataclass(frozen=True)
class Accuracy(Metric):
    """Share of clips whose predicted classes are exactly the true ones; each class has its recall."""

    def by_clip(self, truth: Truth, scores: Floats) -> Floats:
        """Return 1 for each clip whose predicted classes are the true ones, else 0."""
        return np.asarray((decisions(truth, scores) == truth).all(axis=1), dtype=np.float64)

    def by_class(self, truth: Truth, scores: Floats) -> Floats:
        """Return the recall of each class; NaN for a class without a clip."""
        return recall(truth, decisions(truth, scores))

    def check(self, truth: Truth, classes: Sequence[str], where: str, *, several: bool = False) -> None:
        """Accept any clips."""

    def reach(self, truth: Truth, *, several: bool = False) -> float:  # noqa: ARG002 - the same whatever the classes are
        """Return 1: a clip is right or wrong."""
        return 1.0


def recall(truth: Truth, decided: Truth) -> Floats:
    """Return the share of each class's clips that are found; NaN for a class without a clip."""
    count = truth.sum(axis=0)
    return np.where(count > 0, (truth & decided).sum(axis=0) / np.maximum(count, 1), np.nan)
