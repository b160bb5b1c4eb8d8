"""A user's own function of labels and probabilities as a metric."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats, Integers
from spectronorm.errors import ArgumentError
from spectronorm.experiment.metrics.accuracy import recall
from spectronorm.experiment.metrics.metric import Metric, Truth, decisions, one_label, one_label_each

OwnMetric = Callable[[Integers, Floats], float]
"""Maps labels, `(clip,)` or with several a clip `(clip, class)`, and probabilities `(clip, class)` to a number."""
_KEPT = 4096
_SURE = 0.99


@dataclass(frozen=True, kw_only=True)
class FunctionMetric(Metric):
    """Metric that a function computes from labels and probabilities.

    A function knows no clips. Its value is written as a mean over clips by the jackknife (Tukey 1958): with `n` clips,
    a clip's value is the metric plus `n - 1` times what the metric loses when the clip is left out, centred so that the
    mean over clips is the metric.

    Attributes:
        function: Maps labels and probabilities to a number. Labels are class numbers `(clip,)`, or zeros and ones
            `(clip, class)` where a clip may have several.
    """

    function: OwnMetric

    def value(self, labels: Integers, probabilities: Floats, where: str = "") -> float:
        """Return the function's value.

        Raises:
            ArgumentError: if the function fails, or if its value is not a finite number.
        """
        on = f"on {len(labels)} clips{where}"
        try:
            value = float(self.function(labels.copy(), probabilities.copy()))
        except (Exception, SystemExit) as error:  # A user's function may fail in any way.
            raise ArgumentError(
                f"metric={self.name!r} cannot be computed {on}: {type(error).__name__}: {error}"
            ) from None
        if not np.isfinite(value):
            raise ArgumentError(f"metric={self.name!r} is {value} {on}; it must be a finite number")
        return value

    def by_clip(self, truth: Truth, scores: Floats) -> Floats:
        """Return the metric plus each clip's influence on it."""
        return np.array(_by_clip(self, truth.tobytes(), np.ascontiguousarray(scores).tobytes(), truth.shape))

    def by_class(self, truth: Truth, scores: Floats) -> Floats:
        """Return the recall of each class, since the function has no figure of a class."""
        return recall(truth, decisions(truth, scores))

    def check(self, truth: Truth, classes: Sequence[str], where: str, *, several: bool = False) -> None:  # noqa: ARG002 - a function of clips
        """Check the function's values on these clips, and that it can be computed on all but one of them."""
        self.check_values(truth, where, several=several)
        labels, right = _labels(truth, several=several), _sure(truth, several=several)
        for left_out in range(len(truth)):
            rest = np.arange(len(truth)) != left_out
            self.value(labels[rest], right[rest], f" ({where} without one of its clips)")

    def check_values(self, truth: Truth, where: str, *, several: bool = False) -> None:
        """Check the range, that equal predictions have equal values, and that right ones are better than wrong ones.

        Args:
            truth: The classes of each clip.
            where: The clips in words, such as "fold 1".
            several: Clips may have several labels, even if none of these has.

        Raises:
            ArgumentError: if the words about two arms could not be true.
        """
        labels, right = _labels(truth, several=several), _sure(truth, several=several)
        wrong = _sure(_turned(truth, several=several), several=several)
        best, again, worst = (self.value(labels, given, f" ({where})") for given in (right, right, wrong))
        for value, given in ((best, "right"), (worst, "wrong")):
            if not -1.0 <= value <= 1.0:
                raise ArgumentError(
                    f"metric={self.name!r} is {value:g} on {given} predictions of {where}, but it must lie in −1 … 1: "
                    "the words count differences in hundredths (points); divide it by its range"
                )
        if again != best:
            raise ArgumentError(
                f"metric={self.name!r} is {best:g} and then {again:g} on the same predictions of {where}; it must "
                "depend on labels and probabilities alone"
            )
        if best == worst:
            raise ArgumentError(
                f"metric={self.name!r} is {best:g} on right and on wrong predictions of {where}; it must differ"
            )
        if (best < worst) != self.lower_is_better:
            advice = "remove its attribute" if self.lower_is_better else "give the function a true attribute"
            raise ArgumentError(
                f"metric={self.name!r} is {best:g} on right predictions of {where} and {worst:g} on wrong ones; "
                f"{advice} lower_is_better"
            )

    def reach(self, truth: Truth, *, several: bool = False) -> float:
        """Return the number of clips times the largest change of the metric when one right clip turns wrong."""
        labels, right = _labels(truth, several=several), _sure(truth, several=several)
        wrong = _sure(_turned(truth, several=several), several=several)
        best = self.value(labels, right)
        changes = []
        for clip in range(len(truth)):
            tried = right.copy()
            tried[clip] = wrong[clip]
            changes.append(abs(self.value(labels, tried) - best))
        return max(len(truth) * max(changes), 1.0)


@functools.lru_cache(maxsize=_KEPT)
def _by_clip(metric: FunctionMetric, truth: bytes, scores: bytes, shape: tuple[int, int]) -> tuple[float, ...]:
    """The values of the clips; kept, because each is looked at after every block."""
    true = np.frombuffer(truth, dtype=np.bool_).reshape(shape)
    logarithms = np.frombuffer(scores, dtype=np.float64).reshape(shape)
    probabilities, labels = np.exp(logarithms), _labels(true, several=not one_label_each(true, logarithms))
    whole = metric.value(labels, probabilities)
    keep = ~np.eye(len(true), dtype=bool)
    without = np.array([metric.value(labels[rest], probabilities[rest]) for rest in keep])
    return tuple((whole + (len(true) - 1) * (without.mean() - without)).tolist())


def _labels(truth: Truth, *, several: bool) -> Integers:
    chosen = not several and one_label(truth)
    return truth.argmax(axis=1).astype(np.int64) if chosen else truth.astype(np.int64)


def _sure(truth: Truth, *, several: bool) -> Floats:
    """Probabilities of a model that is sure of these classes."""
    if several or not one_label(truth) or truth.shape[1] < 2:
        return np.where(truth, _SURE, 1 - _SURE)
    return np.where(truth, _SURE, (1 - _SURE) / (truth.shape[1] - 1))


def _turned(truth: Truth, *, several: bool) -> Truth:
    """Wrong classes for each clip: the next class, or with several labels all that it does not have."""
    return np.roll(truth, 1, axis=1) if one_label(truth) and not several else ~truth
