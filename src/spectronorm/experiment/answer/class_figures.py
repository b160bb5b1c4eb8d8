"""Figure of each class under each arm, such as its recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.design import Block
from spectronorm.experiment.metrics.accuracy import recall
from spectronorm.experiment.metrics.known import find_metric
from spectronorm.experiment.metrics.metric import truth_of
from spectronorm.experiment.results import TrainedModel


@dataclass(frozen=True)
class ClassFigures:
    """One class under each arm.

    Attributes:
        name: The class.
        clips: Number of tested clips of the class.
        arms: The metric's figure of the class for each arm, as a mean over the models of all blocks that were tested on
            it: recall for accuracy, average precision for `map`, and so on.
    """

    name: str
    clips: int
    arms: Mapping[str, float]


def class_figures(
    done: Mapping[tuple[str, int, str], TrainedModel],
    clips: LabelledClips,
    arms: Sequence[str],
    blocks: Sequence[Block],
    metric: str,
) -> tuple[ClassFigures, ...]:
    """Return the figures of each class that the blocks tested."""
    folds = list(dict.fromkeys(block.fold for block in blocks))
    truth = {fold: truth_of(clips.labels[clips.test_clips(fold)], len(clips.classes)) for fold in folds}
    count = np.sum([part.sum(axis=0) for part in truth.values()], axis=0)
    found = {arm: _mean([_of_model(done[b.fold, b.seed, arm], truth[b.fold], metric) for b in blocks]) for arm in arms}
    return tuple(
        ClassFigures(name, int(count[number]), {arm: float(found[arm][number]) for arm in arms})
        for number, name in enumerate(clips.classes)
        if count[number]
    )


def _of_model(model: TrainedModel, truth: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], metric: str) -> Floats:
    if model.scores.of_classes:
        return find_metric(metric).by_class(truth, np.array(model.scores.of_classes))
    return recall(truth, np.array(model.predicted)[:, None] == np.arange(truth.shape[1]))


def _mean(models: Sequence[Floats]) -> Floats:
    """Mean over the models that were tested on a class."""
    values = np.stack(models)
    there = ~np.isnan(values)
    return np.asarray(np.where(there, values, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1))
