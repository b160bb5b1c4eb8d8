"""Scaling of levels to the range of a generator's images, [-1, 1], and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.image_files import LevelRange


def to_unit(levels: NDArray[np.floating], level_range: LevelRange) -> NDArray[np.float32]:
    """Scale levels `(..., band, frame)` to `low` at -1 and `high` at 1, and clip; SpecGAN has mean ± 3 sigma."""
    low, high = level_range.low[:, None], level_range.high[:, None]
    scaled = (levels - low) * (2.0 / (high - low)) - 1.0
    return np.clip(scaled, -1.0, 1.0).astype(np.float32)


def from_unit(x: NDArray[np.floating], level_range: LevelRange) -> NDArray[np.float64]:
    """Scale images in [-1, 1] back to levels; clipped values stay clipped."""
    low, high = level_range.low[:, None], level_range.high[:, None]
    return np.asarray(low + (np.asarray(x, dtype=np.float64) + 1.0) * 0.5 * (high - low))
