"""Bounds of the sample rate and duration that callers may request, checked before memory is allocated."""

from __future__ import annotations

from spectronorm.arrays import real_number, whole_number
from spectronorm.errors import ArgumentError

MIN_SECONDS, MAX_SECONDS = 1e-6, 1e6
MAX_PADDED_SAMPLES = 1 << 29
"""A clip that is padded to more would take over 2 GiB."""


MIN_RATE, MAX_RATE = 100, 1_000_000


def check_sample_rate(sample_rate: int) -> int:
    """Return a sample rate (Hz) that clips can be resampled to, as an `int`.

    Raises:
        ArgumentError: if it is not a whole number from 100 to 1,000,000.
    """
    return whole_number(sample_rate, "sample_rate", MIN_RATE, MAX_RATE, of="Hz")


def check_duration(duration: float | None, sample_rate: int, name: str = "duration") -> None:
    """Refuse a duration (s) that no clip at this rate (Hz) can be cropped or padded to; None is any length.

    Raises:
        ArgumentError: if it is not a positive number, or makes more than `MAX_PADDED_SAMPLES` samples.
    """
    if duration is None:
        return
    seconds = real_number(duration, name, MIN_SECONDS, MAX_SECONDS, of="s")
    if seconds * sample_rate > MAX_PADDED_SAMPLES:
        raise ArgumentError(
            f"{name}={duration} s at {sample_rate} Hz is more than {MAX_PADDED_SAMPLES} samples; shorten it, "
            "or leave it out to take clips as long as they are"
        )
