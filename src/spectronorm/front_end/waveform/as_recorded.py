"""Waveform level that leaves the waveform as recorded."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.arrays import Array
from spectronorm.front_end.waveform.waveform_level import WaveformLevel


@dataclass(frozen=True)
class AsRecorded(WaveformLevel):
    """Leaves the waveform as recorded."""

    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        """The same wave."""
        del sample_rate, valid
        return wave
