"""Likelihood of numbers that depend on a random order of these clips, against that of another sample of such data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spectronorm.audit.level_sums import LevelSums, Moments

_COMPUTED = 2e-5
"""Standard deviations by which another program's single precision may move numbers."""
_DEAD = 1e-6
_DIGITS = 12
_SAMPLES = (0.1, 0.3, 1.0, math.sqrt(2.0), 2.5)
"""Standard errors by which other samples may differ: most of these clips, a half of them, others, and odd others."""


def rounding(numbers: NDArray[np.float64]) -> float:
    """Largest error of numbers by rounding, from the number of decimals that they have.

    >>> import numpy as np
    >>> rounding(np.array([-4.27, 3.5])), rounding(np.array([np.e]))
    (0.005, 0.0)
    """
    for decimals in range(_DIGITS):
        if np.all(np.abs(numbers - np.round(numbers, decimals)) <= 1e-13 * np.maximum(np.abs(numbers), 1.0)):
            return 0.5 * 10.0**-decimals
    return 0.0


def live_bands(spread: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Bands whose levels vary: a band without a bin is always on the floor, and says nothing."""
    return np.asarray(spread > _DEAD * spread.max())


def independent_bands(sums: LevelSums) -> float:
    """Number of independent bands that tell as much as these: the squared trace of the correlations of clips' means.

    It is small if few clips are there to tell, and 1 for pooled bands.
    """
    mean, _ = sums.clip_moments()
    spread = mean.std(axis=0)
    live = live_bands(spread)
    if int(live.sum()) < 2 or len(mean) < 2:
        return 1.0
    z = (mean[:, live] - mean[:, live].mean(axis=0)) / spread[live]
    return float(live.sum() ** 2 / np.square(z.T @ z / len(z)).sum())


def log_density(
    given: Moments, expected: Moments, spread: Moments, scale: NDArray[np.float64], independent: float = 1.0
) -> float:
    """Logarithm of the normal density of given numbers.

    Args:
        given: Mean and standard deviation, `(band,)`.
        expected: Their expected values.
        spread: Their standard deviations.
        scale: Standard deviation of the levels, which says what is rounding.
        independent: Number of independent bands that tell as much as all bands.
    """
    total, live = 0.0, live_bands(scale)
    for one, centre, wide in zip(given, expected, spread, strict=True):
        sigma = np.hypot(wide, np.maximum(_COMPUTED * scale, rounding(one)))[live]
        total += float(np.mean(-0.5 * ((one - centre)[live] / sigma) ** 2 - np.log(sigma))) if live.any() else 0.0
    return independent * total


def log_bayes_factor(
    given: Moments,
    orders: Sequence[tuple[Moments, Moments]],
    right: Moments,
    errors: Moments,
    scale: NDArray[np.float64],
    independent: float = 1.0,
) -> float:
    """Logarithm of how much likelier numbers are by one of several random orders than as another sample's right ones.

    Right numbers of another sample exceed `log(K)` at most once in `K` times.

    Args:
        given: The numbers.
        orders: Expected numbers and their spread over orders, for each batch size.
        right: The right numbers of these data.
        errors: Their standard errors.
        scale: Standard deviation of the levels.
        independent: Number of independent bands that tell as much as all bands.
    """
    by_order = _log_mean([log_density(given, expected, spread, scale, independent) for expected, spread in orders])
    wide = [(times * errors[0], times * errors[1]) for times in _SAMPLES]
    return by_order - _log_mean([log_density(given, right, one, scale, independent) for one in wide])


def _log_mean(logs: Sequence[float]) -> float:
    return float(np.logaddexp.reduce(logs)) - math.log(len(logs))
