"""Effect of a front end's waveform level on a clip, and its reversal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array
from spectronorm.errors import ArgumentError
from spectronorm.front_end.front_end import FrontEnd


@dataclass(frozen=True)
class WaveformGain:
    """Scale and offset that restore the waveform as recorded, `scale · x + offset`, from the STFT's input `x`.

    For a standardized waveform, these are its original standard deviation and mean; as recorded, 1 and 0. A waveform
    level other than a gain and offset (pre-emphasis, sliding windows) is not undone: 1 and 0 too.

    Raises:
        ArgumentError: if a number is not finite or the scale is negative.
    """

    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and math.isfinite(self.offset) and self.scale >= 0):
            raise ArgumentError(f"scale={self.scale}, offset={self.offset} must be finite, and the scale not negative")

    @classmethod
    def of(cls, wave: NDArray[Any], front_end: FrontEnd) -> WaveformGain:
        """Find the gain and offset that `front_end.level` removes from one waveform `(sample,)`.

        A waveform that the level makes silent was equal to its mean.
        """
        recorded = np.asarray(wave, dtype=np.float64)
        levelled = np.asarray(front_end.level(recorded, front_end.sample_rate), dtype=np.float64)
        if levelled.shape != recorded.shape:
            return cls()
        spread = float(levelled.std())
        scale = float(recorded.std()) / spread if spread > 0 else 0.0
        offset = float(recorded.mean()) - scale * float(levelled.mean())
        if not np.allclose(scale * levelled + offset, recorded, rtol=0.0, atol=1e-6 * max(spread * scale, 1e-6)):
            return cls()
        return cls(scale, offset if abs(offset) > 1e-12 else 0.0)

    def undo(self, x: Array) -> Array:
        """Return the waveform as recorded."""
        return x * self.scale + self.offset
