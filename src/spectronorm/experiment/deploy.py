"""Tests of one trained model on simulated deployments, unchanged and updated on unlabelled audio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from spectronorm.arrays import Integers
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.metrics.known import ACCURACY
from spectronorm.experiment.metrics.metric import truth_of
from spectronorm.experiment.results import Scores
from spectronorm.experiment.training.inputs import ArmInputs
from spectronorm.experiment.training.train import Training, mean_log_probabilities
from spectronorm.experiment.training.updates import updated_batch_norm, updated_input
from spectronorm.normalize import FittedNormalizer

NO_UPDATE, MEAN, MEAN_AND_STD, BATCH_NORM = "none", "mean", "mean and std", "BatchNorm"
UPDATES = (NO_UPDATE, MEAN, MEAN_AND_STD, BATCH_NORM)

FEW = ", from {} classes"
"""Suffix of the name of an update made from clips of only this number of classes."""

_Levels = NDArray[np.float32]
_LEAST = 1e-12
"""Least probability in a logarithm, where a class may be certain in float64."""


def update_names(few_classes: int) -> tuple[str, ...]:
    """Names of the updates: none, each update, and, if asked for, each update made from few classes."""
    again = (update + FEW.format(few_classes) for update in UPDATES[1:])
    return (*UPDATES, *again) if few_classes else UPDATES


def scores_of(log_probability: NDArray[np.float64], labels: Integers, metric: str = ACCURACY.name) -> Scores:
    """Return the hits, the log-probabilities of the truth, and where they are needed those of all classes.

    They are needed for other metrics than accuracy, and where a clip may have several classes. Such a clip is a hit if
    exactly its classes are above one half; its log-probability is the mean over classes.
    """
    truth = truth_of(labels, log_probability.shape[1])
    if labels.ndim == 2:
        absent = np.log(np.maximum(-np.expm1(log_probability), _LEAST))
        true = np.where(truth, np.maximum(log_probability, np.log(_LEAST)), absent).mean(axis=1)
    else:
        true = log_probability[truth]
    hits = ACCURACY.by_clip(truth, log_probability)
    plain = metric == ACCURACY.name and labels.ndim == 1
    kept = () if plain else tuple(tuple(_rounded(v) for v in row) for row in log_probability)
    return Scores(tuple(int(hit) for hit in hits), tuple(round(float(v), 6) for v in true), kept)


def _rounded(value: float) -> float:
    """Eight significant digits, so that almost certain classes keep their order."""
    return float(f"{value:.8g}")


@dataclass(frozen=True, eq=False)
class Deployed:
    """A trained model, the inputs that it was trained on, and whether a clip may have several classes."""

    model: nn.Module
    inputs: ArmInputs
    several: bool = False

    def log_probabilities(
        self, levels: _Levels, clips: LabelledClips, test: Integers, training: Training, few_classes: int = 0
    ) -> dict[str, NDArray[np.float64]]:
        """Log-probabilities of the tested clips `(clip, class)`, without and with each update that the arm supports.

        Each update sees one half of the test clips, without labels, and is tested on the other half; then the halves
        swap. So no clip is in its own update, and no recording is in both halves.

        Args:
            levels: Levels of all clips, as a simulated device records them, `(clip, band, frame)`.
            clips: Classes and groups.
            test: Indices of the tested clips.
            training: Settings of the model's training.
            few_classes: Also make each update from clips of only this number of classes, as a quiet night would; 0: do
                not.

        Returns:
            Log-probabilities by name of the update.
        """
        halves = _halves(clips, test)
        variants = {
            update: [self._updated(update, levels, adapt, tested, training) for adapt, tested in halves]
            for update in UPDATES
        }
        if few_classes:
            of_few = [(_of_few_classes(clips, adapt, few_classes), tested) for adapt, tested in halves]
            for update in UPDATES[1:]:
                variants[update + FEW.format(few_classes)] = [
                    self._updated(update, levels, adapt, tested, training) for adapt, tested in of_few
                ]
        found = {}
        for update, parts in variants.items():
            if any(part is None for part in parts):
                continue
            found[update] = np.empty((len(test), len(clips.classes)))
            for (_, tested), part in zip(halves, parts, strict=True):
                found[update][np.searchsorted(test, tested)] = part
        return found

    def _updated(
        self, update: str, levels: _Levels, adapt: Integers, test: Integers, training: Training
    ) -> NDArray[np.float64] | None:
        normalizer: FittedNormalizer | None = self.inputs.normalizer
        model: nn.Module | None = self.model
        if update in (MEAN, MEAN_AND_STD):
            normalizer = updated_input(self.inputs.normalizer, levels[adapt], std=update == MEAN_AND_STD)
        if update == BATCH_NORM:
            model = updated_batch_norm(self.model, self.inputs.evaluated(adapt, levels), training)
        if normalizer is None or model is None:
            return None
        views = self.inputs.views(test, levels, normalizer)
        return mean_log_probabilities(model, views, training, several=self.several)


def _of_few_classes(clips: LabelledClips, adapt: Integers, count: int) -> Integers:
    """Select the clips of `count` classes, which are drawn reproducibly from the classes present."""
    classes = np.unique(clips.labels[adapt])
    chosen = np.random.default_rng([count, int(adapt[0])]).permutation(classes)[:count]
    return adapt[np.isin(clips.labels[adapt], chosen)]


def _halves(clips: LabelledClips, test: Integers) -> list[tuple[Integers, Integers]]:
    """Yield both halves in either order, each paired with the other; groups stay whole."""
    names = sorted({clips.groups[i] for i in test})
    chosen = set(np.random.default_rng(0).permutation(names)[: len(names) // 2].tolist())
    first = np.array([i for i in test if clips.groups[i] in chosen], dtype=np.int64)
    second = np.array([i for i in test if clips.groups[i] not in chosen], dtype=np.int64)
    if not (len(first) and len(second)):  # With one recording there is no other half.
        return [(test, test)]
    return [(first, second), (second, first)]
