"""One clip: mono samples at a known rate, and how many of them are real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.kernels.jit import kernel


@dataclass(frozen=True, eq=False)
class Clip:
    """Float32 samples in [-1, 1] at `sample_rate` (Hz), `(sample,)` or a stack `(channel, sample)`.

    Attributes:
        samples: The samples; those from `length` on are padding.
        sample_rate: In Hz.
        length: Number of samples of a channel that are real.
        flat: `silent` when all real samples are zero, `constant` when they are equal otherwise, else None.
        flags: What is wrong with the channels of the recording: `channels-cancel`, `dead-channel`.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    length: int
    flat: BadAudioReason | None = None
    flags: tuple[BadAudioReason, ...] = ()

    @property
    def valid(self) -> NDArray[np.float32]:
        """The samples without the padding: what statistics may count."""
        return self.samples[..., : self.length]

    @property
    def seconds(self) -> float:
        """Length without padding, in seconds."""
        return self.length / self.sample_rate


def flatness(samples: NDArray[np.float32]) -> BadAudioReason | None:
    """`silent` for zeros, `constant` for any other single value, else None."""
    # Sound hardly ever ends on the value it begins with: that is looked at first, because it costs nothing.
    if samples[0] != samples[-1] or samples.min() != samples.max():
        return None
    return BadAudioReason.CONSTANT if samples[0] else BadAudioReason.SILENT


def skipped(flat: BadAudioReason) -> AudioError:
    """Why a clip whose samples are all alike is left out, where such clips are to be."""
    return AudioError(flat, "its samples are all alike, and such clips are to be skipped")


def within(samples: NDArray[np.float32], peak: float) -> bool:
    """Say if the magnitude of every sample `(sample,)` is finite and at most `peak`."""
    return bool(highest_magnitude(samples) <= np.float32(peak))


def _highest_magnitude_by_numpy(samples: NDArray[np.float32]) -> float:
    return float(np.abs(samples).max(initial=0.0))


@kernel(_highest_magnitude_by_numpy, cache=True, nogil=True)
def highest_magnitude(samples: NDArray[np.float32]) -> float:
    """The highest magnitude of samples `(sample,)`, which must be contiguous; NaN when there is one among them."""
    # Without their sign bits, floats are in the order of their bits as integers, and NaN is above all others.
    bits = samples.view(np.int32)
    highest = np.int32(0)
    for i in range(bits.size):
        highest = max(highest, bits[i] & np.int32(0x7FFFFFFF))
    return float(np.int32(highest).view(np.float32))
