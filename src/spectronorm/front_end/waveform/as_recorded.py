"""Waveform level that leaves the waveform as recorded."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from spectronorm.arrays import Array
from spectronorm.front_end.waveform.waveform_level import WAVEFORM_LEVELS, ClipStatistics, WaveformChange, WaveformLevel

_UNCHANGED = WaveformChange()


@WAVEFORM_LEVELS.register("as_recorded")
@dataclass(frozen=True)
class AsRecorded(WaveformLevel):
    """Leaves the waveform as recorded.

    >>> import numpy as np
    >>> wave = np.array([0.1, -0.2, 0.3])
    >>> AsRecorded()(wave, 16_000)
    array([ 0.1, -0.2,  0.3])
    """

    @override
    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        return wave

    @property
    @override
    def is_change(self) -> bool:
        return True

    @override
    def change(self, clip: ClipStatistics) -> WaveformChange:
        return _UNCHANGED
