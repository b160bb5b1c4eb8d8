"""Standardized waveforms: mean 0 and standard deviation 1, clip by clip."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.arrays import Array, mean_of_valid, namespace
from spectronorm.front_end.waveform.waveform_level import WaveformLevel


@dataclass(frozen=True)
class StandardizeWaveform(WaveformLevel):
    """Standardizes each clip to mean 0 and standard deviation 1 (ddof = 0) over its last axis.

    A constant clip becomes zero, not NaN: a clip with a deviation below a millionth of its offset counts as constant,
    since such a deviation is rounding.
    """

    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        """The standardized wave."""
        del sample_rate
        xp = namespace(wave)
        mean = mean_of_valid(wave, valid, -1)
        centred = wave - mean
        variance = mean_of_valid(centred * centred, valid, -1)
        constant = variance <= 1e-12 * mean * mean
        # The root of 1 is taken for a constant clip, because the root of 0 has no gradient.
        std = xp.sqrt(xp.where(constant, xp.ones_like(variance), variance))
        return xp.where(constant, xp.zeros_like(centred), centred / std)
