"""Short-time normalization of the waveform: each sample by the mean and deviation of its neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.arrays import Array, SlidingWindow, set_whole_numbers, sliding_affine
from spectronorm.front_end.waveform.waveform_level import WaveformLevel


@dataclass(frozen=True)
class SlidingStandardizeWaveform(WaveformLevel):
    """Maps `(x - mean) / std` over a window of `length` samples around each sample, or before it with `center=False`.

    See `spectronorm.arrays.sliding.SlidingWindow` for the ends, and `sliding_standardize` for the map that an inverse
    needs. Digital silence within a clip stays zero.

    Raises:
        ArgumentError: unless `1 <= min_length <= length`.
    """

    length: int = 16_000
    min_length: int = 1
    center: bool = True

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("length", "min_length"), 1)
        self._window()

    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        """The normalized wave."""
        del sample_rate
        return sliding_affine(wave, self._window(), valid=valid)(wave)

    def _window(self) -> SlidingWindow:
        return SlidingWindow(self.length, self.min_length, self.center)
