"""Errors of mean and deviation to try: smooth, band by band at random, and of statistics from few clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MEANS = (-1.0, -0.5, -0.25, -0.1, 0.1, 0.25, 0.5, 1.0)
FACTORS = (0.5, 0.8, 1.25, 2.0)
JAGGED = (0.1, 0.25, 0.5)
CLIPS = (5, 10, 20, 40, 80, 160)
_GRID_MEANS = (-0.5, -0.25, 0.25, 0.5)
MEAN, STD, BOTH, BANDS, FEW = "mean", "std", "mean and std", "band by band", "from clips"
_Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StatisticsError:
    """One kind and size of error, in one or several random draws.

    Attributes:
        kind: `mean`, `std`, `mean and std`, `band by band` or `from clips`.
        name: The error in words.
        mean: Size of the error of the mean in standard deviations, or the number of clips.
        factor: Factor of the standard deviation.
        draws: For each draw, the offset of the mean in standard deviations and the factor of the deviation, each a
            column `(band, 1)` or `(1, 1)`.
    """

    kind: str
    name: str
    mean: float
    factor: float
    draws: tuple[tuple[_Column, _Column], ...]


def smooth_errors() -> Iterator[StatisticsError]:
    """Yield errors that are alike in all bands: of the mean, of the deviation, and of both."""
    for mean in MEANS:
        yield StatisticsError(MEAN, f"mean off by {_signed(mean)} sd", mean, 1.0, ((_one(mean), _one(1.0)),))
    for factor in FACTORS:
        yield StatisticsError(STD, f"std × {factor:g}", 0.0, factor, ((_one(0.0), _one(factor)),))
    for mean in _GRID_MEANS:
        for factor in FACTORS:
            name = f"mean off by {_signed(mean)} sd, std × {factor:g}"
            yield StatisticsError(BOTH, name, mean, factor, ((_one(mean), _one(factor)),))


def jagged_errors(bands: int, draws: int, seed: int) -> Iterator[StatisticsError]:
    """Yield random errors of the mean, independent from band to band."""
    for number, size in enumerate(JAGGED):
        generator = np.random.default_rng([seed, number])
        made = tuple((size * generator.standard_normal((bands, 1)), _one(1.0)) for _ in range(draws))
        yield StatisticsError(BANDS, f"mean off by {size:g} sd, band by band at random", size, 1.0, made)


def few_clips_errors(
    means: NDArray[np.float64], squares: NDArray[np.float64], draws: int, seed: int
) -> Iterator[StatisticsError]:
    """Yield the errors of statistics that are measured on a few clips.

    The clips are drawn with replacement: they stand for other recordings of the same kind, not for a part of this
    source, whose own statistics most of its clips would repeat.

    Args:
        means: Mean level of each clip, `(clip, band)`, or `(clip, 1)` for one mean of all bands.
        squares: Mean squared level of each clip, in the same shape.
        draws: Number of draws of each size.
        seed: Seed of the draws.
    """
    mean, std = mean_and_std(means, squares)
    for size in CLIPS:
        if size >= len(means):
            return
        generator = np.random.default_rng([seed, 1000 + size])
        made = []
        for _ in range(draws):
            chosen = generator.choice(len(means), size)
            few_mean, few_std = mean_and_std(means[chosen], squares[chosen])
            made.append((((few_mean - mean) / std)[:, None], (few_std / std)[:, None]))
        yield StatisticsError(FEW, f"statistics from {size} clips", size, 1.0, tuple(made))


def mean_and_std(means: NDArray[np.float64], squares: NDArray[np.float64]) -> tuple[_Column, _Column]:
    """Return mean and deviation of levels from the clips' means and mean squares; a deviation of zero counts as 1."""
    mean = means.mean(axis=0)
    variance = np.maximum(squares.mean(axis=0) - mean**2, 0.0)
    return mean, np.sqrt(np.where(variance > 0, variance, 1.0))


def _one(value: float) -> _Column:
    return np.full((1, 1), value)


def _signed(size: float) -> str:
    return f"{size:+g}".replace("-", "−")
