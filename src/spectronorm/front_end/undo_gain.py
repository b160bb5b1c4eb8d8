"""Effect of a front end's waveform level on a clip, and its reversal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array
from spectronorm.errors import ArgumentError
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.waveform.waveform_level import WaveformChange
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

PerChannel = float | tuple[float, ...]
"""One number, or one for each channel."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class WaveformGain:
    """Scale and offset that restore the waveform as recorded, `scale · x + offset`, from the STFT's input `x`.

    For a standardized waveform, these are its original standard deviation and mean; as recorded, 1 and 0. A waveform
    level other than a gain and offset (pre-emphasis, sliding windows) is not undone: 1 and 0 too. Channels of a stack
    that differ have one number each.

    Raises:
        ArgumentError: if a number is not finite, a scale is negative, or their numbers of channels differ.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(level=sn.waveform.StandardizeWaveform())
    >>> wave = 0.25 + 0.1 * np.random.default_rng(0).standard_normal(16_000)
    >>> gain = WaveformGain.of(wave, front_end)
    >>> bool(np.allclose(gain.undo(front_end.level(wave)), wave))
    True
    """

    scale: PerChannel = 1.0
    offset: PerChannel = 0.0

    def __post_init__(self) -> None:
        scales, offsets = np.atleast_1d(self.scale), np.atleast_1d(self.offset)
        if not (np.isfinite(scales).all() and np.isfinite(offsets).all() and (scales >= 0).all()):
            raise ArgumentError(f"scale={self.scale}, offset={self.offset} must be finite, and the scale not negative")
        if len(scales) != len(offsets):
            raise ArgumentError(f"scale={self.scale}, offset={self.offset} must be of the same number of channels")

    @property
    def channels(self) -> int | None:
        """Number of channels that differ; None for one gain."""
        return len(self.scale) if isinstance(self.scale, tuple) else None

    @classmethod
    def of(cls, wave: NDArray[Any], front_end: FrontEnd) -> WaveformGain:
        """Find the gain and offset that `front_end.level` removes from one waveform `(sample,)` or `(channel, sample)`.

        A waveform that the level makes silent was equal to its mean.
        """
        if wave.ndim > 1:
            return cls.of_channels([cls.of(channel, front_end) for channel in wave])
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

    @classmethod
    def of_channels(cls, gains: Sequence[WaveformGain]) -> WaveformGain:
        """The gain of a stack, from that of each channel; one gain if all are equal."""
        if len(set(gains)) == 1:
            return gains[0]
        scales, offsets = zip(*((gain.scale, gain.offset) for gain in gains), strict=True)
        return cls(tuple(scales), tuple(offsets))

    @classmethod
    def undoing(cls, changes: Sequence[WaveformChange]) -> WaveformGain:
        """The gain that undoes the changes of a clip's channels."""
        return cls.of_channels([cls(1.0 / one.scale if one.scale else 0.0, one.offset) for one in changes])

    def undo(self, x: Array) -> Array:
        """Return the waveform as recorded, from `(sample,)`, or `(channel, sample)` if the channels differ."""
        if self.channels is None:
            return x * self.scale + self.offset
        scale, offset = (np.asarray(values)[:, None] for values in (self.scale, self.offset))
        return x * scale + offset
