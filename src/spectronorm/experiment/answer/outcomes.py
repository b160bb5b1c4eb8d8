"""Outcomes of a run, clip by clip, as arrays for the statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.errors import ArgumentError
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.design import Block, Design
from spectronorm.experiment.metrics.known import ACCURACY, find_metric
from spectronorm.experiment.metrics.metric import Truth, truth_of
from spectronorm.experiment.results import Scores, TrainedModel

HIT, LOG_LOSS = ACCURACY.name, "log-loss"
Choose = Callable[[TrainedModel], Scores | None]
"""Selects one set of a model's scores; None if the model has none."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """One number for each arm, tested clip and seed.

    Attributes:
        arms: Names, in order.
        values: Array `(arm, clip, seed)`; NaN if the clip's fold is not done with that seed.
        folds: The index of each clip's fold.
        groups: The index of each clip's recording or speaker.
        reach: By how much one clip's values can differ between two arms at most; 1 for accuracy, and 0 for log-loss,
            which has no bound.
        overlap: Tested clips for each training clip of a fold, on average. By default each fold's models are taken to
            train on all other folds: `1 / (folds - 1)`.
    """

    arms: tuple[str, ...]
    values: Floats
    folds: NDArray[np.int64]
    groups: NDArray[np.int64]
    overlap: float = -1.0
    reach: float = 1.0

    def __post_init__(self) -> None:
        if self.overlap < 0:
            object.__setattr__(self, "overlap", 1.0 / max(len(np.unique(self.folds)) - 1, 1))

    @property
    def n_groups(self) -> int:
        """Number of recordings or speakers."""
        return int(self.groups.max()) + 1

    def of_clips(self) -> Floats:
        """Return the mean over seeds, `(arm, clip)`."""
        return np.asarray(np.nanmean(self.values, axis=2))

    def means(self) -> dict[str, float]:
        """Return each arm's mean over clips, where each clip counts by its mean over seeds."""
        return dict(zip(self.arms, self.of_clips().mean(axis=1).tolist(), strict=True))

    def group_sums(self) -> tuple[Floats, Floats]:
        """Return sums `(arm, group, seed)` and weights `(group, seed)`; a clip's weights add up to 1 over its seeds."""
        there = ~np.isnan(self.values[0])
        weight = there / there.sum(axis=1, keepdims=True)
        sums = np.zeros((len(self.arms), self.n_groups, weight.shape[1]))
        total = np.zeros(sums.shape[1:])
        np.add.at(total, self.groups, weight)
        for arm, values in zip(sums, self.values, strict=True):
            np.add.at(arm, self.groups, np.where(there, values, 0.0) * weight)
        return sums, total


def scores_as_recorded(model: TrainedModel) -> Scores:
    """Select the model's scores on the clips as recorded."""
    return model.scores


def scores_under_shift(shift: str, update: str) -> Choose:
    """Return a function that selects the scores on a simulated deployment with an update."""
    return lambda model: model.shifted.get(shift, {}).get(update)


def outcomes(
    done: Mapping[tuple[str, int, str], TrainedModel],
    clips: LabelledClips,
    arms: Sequence[str],
    blocks: Iterable[Block],
    endpoint: str = HIT,
    choose: Choose = scores_as_recorded,
) -> Outcomes | None:
    """Collect the outcomes of the blocks in which all these arms are done; None if there is no such block.

    Accuracy is 0 or 1 for each clip; log-loss is minus the log-probability of the truth, in nats. Other metrics have
    one value for each clip too, whose mean is the metric of each model (see `MeanOverClasses`).

    Args:
        done: The trained models by fold, seed and arm.
        clips: The labelled clips.
        arms: The arms to compare.
        blocks: The blocks to look at.
        endpoint: The name of a metric, or the log-loss.
        choose: Selects one set of a model's scores: as recorded, or on a deployment.
    """
    complete = [block for block in blocks if all((block.fold, block.seed, arm) in done for arm in arms)]
    if not complete:
        return None
    folds = [fold for fold in clips.held_out if any(block.fold == fold for block in complete)]
    tested = {fold: clips.test_clips(fold) for fold in folds}
    truth = {fold: truth_of(clips.labels[tested[fold]], len(clips.classes)) for fold in folds}
    start = dict(zip(folds, np.cumsum([0, *(len(tested[fold]) for fold in folds)]).tolist(), strict=False))
    seeds = sorted({block.seed for block in complete})
    values = np.full((len(arms), sum(map(len, tested.values())), len(seeds)), np.nan)
    for block in complete:
        rows = slice(start[block.fold], start[block.fold] + len(tested[block.fold]))
        for number, arm in enumerate(arms):
            scores = choose(done[block.fold, block.seed, arm])
            if scores is None:
                return None
            values[number, rows, seeds.index(block.seed)] = _values(scores, endpoint, truth[block.fold])
    order = np.concatenate(list(tested.values()))
    _, groups = np.unique([clips.groups[i] for i in order], return_inverse=True)
    fold_numbers = np.repeat(np.arange(len(folds)), [len(tested[fold]) for fold in folds])
    overlap = float(np.mean([len(tested[fold]) / len(clips.train_clips(fold)) for fold in folds]))
    reach = 0.0 if endpoint == LOG_LOSS else _reach(endpoint, truth.values(), several=clips.several_labels)
    return Outcomes(tuple(arms), values, fold_numbers, groups.astype(np.int64), overlap, reach)


def _reach(endpoint: str, truth: Iterable[Truth], *, several: bool) -> float:
    metric = find_metric(endpoint)
    return max(metric.reach(part, several=several) for part in truth)


def _values(scores: Scores, endpoint: str, truth: Truth) -> Floats:
    if endpoint == HIT:
        return np.array(scores.hit, dtype=np.float64)
    if endpoint == LOG_LOSS:
        return -np.array(scores.log_probability)
    if not scores.of_classes:
        raise ArgumentError(f"metric={endpoint!r} needs the scores of all classes, which this run did not keep")
    return find_metric(endpoint).by_clip(truth, np.array(scores.of_classes))


def complete_blocks(
    done: Mapping[tuple[str, int, str], TrainedModel], design: Design, clips: LabelledClips
) -> list[Block]:
    """Return the blocks in which every arm and the control are done."""
    return [b for b in design.blocks(clips) if all((b.fold, b.seed, name) in done for name in design.names)]
