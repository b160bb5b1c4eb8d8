"""Measurement of what wrong statistics cost a trained model, by inference alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Integers
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError
from spectronorm.experiment.metrics.known import ACCURACY, find_metric
from spectronorm.experiment.metrics.metric import Metric, truth_of
from spectronorm.experiment.metrics.own_function import FunctionMetric, OwnMetric
from spectronorm.experiment.sensitivity.errors_of_statistics import (
    StatisticsError,
    few_clips_errors,
    jagged_errors,
    mean_and_std,
    smooth_errors,
)
from spectronorm.experiment.sensitivity.evaluations import Evaluations
from spectronorm.experiment.sensitivity.labelled import LabelledLevels
from spectronorm.experiment.sensitivity.model import Classifier
from spectronorm.experiment.sensitivity.paired import paired
from spectronorm.normalize import FittedNormalizer
from spectronorm.runs.progress import Progress, silent
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings

_Levels = NDArray[np.float32]


@dataclass(frozen=True)
class ErrorEffect:
    """Effect of one error of the statistics on the metric.

    Attributes:
        kind: Kind of the error: `mean`, `std`, `mean and std`, `band by band`, `from clips` or `own statistics`.
        name: The error in words.
        mean: Error of the mean in standard deviations, or the number of clips.
        factor: Factor of the standard deviation.
        value: The metric with this error, averaged over the draws.
        change: The metric minus that with the shipped statistics.
        low: Lower end of the 95 % interval of the change over recordings or speakers, paired clip by clip.
        high: Upper end of the interval.
        worst: Change of the worst draw.
    """

    kind: str
    name: str
    mean: float
    factor: float
    value: float
    change: float
    low: float
    high: float
    worst: float


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Sensitivity:
    """Cost of wrong statistics.

    Attributes:
        metric: Name of the metric in words.
        value: The metric with the shipped statistics.
        clips: Number of clips.
        groups: Number of recordings or speakers.
        effects: Effect of each error.
        own: Effect of this source's own statistics in place of the shipped ones.
        offset: Shipped mean minus the source's mean, in the source's standard deviations, averaged over bands.
        ratio: Shipped scale over the source's standard deviation, geometric mean over bands.
        jagged: Root mean square over bands of what the average offset leaves.
        lower_is_better: True for an error rate.
        by_guess: The metric of a model that gives each clip the share of each class as its probability; None if a
            metric of one's own cannot be computed for it.

    >>> import numpy as np, spectronorm as sn
    >>> levels = np.repeat(np.where(np.arange(20) % 2, -30.0, -50.0), 80).reshape(20, 4, 20).astype(np.float32)
    >>> clips = LabelledLevels(levels, [n % 2 for n in range(20)], [str(n) for n in range(20)])
    >>> fitted = sn.Fixed(-30.0, 10.0).for_front_end(sn.Levels(bands=4, unit="dB", low=-120, high=60))
    >>> def loud(x):
    ...     return np.stack([-x.mean((1, 2)), x.mean((1, 2))], axis=1)
    >>> found = measure_sensitivity(loud, clips, fitted, draws=2)
    >>> round(found.offset, 2), found.clips, found.metric
    (1.0, 20, 'accuracy')
    """

    metric: str
    value: float
    clips: int
    groups: int
    effects: tuple[ErrorEffect, ...]
    own: ErrorEffect
    offset: float
    ratio: float
    jagged: float
    lower_is_better: bool = False
    by_guess: float | None = None

    def of_kind(self, kind: str) -> tuple[ErrorEffect, ...]:
        """Return the effects of one kind of error."""
        return tuple(effect for effect in self.effects if effect.kind == kind)


@known_keywords
def measure_sensitivity(
    model: Classifier,
    clips: LabelledLevels,
    normalizer: FittedNormalizer,
    *,
    metric: str | OwnMetric = ACCURACY.name,
    draws: int = 5,
    seed: int = 0,
    progress: Progress = silent,
) -> Sensitivity:
    """Measure a model's metric as the statistics of its input are wrong by known amounts.

    With the shipped map `x = (level - shift) / scale`, a mean that is off by `a` standard deviations and a deviation
    that is off by a factor `r` give the model `(x - a) / r`.

    Args:
        model: Maps `(clip, band, frame)` to logits `(clip, class)`; probabilities are recognized too.
        clips: The labelled clips.
        normalizer: The shipped normalizer, with one map for all clips.
        metric: Name of a metric (`accuracy`, `recall`, `map`, `auc` or `eer`), `package.module:function`, or a function
            that maps labels and probabilities `(clip, class)` to a number; more is better unless it has an attribute
            `lower_is_better`.
        draws: Number of draws of random errors.
        seed: Seed of the draws.
        progress: Called with the number of evaluated errors and their total.

    Raises:
        ArgumentError: if the normalizer finds a map in each clip, if the model's outputs do not fit the labels, or if
            the metric cannot be computed.

    >>> import numpy as np, spectronorm as sn
    >>> levels = np.repeat(np.where(np.arange(20) % 2, -30.0, -50.0), 80).reshape(20, 4, 20).astype(np.float32)
    >>> clips = LabelledLevels(levels, [n % 2 for n in range(20)], [str(n) for n in range(20)])
    >>> fitted = sn.Fixed(-40.0, 10.0).for_front_end(sn.Levels(bands=4, unit="dB", low=-120, high=60))
    >>> def loud(x):
    ...     return np.stack([-x.mean((1, 2)), x.mean((1, 2))], axis=1)
    >>> found = measure_sensitivity(loud, clips, fitted, draws=2)
    >>> found.value, min(effect.value for effect in found.of_kind("mean"))
    (1.0, 0.5)
    """
    judged = find_metric(metric)
    levels, target = clips.levels, np.asarray(clips.labels, dtype=np.int64)
    units = np.unique(np.array([str(group) for group in clips.groups]), return_inverse=True)[1].astype(np.int64)
    shift, scale = shipped_map(normalizer)
    moments = _Moments.of(levels, pooled=shift.size == 1)
    errors = [
        *smooth_errors(),
        *jagged_errors(levels.shape[1], draws, seed),
        *few_clips_errors(moments.means, moments.squares, draws, seed),
    ]
    own_map = (((moments.mean - shift) / scale, moments.std / scale),)
    own = StatisticsError("own statistics", "this source's own statistics", 0.0, 1.0, own_map)
    total = 2 + sum(len(error.draws) for error in errors)
    x = np.asarray(normalizer(levels), dtype=np.float32)
    several = target.ndim == 2
    highest = target.shape[1] - 1 if several else int(target.max())
    steps = Evaluations(model, x, highest, total, progress, several)
    shipped = steps.shipped()
    _check_metric(judged, target, shipped.shape[1], clips.classes)

    def effect(error: StatisticsError, per_sd: NDArray[np.float64]) -> ErrorEffect:
        found = np.stack([steps.log_probabilities(a * per_sd, r) for a, r in error.draws])
        values = paired(shipped, found, target, units, judged, seed)
        return ErrorEffect(error.kind, error.name, error.mean, error.factor, *values)

    measured = tuple(effect(error, moments.std / scale) for error in errors)
    own_effect = effect(own, np.ones((1, 1)))
    offset = (shift - moments.mean) / moments.std
    return Sensitivity(
        judged.title,
        own_effect.value - own_effect.change,
        len(target),
        int(units.max()) + 1,
        measured,
        own_effect,
        float(offset.mean()),
        float(np.exp(np.log(scale / moments.std).mean())),
        float(np.sqrt(np.square(offset - offset.mean()).mean())),
        judged.lower_is_better,
        _by_guess(judged, target, shipped.shape[1]),
    )


def _by_guess(judged: Metric, target: Integers, outputs: int) -> float | None:
    truth = truth_of(target, outputs)
    shares = np.repeat(truth.mean(axis=0, keepdims=True), len(truth), axis=0)
    try:
        if isinstance(judged, FunctionMetric):
            return judged.value(target, shares)
        return float(judged.by_clip(truth, np.log(np.maximum(shares, np.finfo(np.float64).tiny))).mean())
    except ArgumentError:  # Such as a metric of one's own that is undefined for equal scores.
        return None


def _check_metric(judged: Metric, target: Integers, outputs: int, classes: Sequence[str]) -> None:
    """Check that the model has one output for each class, and that the metric can be computed.

    Raises:
        ArgumentError: if not.
    """
    known = target.shape[1] if target.ndim == 2 else len(classes) or outputs
    if outputs != known:
        raise ArgumentError(
            f"the model has {outputs} outputs for {counted(known, 'class', 'classes')}; name all classes of the model, "
            "in their order, with --classes"
        )
    truth, several = truth_of(target, outputs), target.ndim == 2
    if isinstance(judged, FunctionMetric):
        judged.check_values(truth, "the source", several=several)
    else:
        named = [classes[n] if n < len(classes) else f"number {n}" for n in range(outputs)]
        judged.check(truth, named, "the source", several=several)


def shipped_map(normalizer: FittedNormalizer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shift and scale of a normalizer with one map for all clips, each `(band, 1)` or `(1, 1)`.

    Raises:
        ArgumentError: if the normalizer finds a map in each clip.
    """
    if normalizer.affine is None or normalizer.normalizer.maps_clips:
        raise ArgumentError(
            f"{normalizer.normalizer} finds its statistics in each clip, so none can be wrong; choose a normalizer "
            "over a data set, such as global or band"
        )
    shift, scale = (np.asarray(part, dtype=np.float64) for part in (normalizer.affine.shift, normalizer.affine.scale))
    return np.broadcast_arrays(shift.reshape(-1, 1), scale.reshape(-1, 1))  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class _Moments:
    """Mean and deviation of levels, `(band, 1)` or `(1, 1)`, and mean and mean square of each clip, `(clip, band)`."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    means: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, levels: _Levels, *, pooled: bool) -> _Moments:
        means = levels.mean(axis=-1, dtype=np.float64)
        squares = np.stack([np.square(level, dtype=np.float64).mean(axis=-1) for level in levels])
        if pooled:
            means, squares = means.mean(axis=1, keepdims=True), squares.mean(axis=1, keepdims=True)
        mean, std = mean_and_std(means, squares)
        return cls(mean[:, None], std[:, None], means, squares)
