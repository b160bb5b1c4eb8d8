"""A few seconds of a clip as it is stored: a player's sound and a small picture of its spectrum over time."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

from spectronorm.image_files.png import encode_png

_PLAYED_SECONDS = 2.0
_PICTURED_SECONDS = 10.0
_ROWS, _COLUMNS = 96, 320
_LOWEST_DB, _HIGHEST_DB = -100.0, -10.0
_WINDOW_SECONDS = 0.046
_MOST_CHANNELS = 2
_PLAYED_RATES = (8000, 48_000)


@dataclass(frozen=True, eq=False)
class ClipExcerpt:
    """The first seconds of a clip `(sample, channel)`, two channels at most."""

    samples: NDArray[np.float32]
    sample_rate: int

    def flac(self) -> bytes:
        """Return the loudest seconds as a FLAC file of 16 bits, at their own level.

        Rates that browsers do not play are brought into range by leaving samples out, or repeating them.
        """
        wanted = round(_PLAYED_SECONDS * self.sample_rate)
        loudest = int(np.abs(self.samples).max(axis=1).argmax())
        first = max(0, min(loudest - wanted // 4, len(self.samples) - wanted))
        samples = self.samples[first : first + wanted]
        low, high = _PLAYED_RATES
        rate = min(max(self.sample_rate, low), high)
        if rate != self.sample_rate:
            count = max(1, round(len(samples) * rate / self.sample_rate))
            samples = samples[np.minimum(np.arange(count) * self.sample_rate // rate, len(samples) - 1)]
        buffer = io.BytesIO()
        soundfile.write(buffer, np.clip(samples, -1, 1), rate, format="FLAC", subtype="PCM_16")
        return buffer.getvalue()

    def picture(self) -> bytes:
        """Return a PNG of the spectrum over time: 0 Hz to half the sample rate upwards, -100 to -10 dBFS."""
        size = max(2 * _ROWS, 1 << round(np.log2(_WINDOW_SECONDS * self.sample_rate)))
        mono = self.samples.mean(axis=1)
        mono = np.pad(mono, (0, max(0, size - len(mono))))
        starts = np.linspace(0, len(mono) - size, _COLUMNS).astype(int)
        window = np.hanning(size)
        power = np.abs(np.fft.rfft(mono[starts[:, None] + np.arange(size)] * window, axis=1) / window.sum()) ** 2
        borders = np.linspace(0, power.shape[1] - 1, _ROWS + 1).astype(int)
        rows = np.maximum.reduceat(power, borders[:-1], axis=1).T[::-1]
        level = 10 * np.log10(np.maximum(rows, 1e-20))
        grey = np.clip((level - _LOWEST_DB) / (_HIGHEST_DB - _LOWEST_DB), 0, 1)
        pixels = np.ascontiguousarray(np.rint(255 * (1 - grey)).astype(np.uint8))
        return encode_png(pixels, "Software", "spectronorm")


def excerpt_of(sample_rate: int, blocks: Iterable[NDArray[np.float32]]) -> ClipExcerpt:
    """Keep the first ten seconds of a recording that is given in blocks `(sample, channel)`."""
    most = max(1, round(_PICTURED_SECONDS * sample_rate))
    kept: list[NDArray[np.float32]] = []
    for block in blocks:
        kept.append(block[:most, :_MOST_CHANNELS].copy())
        most -= len(kept[-1])
        if most <= 0:
            break
    return ClipExcerpt(np.concatenate(kept), sample_rate)
