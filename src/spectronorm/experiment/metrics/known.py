"""Every metric by name."""

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


def find_metric(name: str) -> Metric:
    """Return the metric with this name.

    Raises:
        ArgumentError: if there is no such metric.
    """
    if name not in METRICS:
        raise ArgumentError(f"metric={name!r} must be one of {', '.join(METRICS)}{did_you_mean(name, tuple(METRICS))}")
    return METRICS[name]
