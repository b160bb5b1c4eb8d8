"""Frames of a waveform that are to be transformed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of `(wave - mean) · scale`, one every `hop` samples, each multiplied by `window` `(sample,)`.

    A float32 waveform is read as float64. After its end there are zeros.
    """

    wave: NDArray[np.floating[Any]]
    hop: int
    window: NDArray[np.float64]
    mean: float = 0.0
    scale: float = 1.0

    def windowed(self, count: int) -> NDArray[np.float64]:
        """Return the first `count` frames `(frame, sample)`, all of which lie within the waveform."""
        frames = np.lib.stride_tricks.sliding_window_view(self.wave, len(self.window))[:: self.hop][:count]
        return np.asarray((frames.astype(np.float64) - self.mean) * self.scale * self.window)
