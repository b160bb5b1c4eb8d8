"""Clip: mono samples at a known rate, and the number of valid samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.native_format import NativeFormat
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.kernels.jit import kernel
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings

_FLAT_DETAIL = {
    BadAudioReason.SILENT: "all its samples are zero; it was counted, at the floor",
    BadAudioReason.CONSTANT: "all its samples are equal; it was counted",
}


@dataclass(frozen=True)
class Remark:
    """Something odd about a clip that is counted all the same."""

    reason: BadAudioReason
    detail: str


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class Clip:
    """Float32 samples in [-1, 1] at `sample_rate` (Hz), `(sample,)` or a stack `(channel, sample)`.

    Attributes:
        samples: The samples; those from `length` on are padding.
        sample_rate: In Hz.
        length: Number of samples of a channel that are real.
        flat: `silent` when all real samples are zero, `constant` when they are equal otherwise, else None.
        remarks: Everything else that is odd about the recording: its file, or its channels.
        native: Format of the recording that it comes from.

    >>> import numpy as np
    >>> clip = Clip(np.zeros(24_000, np.float32), 16_000, 16_000)
    >>> clip.seconds, clip.valid.shape
    (1.0, (16000,))
    """

    samples: NDArray[np.float32]
    sample_rate: int
    length: int
    flat: BadAudioReason | None = None
    remarks: tuple[Remark, ...] = ()
    native: NativeFormat | None = None

    @property
    def flags(self) -> tuple[Remark, ...]:
        """All that a profile lists of the clip: its remarks, and that it is silent or constant."""
        return flags(self.flat, self.remarks)

    @property
    def valid(self) -> NDArray[np.float32]:
        """Samples without padding, which statistics may count."""
        return self.samples[..., : self.length]

    def at_least(self, samples: int) -> NDArray[np.float32]:
        """The samples without the padding, but with so much of it that there are `samples`, if there is so much.

        A clip shorter than one window has no frame; where it was padded to a longer duration, the first window counts.
        """
        return self.samples[..., : max(self.length, min(samples, self.samples.shape[-1]))]

    @property
    def seconds(self) -> float:
        """Length without padding, in seconds."""
        return self.length / self.sample_rate


def flatness(samples: NDArray[np.float32]) -> BadAudioReason | None:
    """Return `silent` for zeros, `constant` for any other single value, else None."""
    # Sound hardly ever ends on its first value, so this comparison comes first: it costs nothing.
    if samples[0] != samples[-1] or samples.min() != samples.max():
        return None
    return BadAudioReason.CONSTANT if samples[0] else BadAudioReason.SILENT


def flags(flat: BadAudioReason | None, remarks: tuple[Remark, ...]) -> tuple[Remark, ...]:
    """The remarks, and before them that a clip is silent or constant."""
    return remarks if flat is None else (Remark(flat, _FLAT_DETAIL[flat]), *remarks)


def oddities(missing: float, note: str) -> tuple[Remark, ...]:
    """Remarks on a file that lacks a few seconds, or whose container is odd."""
    found = [Remark(BadAudioReason.TRUNCATED, f"{missing:.4g} s of it are missing; it was counted")] if missing else []
    return (*found, *([Remark(BadAudioReason.HEADER_LIES, note)] if note else []))


def skipped(flat: BadAudioReason) -> AudioError:
    """Return the error for a flat clip that is to be left out."""
    return AudioError(flat, "its samples are all alike, and such clips are to be skipped")


def within(samples: NDArray[np.float32], peak: float) -> bool:
    """Say if the magnitude of every sample `(sample,)` is finite and at most `peak`."""
    return bool(highest_magnitude(samples) <= np.float32(peak))


def _highest_magnitude_by_numpy(samples: NDArray[np.float32]) -> float:
    return float(np.abs(samples).max(initial=0.0))


@kernel(_highest_magnitude_by_numpy, cache=True, nogil=True)
def highest_magnitude(samples: NDArray[np.float32]) -> float:
    """Return the highest magnitude of contiguous samples `(sample,)`; NaN if any sample is NaN."""
    # Without sign bits, floats have the order of their bits as integers, with NaN above all others.
    bits = samples.view(np.int32)
    highest = np.int32(0)
    for i in range(bits.size):
        highest = max(highest, bits[i] & np.int32(0x7FFFFFFF))
    return float(np.int32(highest).view(np.float32))
