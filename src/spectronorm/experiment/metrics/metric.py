"""Metric of predictions against the truth, written as a mean over clips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError

Truth = NDArray[np.bool_]
"""Array `(clip, class)`, true for each class of the clip; with one label a clip, one in each row."""


@dataclass(frozen=True)
class Metric(ABC):
    """Metric of one model on the clips of one fold.

    Attributes:
        name: Name that `--metric` takes.
        title: Name in sentences and tables.
        of_class: Name of the figure of one class.
        lower_is_better: True for an error rate.
    """

    name: str
    title: str
    of_class: str
    lower_is_better: bool = False

    @abstractmethod
    def by_clip(self, truth: Truth, scores: Floats) -> Floats:
        """Return one value for each clip, whose mean is the metric.

        Args:
            truth: The classes of each clip.
            scores: Log-probabilities `(clip, class)`.
        """

    @abstractmethod
    def by_class(self, truth: Truth, scores: Floats) -> Floats:
        """Return the figure of each class; NaN for a class without a clip."""

    @abstractmethod
    def check(self, truth: Truth, classes: Sequence[str], where: str, *, several: bool = False) -> None:
        """Check that the metric can be computed on these clips.

        Args:
            truth: The classes of each clip.
            classes: Names of the classes.
            where: The clips in words, such as "fold 1".
            several: Clips may have several labels, even if none of these has.

        Raises:
            ArgumentError: if it cannot.
        """

    @abstractmethod
    def reach(self, truth: Truth, *, several: bool = False) -> float:
        """Return by how much one clip's value can differ between two models at most; 1 for accuracy."""


def decisions(truth: Truth, scores: Floats) -> Truth:
    """Return the predicted classes: the most probable one if each clip has one label, else all above one half."""
    if one_label_each(truth, scores):
        return np.asarray(np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None])
    return np.asarray(scores > np.log(0.5))


def one_label_each(truth: Truth, scores: Floats) -> bool:
    """True if each clip has exactly one class, and the log-probabilities are those of a model that chooses one.

    All clips of a fold may have one label by chance although others have several. The probabilities of a model that
    chooses one class add up to 1.
    """
    return one_label(truth) and bool(np.allclose(np.exp(scores).sum(axis=1), 1.0, atol=0.01))


def one_label(truth: Truth) -> bool:
    """True if each clip has exactly one class."""
    return bool((truth.sum(axis=1) == 1).all())


def truth_of(labels: NDArray[np.int64], classes: int) -> Truth:
    """Return labels as truth: class numbers `(clip,)`, or zeros and ones `(clip, class)`."""
    return np.asarray(labels > 0 if labels.ndim == 2 else labels[:, None] == np.arange(classes))


def require_both(metric: Metric, truth: Truth, classes: Sequence[str], where: str, *, negatives: bool) -> None:
    """Check that each class has a clip, and with `negatives` that each has a clip without it.

    Raises:
        ArgumentError: if a class has none.
    """
    count = truth.sum(axis=0)
    advice = "test on more clips (with fewer folds), or choose --metric accuracy"
    for name, found in zip(classes, count.tolist(), strict=True):
        if not found:
            raise ArgumentError(
                f"metric={metric.name!r} cannot be computed: {where} has no clip of class {name!r}, whose "
                f"{metric.of_class} is undefined; {advice}"
            )
        if negatives and found == len(truth):
            raise ArgumentError(
                f"metric={metric.name!r} cannot be computed: {where} has {counted(found, 'clip')}, all of class "
                f"{name!r}, whose {metric.of_class} is undefined; {advice}"
            )
