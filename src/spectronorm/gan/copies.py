"""Copies of training clips among generated images, found even if moved a little in time, frequency or level."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from spectronorm.arrays import Floats
from spectronorm.errors import ShapeError

FRAMES, BANDS = 6, 2
"""Largest shifts in frames and bands that still count as a copy."""
_COARSE = 2
_SMALLEST = 8
_CANDIDATES = 12
FEWEST_IN_CELL = 5
"""Smallest number of images of a set in a cell for which the cell counts in the three-sample test."""


def copy_distance(images: NDArray[np.floating], clips: NDArray[np.floating]) -> Floats:
    """Distance `(image,)` of each image to the nearest clip, at the best shift and gain: 0 for a copy, 1 for unrelated.

    Its square is the variance over the overlapping cells of the difference, divided by the sum of the variances of
    both, so that a smooth image is not near to everything. The distance is the smallest over shifts of up to `FRAMES`
    frames and `BANDS` bands. Candidates are first found on images that are
    averaged over squares of 2 by 2 cells.

    Args:
        images: Levels `(image, band, frame)`.
        clips: Levels `(clip, band, frame)` of an equal size.

    Raises:
        ShapeError: if the sizes differ, or are below 8 cells in a direction.
    """
    if images.ndim != 3 or images.shape[1:] != clips.shape[1:] or min(images.shape[1:]) < _SMALLEST:
        raise ShapeError(
            f"images {images.shape} and clips {clips.shape} must be (image, band, frame) of one size, at least "
            f"{_SMALLEST} × {_SMALLEST}"
        )
    x, y = (np.asarray(part, dtype=np.float64) for part in (images, clips))
    coarse_x, coarse_y = _averaged(x), _averaged(y)
    rough = np.full((len(x), len(y)), np.inf)
    for band, frame in product(_within(BANDS), _within(FRAMES)):
        rough = np.minimum(rough, _apart(*_overlap(coarse_x, coarse_y, band, frame)))
    nearest = np.argsort(rough, axis=1)[:, : min(_CANDIDATES, len(y))]
    best = np.full(nearest.shape, np.inf)
    for band, frame in product(range(-BANDS, BANDS + 1), range(-FRAMES, FRAMES + 1)):
        a, b = _overlap(x, y, band, frame)
        for column in range(nearest.shape[1]):
            best[:, column] = np.minimum(best[:, column], _apart_in_pairs(a, b[nearest[:, column]]))
    return np.asarray(np.sqrt(best.min(axis=1)))


@dataclass(frozen=True)
class CopyTest:
    """Three-sample test for data copying (Meehan, Chaudhuri and Dasgupta 2020).

    Attributes:
        statistic: Mean over cells of the z value of Mann and Whitney's test that images are as far from the training
            clips as test clips are; far below 0 for copies.
        nearer: Share of the images that are nearer to a training clip than 99 % of the test clips.
    """

    statistic: float
    nearer: float

    @property
    def word(self) -> str:
        """`copies` below -3, `no copies` above -1.64 with less than one image in ten nearer, else `unresolved`."""
        if self.statistic < -3.0:
            return "copies"
        return "no copies" if self.statistic > -1.64 and self.nearer < 0.1 else "unresolved"


def three_sample_test(
    images: Floats, tests: Floats, image_cells: NDArray[np.int64], test_cells: NDArray[np.int64]
) -> CopyTest:
    """Compare distances to the training clips of images and of test clips, cell by cell.

    Args:
        images: Distance of each image to the nearest training clip.
        tests: Distance of each test clip.
        image_cells: Cell of each image, such as the class that a judge finds.
        test_cells: Cell of each test clip. Cells with fewer than `FEWEST_IN_CELL` images or test clips are left out;
            if all are, the sets are compared as a whole.
    """
    weights: list[int] = []
    values: list[float] = []
    for cell in np.unique(test_cells):
        a, b = images[image_cells == cell], tests[test_cells == cell]
        if min(len(a), len(b)) >= FEWEST_IN_CELL:
            weights.append(len(b))
            values.append(_z(a, b))
    if not weights:
        weights, values = [1], [_z(images, tests)]
    nearer = float((images < np.quantile(tests, 0.01)).mean())
    return CopyTest(float(np.average(values, weights=weights)), nearer)


def _z(a: Floats, b: Floats) -> float:
    """The z value of Mann and Whitney's U, negative if `a` is smaller; ties count half."""
    u = float(stats.rankdata(np.concatenate([a, b]))[: len(a)].sum()) - len(a) * (len(a) + 1) / 2
    n, m = len(a), len(b)
    return (u - n * m / 2) / float(np.sqrt(n * m * (n + m + 1) / 12))


def _within(shift: int) -> range:
    """Shifts of coarse images."""
    return range(-shift // _COARSE, shift // _COARSE + 1)


def _averaged(x: Floats) -> NDArray[np.float32]:
    bands, frames = (size // _COARSE * _COARSE for size in x.shape[1:])
    parts = x[:, :bands, :frames].reshape(len(x), bands // _COARSE, _COARSE, frames // _COARSE, _COARSE)
    return np.asarray(parts.mean(axis=(2, 4)), dtype=np.float32)


def _overlap(x: NDArray[Any], y: NDArray[Any], band: int, frame: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The cells of both that overlap when `y` is moved by these bands and frames."""

    def cut(size: int, by: int) -> tuple[slice, slice]:
        return slice(max(by, 0), size + min(by, 0)), slice(max(-by, 0), size - max(by, 0))

    (bx, by), (fx, fy) = cut(x.shape[1], band), cut(x.shape[2], frame)
    return x[:, bx, fx], y[:, by, fy]


def _apart(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Squared distance of each image to each clip, `(image, clip)`."""
    x, y = _centred(a), _centred(b)
    both = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1)
    return _ratio(both - 2.0 * (x @ y.T), both)


def _apart_in_pairs(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Squared distance of each image to the clip of an equal index, `(image,)`."""
    x, y = _centred(a), _centred(b)
    return _ratio(np.square(x - y).sum(axis=1), np.square(x).sum(axis=1) + np.square(y).sum(axis=1))


def _centred(x: NDArray[Any]) -> NDArray[Any]:
    rows = x.reshape(len(x), -1)
    return np.asarray(rows - rows.mean(axis=1, keepdims=True))


def _ratio(apart: NDArray[Any], both: NDArray[Any]) -> NDArray[Any]:
    """The share; 1 if both are constant and so have nothing to be copied."""
    return np.where(both > 0, np.maximum(apart, 0.0) / np.where(both > 0, both, 1.0), 1.0)
