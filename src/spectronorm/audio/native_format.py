"""Format of a clip's recording, before anything is resampled or mixed."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.audio.places.held import HeldWave
from spectronorm.audio.places.reference import ClipReference


@dataclass(frozen=True, order=True)
class NativeFormat:
    """Sample rate (Hz), number of channels, and bits of a stored sample, as a recording has them.

    `bits` is 0 if they are not known: of an encoding that has none (MP3, Vorbis), and of a wave that lies in no file.
    """

    sample_rate: int
    channels: int
    bits: int = 0

    @classmethod
    def of(cls, clip: ClipReference, sample_rate: int, channels: int, bits: int) -> NativeFormat:
        """The format of a clip that was decoded: a wave is decoded from a file that only its reading makes."""
        is_wave = clip.part is not None and isinstance(clip.part.held, HeldWave)
        return cls(sample_rate, channels, 0 if is_wave else bits)
