"""Every metric by name, built in or a function of the user's own."""

from __future__ import annotations

from spectronorm.errors import ArgumentError
from spectronorm.experiment.metrics.accuracy import Accuracy
from spectronorm.experiment.metrics.figures import (
    area_under_roc,
    average_precision,
    equal_error_rate,
    recall_of_class,
)
from spectronorm.experiment.metrics.metric import Metric
from spectronorm.experiment.metrics.of_classes import MeanOverClasses
from spectronorm.experiment.metrics.own_function import FunctionMetric, OwnMetric
from spectronorm.experiment.own_code import import_path
from spectronorm.suggestion import did_you_mean

ACCURACY = Accuracy("accuracy", "accuracy", "recall")
AVERAGE_PRECISION = "map"
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        ACCURACY,
        MeanOverClasses(
            name="recall",
            title="mean recall",
            of_class="recall",
            measure=recall_of_class,
            decided=True,
            negatives=False,
        ),
        MeanOverClasses(
            name="map", title="mean average precision", of_class="average precision", measure=average_precision
        ),
        MeanOverClasses(
            name="auc",
            title="mean area under the ROC curve",
            of_class="area under the ROC curve",
            measure=area_under_roc,
        ),
        MeanOverClasses(
            name="eer",
            title="mean equal error rate",
            of_class="equal error rate",
            lower_is_better=True,
            measure=equal_error_rate,
        ),
    )
}
"""Every metric by the name that `--metric` takes."""


_OWN: dict[str, FunctionMetric] = {}


def find_metric(metric: str | OwnMetric) -> Metric:
    """Return a metric by its name, or the metric that a function computes.

    A function is found again by the name of the metric, `module:function`, in this process; an import path
    `package.module:function` is imported.

    Raises:
        ArgumentError: if there is no such metric.

    >>> def misses(labels, probabilities):
    ...     return float((probabilities.argmax(axis=1) != labels).mean())
    >>> misses.lower_is_better = True
    >>> find_metric(misses).title, find_metric(misses).lower_is_better, find_metric("eer").title
    ('misses', True, 'mean equal error rate')
    """
    if not isinstance(metric, str):
        return _of_function(metric)
    if metric in METRICS or metric in _OWN:
        return METRICS.get(metric) or _OWN[metric]
    if ":" not in metric:
        raise ArgumentError(
            f"metric={metric!r} must be one of {', '.join(METRICS)}, or package.module:function of labels and "
            f"probabilities{did_you_mean(metric, tuple(METRICS))}"
        )
    try:
        found = import_path(metric)
    except ImportError as error:
        raise ArgumentError(f"metric={metric!r} cannot be imported: {error}") from None
    return _of_function(found, metric)


def _of_function(function: OwnMetric, name: str | None = None) -> FunctionMetric:
    if not callable(function):
        raise ArgumentError(f"metric={name or function!r:.80} must be a name or a function of labels and probabilities")
    title = str(getattr(function, "__name__", "<lambda>"))
    if title == "<lambda>":
        raise ArgumentError(
            f"metric={name or function!r:.80} has no name of its own, by which a run finds it again; define it with def"
        )
    name = name or f"{function.__module__}:{function.__qualname__}"
    lower = bool(getattr(function, "lower_is_better", False))
    made = FunctionMetric(name=name, title=title, of_class="recall", lower_is_better=lower, function=function)
    _OWN[made.name] = made
    return made
