"""From a file to a mono clip at the rate that was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnorm.audio.clip import Clip
from specnorm.audio.decode import decode
from specnorm.audio.resample import resample
from specnorm.errors import ArgumentError, AudioError, BadAudioReason


def read_clip(path: str | Path, sample_rate: int, *, duration: float | None = None, resampler: str = "soxr_hq") -> Clip:
    """Read any format that libsndfile reads, as mono float32 at `sample_rate` (Hz).

    Channels are averaged in float; integers of any depth become [-1, 1]. With `duration` (seconds) the clip is cropped
    at its end, or padded with zeros there, to exactly that length, and remembers how many samples are real.

    Raises:
        AudioError: when the file cannot be used, with the reason.
        ArgumentError: when `duration` is not positive.
    """
    if duration is not None and not duration > 0:
        raise ArgumentError(f"duration={duration} must be a positive number of seconds")
    samples, source_rate = decode(Path(path))
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    mono = resample(np.ascontiguousarray(mono), source_rate, sample_rate, resampler)
    if mono.size == 0:
        raise AudioError(BadAudioReason.TOO_SHORT, f"nothing is left of it at {sample_rate} Hz")
    length = mono.size
    if duration is not None:
        wanted = max(1, round(duration * sample_rate))
        length = min(length, wanted)
        mono = np.pad(mono[:length], (0, wanted - length))
    return Clip(mono, sample_rate, length)


def read(path: str | Path, sample_rate: int) -> NDArray[np.float32]:
    """The samples of one file as a mono float32 array at `sample_rate` (Hz), ready for a front end or pipeline."""
    return read_clip(path, sample_rate).samples
