"""Lower limit of the scales of bands, so that no band is amplified excessively."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectronorm.arrays import real_number


def check_min_scale(min_scale: float) -> None:
    """Raise `ArgumentError` unless `min_scale` is a share."""
    real_number(min_scale, "min_scale", 0, 1, of="(a share of the median band's scale)")


def safe_scale(scale: ArrayLike, min_scale: float, *, of: float = 0.5) -> NDArray[np.float64]:
    """`scale` (a number, or one a band) with 1 for zero and none below `min_scale` times the median of the others.

    A band that was silent in training has a tiny scale, and the first sound in it would become hundreds of deviations
    high; in a pilot, this lowered accuracy from 82 to 24 %.

    >>> safe_scale([10.0, 8.0, 0.0, 0.1], min_scale=0.25).tolist()
    [10.0, 8.0, 2.0, 2.0]
    """
    values = np.asarray(scale, dtype=np.float64)
    varying = values[values > 0]
    usual = float(np.quantile(varying, of)) if varying.size else 0.0
    return np.maximum(np.where(values > 0, values, 1.0), min_scale * usual)
