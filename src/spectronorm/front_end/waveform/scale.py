"""Waveform levels that multiply a clip by one number, given by a fixed factor, its peak or its RMS."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

from spectronorm.arrays import Array, mean_of_valid, namespace, set_real_numbers
from spectronorm.front_end.waveform.waveform_level import WAVEFORM_LEVELS, ClipStatistics, WaveformChange, WaveformLevel

_LEAST = 2.0**-126
"""Smallest amplitude that is not silence, the smallest normal number of float32: below it, a gain may be infinite."""


@WAVEFORM_LEVELS.register("rms")
@dataclass(frozen=True)
class RMSLevel(WaveformLevel):
    """Scales each clip to a root mean square of `dbfs` (a full-scale sine has -3.01); silence stays silence.

    Peaks may exceed 1.0: nothing is clipped.

    Raises:
        ArgumentError: if `dbfs` is not in -120 … 0.

    >>> import numpy as np, spectronorm as sn
    >>> float(RMSLevel(-20.0)(np.array([0.5, -0.5]), 16_000).std())
    0.1
    """

    dbfs: float = field(default=-20.0, metadata={"help": "level in dBFS"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("dbfs",), -120, 0, of="dBFS (0 is full scale)")

    @override
    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        xp = namespace(wave)
        power = mean_of_valid(wave * wave, valid, -1)
        silent = power == 0
        # The root has no gradient at zero, so silence takes the root of one.
        root = xp.sqrt(xp.where(silent, xp.ones_like(power), power))
        return wave * _gain(xp, xp.where(silent, power, root), self.dbfs)

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
        return _change(clip.rms, self.dbfs)


@WAVEFORM_LEVELS.register("peak")
@dataclass(frozen=True)
class PeakLevel(WaveformLevel):
    """Scales each clip to a largest magnitude of `dbfs` (0 dBFS is 1.0); a silent clip stays silent.

    Raises:
        ArgumentError: if `dbfs` is not in -120 … 0.

    >>> import numpy as np, spectronorm as sn
    >>> float(np.abs(PeakLevel(-6.0)(np.array([0.1, -0.2]), 16_000)).max().round(3))
    0.501
    """

    dbfs: float = field(default=0.0, metadata={"help": "level in dBFS"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("dbfs",), -120, 0, of="dBFS (0 is full scale)")

    @override
    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        xp = namespace(wave)  # padding has no peak, so `valid` does not matter
        return wave * _gain(xp, xp.max(xp.abs(wave), axis=-1, keepdims=True), self.dbfs)

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
        return _change(clip.peak, self.dbfs)


@WAVEFORM_LEVELS.register("scale")
@dataclass(frozen=True)
class ScaleWaveform(WaveformLevel):
    """Multiplies every sample by `factor`: 32768 takes samples from [-1, 1] to the range of 16-bit integers (Kaldi).

    Raises:
        ArgumentError: if `factor` is not in 1e-12 … 1e12.

    >>> import numpy as np
    >>> ScaleWaveform()(np.array([0.0, 0.5, -1.0]), 16_000)
    array([     0.,  16384., -32768.])
    """

    factor: float = field(default=32768.0, metadata={"help": "factor applied to every sample"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("factor",), 1e-12, 1e12)

    @override
    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        return wave * self.factor

    @property
    @override
    def is_change(self) -> bool:
        return True

    @override
    def change(self, clip: ClipStatistics) -> WaveformChange:
        return WaveformChange(scale=self.factor)


def _change(amplitude: float, dbfs: float) -> WaveformChange:
    return WaveformChange(scale=10.0 ** (dbfs / 20.0) / amplitude if amplitude >= _LEAST else 1.0)


def _gain(xp: object, amplitude: Array, dbfs: float) -> Array:
    """Return the factor that takes an amplitude to `dbfs`; 1 for silence."""
    target = 10.0 ** (dbfs / 20.0)
    ones = xp.ones_like(amplitude)  # type: ignore[attr-defined]
    heard = amplitude >= _LEAST
    return xp.where(heard, target / xp.where(heard, amplitude, ones), ones)  # type: ignore[attr-defined]
