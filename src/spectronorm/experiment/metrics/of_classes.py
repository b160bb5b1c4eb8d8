"""Mean over classes of a figure that each class has by itself, one class against all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.experiment.metrics.metric import Metric, Truth, decisions, require_both

Positives = NDArray[np.bool_]
"""Array `(clip,)`, true for the clips of the class."""


@dataclass(frozen=True, kw_only=True)
class MeanOverClasses(Metric):
    """Macro average of a figure of each class.

    The average is not a mean over clips. It is written as one by the influence of each clip (infinitesimal jackknife;
    Hampel 1974, Efron 1982): with weights of the clips that add up to their number `n`, a clip's value is the metric
    plus `n` times the metric's derivative by the clip's weight. The mean of these values is the metric, their
    difference between two models is paired clip by clip, and the influences of a recording's clips add up. For
    accuracy, the value of a clip is 1 or 0 by this rule.

    Attributes:
        measure: Maps the positives and the scores of a class to its figure and to each clip's influence on it: `n`
            times the derivative.
        decided: Give `measure` zeros and ones of the decision in place of the scores.
        negatives: The figure needs clips that are not of the class.
    """

    measure: Callable[[Positives, Floats], tuple[float, Floats]]
    decided: bool = False
    negatives: bool = True

    def by_clip(self, truth: Truth, scores: Floats) -> Floats:
        """Return the metric plus each clip's influence on it."""
        found = [self.measure(positives, of_class) for positives, of_class in self._classes(truth, scores)]
        return np.asarray(
            np.mean([value for value, _ in found]) + np.mean([influence for _, influence in found], axis=0)
        )

    def by_class(self, truth: Truth, scores: Floats) -> Floats:
        """Return the figure of each class; NaN where it is undefined."""
        return np.array(
            [
                self.measure(positives, of_class)[0] if self._defined(positives) else np.nan
                for positives, of_class in self._classes(truth, scores)
            ]
        )

    def check(self, truth: Truth, classes: Sequence[str], where: str, *, several: bool = False) -> None:  # noqa: ARG002 - a class counts alike
        """Check that each class has a clip, and if the figure needs them, clips without it."""
        require_both(self, truth, classes, where, negatives=self.negatives)

    def reach(self, truth: Truth, *, several: bool = False) -> float:  # noqa: ARG002 - a class counts alike
        """Return the largest share of one clip in the figures of all classes, times the number of clips."""
        count = np.maximum(truth.sum(axis=0), 1)
        others = np.maximum(len(truth) - count, 1)
        each = np.where(truth, len(truth) / count, len(truth) / others if self.negatives else 0.0)
        return float(each.mean(axis=1).max())

    def _classes(self, truth: Truth, scores: Floats) -> list[tuple[Positives, Floats]]:
        used = decisions(truth, scores).astype(np.float64) if self.decided else scores
        return [(truth[:, number], used[:, number]) for number in range(truth.shape[1])]

    def _defined(self, positives: Positives) -> bool:
        return bool(positives.any()) and not (self.negatives and positives.all())
