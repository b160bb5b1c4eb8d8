"""Frames of a waveform that are to be transformed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of `(wave - mean) · scale`, one every `hop` samples, each multiplied by `window` `(sample,)`.

    Before the window, a frame's own mean is subtracted if `remove_mean` is set, and then `x[t] - preemphasis · x[t-1]`
    is taken, with the frame's first sample in place of the one before it. A float32 waveform is read as float64. After
    its end there are zeros.
    """

    wave: NDArray[np.floating[Any]]
    hop: int
    window: NDArray[np.float64]
    mean: float = 0.0
    scale: float = 1.0
    remove_mean: bool = False
    preemphasis: float = 0.0

    @property
    def windowed_only(self) -> bool:
        """True if nothing is done to a frame before the window."""
        return not self.remove_mean and self.preemphasis == 0.0

    def windowed(self, count: int) -> NDArray[np.float64]:
        """Return the first `count` frames `(frame, sample)`, all of which lie within the waveform."""
        view = np.lib.stride_tricks.sliding_window_view(self.wave, len(self.window))[:: self.hop][:count]
        frames = (view.astype(np.float64) - self.mean) * self.scale
        if self.remove_mean:
            frames = frames - frames.mean(axis=-1, keepdims=True)
        if self.preemphasis:
            frames = frames - self.preemphasis * np.concatenate([frames[:, :1], frames[:, :-1]], axis=-1)
        return np.asarray(frames * self.window)
