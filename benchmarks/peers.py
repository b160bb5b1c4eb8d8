"""What people use instead: a two-sample test over frames, and a change detector over frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray
from river.drift import ADWIN as _ADWIN

ADWIN: Any = _ADWIN  # river has no types
Means = Sequence[NDArray[np.float32]]
LOOKS = (4, 8, 12, 16, 20, 32, 48, 64, 80)
_TRAINING_FRAMES = 4000


class KolmogorovSmirnov:
    """SciPy's `ks_2samp` of all frames' mean levels so far against the training set's, at a few clips only.

    Each look has the probability of a false alarm that would be right if frames were independent.
    """

    def __init__(self, training: Means, rate: float) -> None:
        frames = np.concatenate(list(training))
        generator = np.random.default_rng(0)
        self._training = generator.choice(frames, min(_TRAINING_FRAMES, len(frames)), replace=False)
        self._rate = rate

    def first(self, means: Means, order: NDArray[np.int64]) -> int:
        """The clip at which it alarms first; 0 for never."""
        before = 0
        for look in (look for look in LOOKS if look <= len(order)):
            frames = np.concatenate([means[i] for i in order[:look]])[-_TRAINING_FRAMES:]
            if scipy.stats.ks_2samp(self._training, frames, method="asymp").pvalue < self._rate * (look - before):
                return look
            before = look
        return 0


class Adwin:
    """river's ADWIN over the mean levels of frames, after 20 training clips; `delta` is the rate asked for."""

    def __init__(self, training: Means, rate: float) -> None:
        generator = np.random.default_rng(0)
        chosen = generator.choice(len(training), min(20, len(training)), replace=False)
        self._training = np.concatenate([training[i] for i in chosen]).tolist()
        self._rate = rate

    def first(self, means: Means, order: NDArray[np.int64]) -> int:
        """The clip at which it alarms first; 0 for never."""
        detector = ADWIN(delta=self._rate)
        for value in self._training:
            detector.update(value)
        for clip, index in enumerate(order, start=1):
            for value in means[index].tolist():
                detector.update(value)
                if detector.drift_detected:
                    return clip
        return 0
