"""Shift and scale from the moments in a file, with the floor that the origin applies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.interop.statistics.statistics_format import ShiftAndScale, finite_numbers

_quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""Numbers too large to be squared become infinite, which is refused with the other infinities."""

_ROUNDING = 1e-5
"""A variance may be negative by this share of the mean square, if the sums were float32."""


@_quietly
def from_std(mean: Any, std: Any, least_std: float = 0.0, **more: Any) -> ShiftAndScale:
    """The map of a mean and a standard deviation, which is raised to `least_std`.

    Raises:
        ValueError: if the numbers are not finite, or a standard deviation is negative, or zero without a bound.
    """
    shift, scale = finite_numbers(mean, "mean"), finite_numbers(std, "std")
    if (scale < 0).any():
        raise ValueError(f"band {_first(scale < 0)} has a negative standard deviation, {scale.min():g}")
    low = scale < least_std if least_std else scale == 0
    if low.any() and not least_std:
        raise ValueError(
            f"band {_first(low)} has a standard deviation of 0, and the origin would divide by it; "
            "give that band another number"
        )
    notes = _raised(low, least_std) if low.any() else ()
    factor = float(more.get("factor", 1.0))
    return ShiftAndScale(shift, np.maximum(scale, least_std) * factor, notes=notes, **more)


@_quietly
def from_variance(mean: Any, variance: Any, least_std: float = 0.0, **more: Any) -> ShiftAndScale:
    """The map of a mean and a variance, whose square root is raised to `least_std`.

    Raises:
        ValueError: if the numbers are not finite, or a variance is negative.
    """
    values = finite_numbers(variance, "variance")
    if (values < 0).any():
        raise ValueError(f"band {_first(values < 0)} has a negative variance, {values.min():g}")
    return from_std(mean, np.sqrt(values), least_std, **more)


@_quietly
def from_inverse_std(mean: Any, inverse: Any, **more: Any) -> ShiftAndScale:
    """The map of a mean and an inverse standard deviation.

    Raises:
        ValueError: if the numbers are not finite and positive.
    """
    values = finite_numbers(inverse, "inverse std")
    if not (values > 0).all():
        raise ValueError(f"band {_first(values <= 0)} has an inverse standard deviation that is not positive")
    return from_std(mean, 1.0 / values, **more)


@_quietly
def from_sums(sums: Any, squares: Any, count: Any, least_std: float = 0.0, **more: Any) -> ShiftAndScale:
    """The map of the sums of values and squares over `count` frames.

    Raises:
        ValueError: if the numbers are not finite, the count is below one, or a variance is negative.
    """
    frames = float(finite_numbers(count, "the count of frames")[0])
    if frames < 1:
        raise ValueError(f"the count of frames is {frames:g}, but must be at least 1")
    mean, square = finite_numbers(sums, "the sums") / frames, finite_numbers(squares, "the sums of squares") / frames
    if mean.shape != square.shape:
        raise ValueError(f"{mean.size} sums and {square.size} sums of squares")
    variance = square - mean * mean
    negative = variance < -_ROUNDING * np.maximum(square, mean * mean)
    if negative.any():
        raise ValueError(
            f"band {_first(negative)} has a negative variance, {variance.min():g}: the sums and squares are not of "
            "equal data"
        )
    return from_variance(mean, np.maximum(variance, 0.0), least_std, count=frames, **more)


def sums_of(numbers: ShiftAndScale) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Count, sums and sums of squares that have these moments; a count of 1 if none is known."""
    count = 1.0 if numbers.count is None else numbers.count
    return count, numbers.shift * count, (numbers.scale**2 + numbers.shift**2) * count


def _first(where: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(where)[0])


def _raised(low: NDArray[np.bool_], least: float) -> tuple[str, ...]:
    bands = np.flatnonzero(low)
    listed = ", ".join(map(str, bands[:8])) + (" …" if bands.size > 8 else "")
    return (f"the standard deviation of band {listed} is below {least:g} and is raised to it, as its origin does",)
