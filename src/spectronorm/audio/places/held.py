"""Content of clips that lie in no file: bytes, and samples that Python code gives, as files in memory."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import to_host
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason

IN_MEMORY = "(memory)"
"""Location of clips that lie in no file."""
_MOST_CHANNELS = 64
_MOST_BYTES = (1 << 32) - 256
_SCALES = {"int16": 1 / 32768, "int32": 1 / 2147483648}


class HeldContent(Protocol):
    """Content of a clip, picklable, so that any worker can read it."""

    def read(self) -> bytes:
        """Return the bytes of an audio file.

        Raises:
            AudioError: if there are none.
        """
        ...


@dataclass(frozen=True, eq=False)
class HeldBytes:
    """The bytes of an audio file."""

    data: bytes

    def read(self) -> bytes:
        """Return the bytes."""
        return self.data


@dataclass(frozen=True, eq=False)
class HeldWave:
    """Samples `(sample,)` or `(channel, sample)` at a rate in Hz: float in [-1, 1], or integers of 16 or 32 bits."""

    samples: NDArray[Any]
    sample_rate: int

    @classmethod
    def of(cls, wave: object, sample_rate: object) -> HeldWave:
        """Check the form of a wave; its values are checked when it is read, as those of files are.

        Raises:
            ArgumentError: if it is not an array `(sample,)` or `(channel, sample)` of floats or of integers with 16 or
                32 bits, or the rate is not a whole number.
        """
        rate = float(sample_rate) if isinstance(sample_rate, int | float | np.number) else 0.0
        if isinstance(sample_rate, bool) or not 1 <= rate <= (1 << 31) or rate != int(rate):
            raise ArgumentError(f"a wave's sample rate is {sample_rate!r}, but must be a whole number of Hz")
        array = to_host(wave)
        if array.dtype.kind != "f" and array.dtype.name not in _SCALES:
            raise ArgumentError(
                f"a wave has dtype {array.dtype}, but must be floating point in [-1, 1], or integers of 16 or 32 bits"
            )
        if array.ndim == 2 and array.shape[0] > _MOST_CHANNELS:
            raise ArgumentError(
                f"a wave of shape {array.shape} has {array.shape[0]} channels by (channel, sample); transpose it if "
                "it is (sample, channel)"
            )
        if array.ndim not in (1, 2):
            raise ArgumentError(f"a wave has shape {array.shape}, but must be (sample,) or (channel, sample)")
        return cls(array, int(rate))

    def read(self) -> bytes:
        """Return a WAV file of 32-bit floats.

        Raises:
            AudioError: if there is no sample, or there are more than a WAV file can hold.
        """
        if not self.samples.size:
            raise AudioError(BadAudioReason.EMPTY, "it holds no samples")
        if 4 * self.samples.size > _MOST_BYTES:
            raise AudioError(BadAudioReason.TOO_LARGE, f"it holds {self.samples.size} samples")
        scale = _SCALES.get(self.samples.dtype.name)
        with np.errstate(over="ignore"):  # infinite samples are found when the clip is read
            floats = np.asarray(self.samples if scale is None else self.samples * scale, dtype="<f4")
        channels = 1 if floats.ndim == 1 else floats.shape[0]
        size = 4 * floats.size
        head = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 3, channels),
            *(self.sample_rate, 4 * channels * self.sample_rate, 4 * channels, 32, b"data", size),
        )
        return head + np.ascontiguousarray(floats.T).tobytes()
