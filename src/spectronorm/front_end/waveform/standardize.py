"""Standardized waveforms: mean 0 and standard deviation 1, clip by clip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Array, mean_of_valid, namespace
from spectronorm.arrays.rounding import CONSTANT, CONSTANT_VARIANCE
from spectronorm.front_end.waveform.waveform_level import WAVEFORM_LEVELS, ClipStatistics, WaveformChange, WaveformLevel
from spectronorm.kernels.sums import mean_of, mean_square


@WAVEFORM_LEVELS.register("standardize")
@dataclass(frozen=True)
class StandardizeWaveform(WaveformLevel):
    """Standardizes each clip to mean 0 and standard deviation 1 (ddof = 0) over its last axis.

    A constant clip becomes zero, not NaN: a clip with a deviation below a millionth of its offset counts as constant,
    since such a deviation is rounding.

    >>> import numpy as np, spectronorm as sn
    >>> StandardizeWaveform()(np.array([1.0, 3.0]), 16_000).tolist()
    [-1.0, 1.0]
    """

    @override
    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        xp = namespace(wave)
        mean = mean_of_valid(wave, valid, -1)
        centred = wave - mean
        variance = mean_of_valid(centred * centred, valid, -1)
        constant = variance <= CONSTANT_VARIANCE * mean * mean
        # The root of 1 is taken for a constant clip, because the root of 0 has no gradient.
        std = xp.sqrt(xp.where(constant, xp.ones_like(variance), variance))
        return xp.where(constant, xp.zeros_like(centred), centred / std)

    @property
    @override
    def is_change(self) -> bool:
        return True

    @property
    @override
    def needs_statistics(self) -> bool:
        return True

    @override
    def change(self, clip: ClipStatistics) -> WaveformChange:
        return WaveformChange(clip.mean, _one_over(clip.std, clip.mean))

    @override
    def change_while_windowing(self, samples: NDArray[Any]) -> WaveformChange | None:
        mean = mean_of(samples)
        return WaveformChange(mean, _one_over(math.sqrt(mean_square(samples, mean)), mean))


def _one_over(std: float, mean: float) -> float:
    """One over the standard deviation; 0 for a constant clip."""
    return 0.0 if std <= CONSTANT * abs(mean) else 1.0 / std
