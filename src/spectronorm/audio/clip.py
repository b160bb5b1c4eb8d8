"""One clip: mono samples at a known rate, and how many of them are real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.kernels.jit import kernel

_CANCELLED = 100.0
"""Channels cancel when the peak of their mean is this many times (40 dB) below their own."""
_FLAT_DETAIL = {
    BadAudioReason.SILENT: "all its samples are zero; it was counted, at the floor",
    BadAudioReason.CONSTANT: "all its samples are equal; it was counted",
}


@dataclass(frozen=True)
class Remark:
    """Something odd about a clip that is counted all the same."""

    reason: BadAudioReason
    detail: str


@dataclass(frozen=True, eq=False)
class Clip:
    """Mono float32 samples in [-1, 1] at `sample_rate` (Hz); those from `length` on are padding.

    Attributes:
        flat: `silent` when all real samples are zero, `constant` when they are equal otherwise, else None.
        remarks: What else is odd about the file that the samples came from.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    length: int
    flat: BadAudioReason | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def flags(self) -> tuple[Remark, ...]:
        """All that a profile lists of the clip: its remarks, and that it is silent or constant."""
        return flags(self.flat, self.remarks)

    @property
    def valid(self) -> NDArray[np.float32]:
        """The samples without the padding: what statistics may count."""
        return self.samples[: self.length]

    def at_least(self, samples: int) -> NDArray[np.float32]:
        """The samples without the padding, but with so much of it that there are `samples`, if there is so much.

        A clip shorter than one window has no frame; where it was padded to a longer duration, the first window counts.
        """
        return self.samples[: max(self.length, min(samples, len(self.samples)))]

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


def flags(flat: BadAudioReason | None, remarks: tuple[Remark, ...]) -> tuple[Remark, ...]:
    """The remarks, and before them that a clip is silent or constant, unless a remark says why."""
    if flat is None or any(remark.reason is BadAudioReason.ANTIPHASE for remark in remarks):
        return remarks
    return (Remark(flat, _FLAT_DETAIL[flat]), *remarks)


def antiphase(channels: float, mean: float) -> tuple[Remark, ...]:
    """A remark when channels of the peak `channels` cancel: their mean, which is measured, has the peak `mean`."""
    if not mean * _CANCELLED < channels:
        return ()
    return (
        Remark(
            BadAudioReason.ANTIPHASE,
            f"its channels cancel: they peak at {channels:.3g}, and their mean at {mean:.3g}, which was counted",
        ),
    )


def oddities(missing: float, note: str) -> tuple[Remark, ...]:
    """Remarks on a file that lacks a few seconds, or whose container is odd."""
    found = [Remark(BadAudioReason.TRUNCATED, f"{missing:.4g} s of it are missing; it was counted")] if missing else []
    return (*found, *([Remark(BadAudioReason.HEADER_LIES, note)] if note else []))


def skipped(flat: BadAudioReason, remarks: tuple[Remark, ...]) -> AudioError:
    """Why a clip whose samples are all alike is left out, where such clips are to be."""
    cancelled = any(remark.reason is BadAudioReason.ANTIPHASE for remark in remarks)
    reason = BadAudioReason.ANTIPHASE if cancelled else flat
    return AudioError(reason, "its samples are all alike, and such clips are to be skipped")


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
