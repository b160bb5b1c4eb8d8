"""Frames of a waveform that are to be transformed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _nothing() -> NDArray[np.floating[Any]]:
    return np.empty(0, np.float32)


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of `(wave - mean) · scale`, one every `hop` samples, each multiplied by `window` `(sample,)`.

    Before the window, a frame's own mean is subtracted if `remove_mean` is set, and then `x[t] - preemphasis · x[t-1]`
    is taken, with the frame's first sample in place of the one before it. A float32 waveform is read as float64.

    Its padding, in its dtype, stands apart, so that the waveform needs no copy: `begin` samples after the first one of
    `before`, the first frame begins. After `behind` there are zeros.
    """

    wave: NDArray[np.floating[Any]]
    hop: int
    window: NDArray[np.float64]
    mean: float = 0.0
    scale: float = 1.0
    remove_mean: bool = False
    preemphasis: float = 0.0
    before: NDArray[np.floating[Any]] = field(default_factory=_nothing)
    behind: NDArray[np.floating[Any]] = field(default_factory=_nothing)
    begin: int = 0
    kept: dict[Any, Any] = field(default_factory=dict, repr=False)
    """Arguments that the kernels keep from one block to the next, of these frames or of others that are cut alike."""

    @cached_property
    def parts(self) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """The waveform, and its padding before and behind it."""
        # Ends of another dtype, such as none, would need a compilation of their own.
        before, behind = (end.astype(self.wave.dtype, copy=False) for end in (self.before, self.behind))
        return self.wave, before, behind

    @property
    def samples(self) -> int:
        """Number of samples of the padded waveform from the first frame on."""
        return len(self.before) + len(self.wave) + len(self.behind) - self.begin

    @property
    def windowed_only(self) -> bool:
        """True if nothing is done to a frame before the window."""
        return not self.remove_mean and self.preemphasis == 0.0

    def windowed(self, count: int, first: int = 0) -> NDArray[np.float64]:
        """Return `count` frames `(frame, sample)` from `first` on, all of which lie within the padded waveform."""
        padded = np.concatenate([self.before, self.wave, self.behind])[self.begin + first * self.hop :]
        view = np.lib.stride_tricks.sliding_window_view(padded, len(self.window))[:: self.hop][:count]
        frames = (view.astype(np.float64) - self.mean) * self.scale
        if self.remove_mean:
            frames = frames - frames.mean(axis=-1, keepdims=True)
        if self.preemphasis:
            frames = frames - self.preemphasis * np.concatenate([frames[:, :1], frames[:, :-1]], axis=-1)
        return np.asarray(frames * self.window)
