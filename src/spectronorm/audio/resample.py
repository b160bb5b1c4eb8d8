"""Resampling by a named resampler: two resamplers differ by 2 dB in the top band, so the front end stores the name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import numpy as np
import soxr
from numpy.typing import NDArray

from spectronorm.audio.overlap_save import overlap_save
from spectronorm.errors import ArgumentError
from spectronorm.suggestion import choice_of

_LARGE = 1 << 20
"""Number of samples; a stream keeps room for the longest clip that it has had."""


class _OfThread(threading.local):
    """The stream that a thread used last, and its parameters: from Hz, to Hz, quality."""

    kind: tuple[int, int, str] | None = None
    stream: soxr.ResampleStream


_LAST = _OfThread()


def _soxr(quality: str) -> Callable[[NDArray[np.float32], int, int], NDArray[np.float32]]:
    def resample(samples: NDArray[np.float32], source_rate: int, target_rate: int) -> NDArray[np.float32]:
        if len(samples) > _LARGE:
            return np.asarray(soxr.resample(samples, source_rate, target_rate, quality=quality))
        # A cleared stream gives a clip the same samples as a new one, in less time.
        kind = source_rate, target_rate, quality
        if _LAST.kind != kind:
            _LAST.stream = soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality=quality)
            _LAST.kind = kind
        try:
            return np.asarray(_LAST.stream.resample_chunk(samples, last=True))
        finally:
            _LAST.stream.clear()

    return resample


RESAMPLERS: Mapping[str, Callable[[NDArray[np.float32], int, int], NDArray[np.float32]]] = {
    "soxr_hq": _soxr("HQ"),
    "soxr_vhq": _soxr("VHQ"),
    "overlap_save": overlap_save,
}
"""Every resampler by name: `(samples, source_rate, target_rate)` in Hz to mono float32 samples."""


def resample(
    samples: NDArray[np.float32], source_rate: int, target_rate: int, resampler: str = "soxr_hq"
) -> NDArray[np.float32]:
    """Resample mono `samples` to `target_rate` (Hz); the same array if the rates are equal.

    Raises:
        ArgumentError: if there is no such resampler.
    """
    if resampler not in RESAMPLERS:
        raise unknown_resampler(resampler)
    if source_rate == target_rate:
        return samples
    return RESAMPLERS[resampler](samples, source_rate, target_rate)


def unknown_resampler(resampler: object) -> ArgumentError:
    """Return the error for a name that is not a resampler's."""
    return ArgumentError(f"resampler={resampler!r} is unknown; use {choice_of(resampler, RESAMPLERS)}")
