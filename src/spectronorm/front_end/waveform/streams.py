"""Waveform levels of samples that come in pieces."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_Samples = NDArray[np.floating[Any]]


class WaveformStream(Protocol):
    """The level of one waveform in pieces: all results together are the level of the whole waveform."""

    def add(self, samples: _Samples) -> NDArray[np.float64]:
        """Return the next samples at the level: those that are complete."""

    def flush(self) -> NDArray[np.float64]:
        """Return the samples that the end of the waveform completes."""


class ChangedSamples:
    """Stream of a level that maps each sample by itself: `(x - offset) · scale`."""

    def __init__(self, offset: float, scale: float) -> None:
        self._offset, self._scale = offset, scale

    def add(self, samples: _Samples) -> NDArray[np.float64]:
        """Return the mapped samples."""
        return (samples.astype(np.float64) - self._offset) * self._scale

    def flush(self) -> NDArray[np.float64]:
        """Return nothing."""
        return np.empty(0)
