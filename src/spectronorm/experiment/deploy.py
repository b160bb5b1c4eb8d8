"""One trained model on simulated deployments, as it is and updated on unlabelled audio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from spectronorm.arrays import Integers
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.results import Scores
from spectronorm.experiment.training.inputs import ArmInputs
from spectronorm.experiment.training.train import Training, mean_log_probabilities
from spectronorm.experiment.training.updates import updated_batch_norm, updated_input
from spectronorm.normalize import FittedNormalizer

NO_UPDATE, MEAN, MEAN_AND_STD, BATCH_NORM = "none", "mean", "mean and std", "BatchNorm"
UPDATES = (NO_UPDATE, MEAN, MEAN_AND_STD, BATCH_NORM)

FEW = ", from {} classes"
"""Behind an update's name: it saw clips of so many classes only."""

_Levels = NDArray[np.float32]


def update_names(few_classes: int) -> tuple[str, ...]:
    """No update, each update, and where asked for each update again from few classes."""
    again = (update + FEW.format(few_classes) for update in UPDATES[1:])
    return (*UPDATES, *again) if few_classes else UPDATES


def scores_of(log_probability: NDArray[np.float64], labels: Integers) -> Scores:
    """Hits and log-probabilities of the true classes."""
    true = log_probability[np.arange(len(labels)), labels]
    return Scores(
        tuple(int(hit) for hit in log_probability.argmax(axis=1) == labels), tuple(round(float(v), 6) for v in true)
    )


@dataclass(frozen=True, eq=False)
class Deployed:
    """A trained model and the inputs that it was trained on."""

    model: nn.Module
    inputs: ArmInputs

    def log_probabilities(
        self, levels: _Levels, clips: LabelledClips, test: Integers, training: Training, few_classes: int = 0
    ) -> dict[str, NDArray[np.float64]]:
        """Those of the tested clips `(clip, class)` without and with each update that this arm and model allow.

        An update sees one half of the test clips, without their labels, and is tested on the other; then the halves
        change places. So no clip is in its own update, and no recording is in both halves.

        Args:
            levels: Of all clips, as recorded by a simulated device, `(clip, band, frame)`.
            clips: Classes and groups.
            test: Which clips are tested.
            training: How the model was trained.
            few_classes: With each update from clips of so many classes too, as a quiet night gives them; 0 without.
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
        return mean_log_probabilities(model, self.inputs.views(test, levels, normalizer), training)


def _of_few_classes(clips: LabelledClips, adapt: Integers, count: int) -> Integers:
    """Those of the clips that are of so many classes, which are drawn from the clips' own, the same every time."""
    classes = np.unique(clips.labels[adapt])
    chosen = np.random.default_rng([count, int(adapt[0])]).permutation(classes)[:count]
    return adapt[np.isin(clips.labels[adapt], chosen)]


def _halves(clips: LabelledClips, test: Integers) -> list[tuple[Integers, Integers]]:
    """Each half of the clips beside the other; groups stay whole."""
    names = sorted({clips.groups[i] for i in test})
    chosen = set(np.random.default_rng(0).permutation(names)[: len(names) // 2].tolist())
    first = np.array([i for i in test if clips.groups[i] in chosen], dtype=np.int64)
    second = np.array([i for i in test if clips.groups[i] not in chosen], dtype=np.int64)
    if not (len(first) and len(second)):  # one recording: there is no other half
        return [(test, test)]
    return [(first, second), (second, first)]
