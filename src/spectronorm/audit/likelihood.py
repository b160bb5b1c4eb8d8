"""Likelihood of numbers that depend on a random order of these clips, against that of another sample of such data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spectronorm.audit.level_sums import Moments

_ROUNDED = 5e-4
"""Standard deviations by which numbers may be rounded."""
_DEAD = 1e-6
_SAMPLES = (0.1, 0.3, 1.0, math.sqrt(2.0), 2.5)
"""Standard errors by which other samples may differ: most of these clips, a half of them, others, and odd others."""


def log_density(given: Moments, expected: Moments, spread: Moments, scale: NDArray[np.float64]) -> float:
    """Logarithm of the normal density of given numbers, the mean over bands as if they all told the same.

    Args:
        given: Mean and standard deviation, `(band,)`.
        expected: Their expected values.
        spread: Their standard deviations.
        scale: Standard deviation of the levels, which says what is rounding.
    """
    total, live = 0.0, scale > _DEAD * scale.max()  # a band without a bin is always on the floor, and says nothing
    for one, centre, wide in zip(given, expected, spread, strict=True):
        sigma = np.hypot(wide, _ROUNDED * scale)[live]
        total += float(np.mean(-0.5 * ((one - centre)[live] / sigma) ** 2 - np.log(sigma))) if live.any() else 0.0
    return total


def log_bayes_factor(
    given: Moments,
    orders: Sequence[tuple[Moments, Moments]],
    right: Moments,
    errors: Moments,
    scale: NDArray[np.float64],
) -> float:
    """Logarithm of how much likelier numbers are by one of several random orders than as another sample's right ones.

    Right numbers of another sample exceed `log(K)` at most once in `K` times.

    Args:
        given: The numbers.
        orders: Expected numbers and their spread over orders, for each batch size.
        right: The right numbers of these data.
        errors: Their standard errors.
        scale: Standard deviation of the levels.
    """
    by_order = _log_mean([log_density(given, expected, spread, scale) for expected, spread in orders])
    wide = [(times * errors[0], times * errors[1]) for times in _SAMPLES]
    return by_order - _log_mean([log_density(given, right, one, scale) for one in wide])


def _log_mean(logs: Sequence[float]) -> float:
    return float(np.logaddexp.reduce(logs)) - math.log(len(logs))
