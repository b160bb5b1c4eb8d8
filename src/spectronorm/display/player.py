"""Sound in a notebook: a player with the samples inside, so that a saved notebook still plays."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field

import numpy as np
import soundfile
from numpy.typing import ArrayLike, NDArray

from spectronorm.arrays import as_single, real_number
from spectronorm.display.spectrogram import host_array
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.suggestion import known_keywords, known_settings

MOST_SECONDS = 60.0


@known_settings
@dataclass(frozen=True, eq=False)
class Player:
    """Player of a sound, which notebooks show.

    Attributes:
        samples: Samples `(channel, sample)`.
        sample_rate: Sample rate in Hz.
        scaled: Factor that the samples were multiplied by, so that none is clipped.

    >>> import numpy as np
    >>> player = Player(np.zeros(1000, np.float32), 8000)
    >>> player._repr_html_()[:6]
    '<audio'
    """

    samples: NDArray[np.float32] = field(repr=False)
    sample_rate: int
    scaled: float = 1.0

    def wav(self) -> bytes:
        """Return the sound as a WAV file of 16 bits."""
        buffer = io.BytesIO()
        soundfile.write(buffer, self.samples.T, self.sample_rate, format="WAV", subtype="PCM_16")
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        source = base64.b64encode(self.wav()).decode()
        quieter = (
            f" <small>{20 * np.log10(self.scaled):.1f} dB, so that nothing is clipped</small>"
            if self.scaled < 1
            else ""
        )
        seconds = self.samples.shape[-1] / self.sample_rate
        return (
            f'<audio controls title="sound of {seconds:.1f} s" src="data:audio/wav;base64,{source}"></audio>{quieter}'
        )


@known_keywords
def play(wave: ArrayLike, sample_rate: int) -> Player:
    """Return a player of a waveform, as the last value of a notebook's cell.

    The level is kept, so that quiet clips stay quiet; a waveform beyond ±1 is made quieter, and the player says so.

    Args:
        wave: Samples `(sample,)` or `(channel, sample)`, NumPy or torch; at most 60 seconds.
        sample_rate: Sample rate in Hz.

    Raises:
        ShapeError: if the wave has no samples, more than two axes or more than 16 channels.
        ArgumentError: if the rate is not in 1000 … 192000 Hz, the wave is longer, or a sample is not finite.

    >>> import numpy as np, spectronorm as sn
    >>> sn.play(np.zeros(8_000), 8_000)
    Player(sample_rate=8000, scaled=1.0)
    """
    host = host_array(wave, "a wave")
    samples = np.atleast_2d(as_single(host))
    if samples.ndim != 2 or not samples.size or len(samples) > 16:
        raise ShapeError(f"a wave of shape {host.shape} cannot be played; (sample,) or (channel, sample) is needed")
    sample_rate = int(real_number(sample_rate, "sample_rate", 1000, 192_000, of="Hz"))
    if samples.shape[1] > MOST_SECONDS * sample_rate:
        raise ArgumentError(
            f"{samples.shape[1] / sample_rate:.0f} s are too long; play a part of at most {MOST_SECONDS:.0f} s"
        )
    if not np.isfinite(samples).all():
        raise ArgumentError("the wave holds values that are not finite")
    peak = float(np.abs(samples).max())
    scale = 1.0 / peak if peak > 1.0 else 1.0
    return Player(samples * np.float32(scale), sample_rate, scale)
