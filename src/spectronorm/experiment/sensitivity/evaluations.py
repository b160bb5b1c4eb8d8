"""Evaluations of a model on inputs whose statistics are off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

from spectronorm.errors import ArgumentError
from spectronorm.experiment.sensitivity.model import Classifier
from spectronorm.experiment.training.models import are_probabilities
from spectronorm.runs.progress import Progress

_BATCH = 64
_Levels = NDArray[np.float32]


@dataclass(eq=False)
class Evaluations:
    """Evaluations of a model, counted for the progress.

    Attributes:
        model: The model.
        x: Inputs with the shipped statistics, `(clip, band, frame)`.
        highest: Highest class number among the labels.
        total: Number of evaluations.
        progress: Called after each evaluation.
        several: A clip may have several labels, so that each output is a probability by itself.
        done: Number of finished evaluations.
    """

    model: Classifier
    x: _Levels
    highest: int
    total: int
    progress: Progress
    several: bool
    done: int = 0

    def shipped(self) -> NDArray[np.float64]:
        """Return the log-probabilities with the shipped statistics.

        Raises:
            ArgumentError: if the model's outputs do not fit, or are not the same when it is asked again.
        """
        part = self.x[:_BATCH]
        if not np.allclose(self._checked(part), self._checked(part), rtol=1e-3, atol=1e-3):
            raise ArgumentError(
                "the model's outputs differ when the same clips are given again; put it into evaluation mode (dropout "
                "off), and draw nothing at random"
            )
        return self.log_probabilities(np.zeros((1, 1)), np.ones((1, 1)))

    def log_probabilities(self, offset: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-probabilities `(clip, class)` for inputs `(x - offset) / factor`."""
        a, r = offset.astype(np.float32), factor.astype(np.float32)
        logits = np.concatenate([self._checked((self.x[part] - a) / r) for part in _parts(len(self.x))])
        self.done += 1
        self.progress(self.done, self.total)
        if self._are_probabilities(logits):
            return np.asarray(np.log(np.maximum(logits, np.finfo(np.float64).tiny)))
        return np.asarray(log_expit(logits) if self.several else log_softmax(logits, axis=1))

    def _are_probabilities(self, outputs: NDArray[np.float64]) -> bool:
        """True for outputs after a softmax, or with several labels a clip after a sigmoid."""
        if self.several:
            return bool(((outputs >= 0) & (outputs <= 1)).all())
        return are_probabilities(outputs)

    def _checked(self, x: _Levels) -> NDArray[np.float64]:
        logits = self.model(np.ascontiguousarray(x))
        if logits.ndim != 2 or len(logits) != len(x) or logits.shape[1] <= self.highest:
            raise ArgumentError(
                f"the model gives {logits.shape} for {len(x)} clips, but logits (clip, class) of at least "
                f"{self.highest + 1} classes are needed; name the model's classes in their order"
            )
        if not np.isfinite(logits).all():
            raise ArgumentError("the model's outputs are not finite")
        return logits


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, _BATCH):
        yield slice(start, start + _BATCH)
