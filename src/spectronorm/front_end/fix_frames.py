"""Levels of one length: cropped, or padded with a stated value."""

from __future__ import annotations

from spectronorm.arrays import Array, namespace, require_floats, whole_number
from spectronorm.errors import ShapeError


def fix_frames(level: Array, frames: int, value: float = 0.0) -> Array:
    """Levels `(..., band, frame)` with exactly so many frames: cropped at the end, or padded there with `value`.

    Systems differ in what they pad with, and whether before or after normalization: AST pads the level with 0.0 and
    then normalizes; padding that is to be neutral is zero after normalization.

    Raises:
        ArgumentError: when `frames` is not a positive whole number.
        ShapeError: when the level is not floating point or has fewer than two axes.

    >>> import numpy as np
    >>> fix_frames(np.ones((1, 2)), 3)
    array([[1., 1., 0.]])
    """
    frames = whole_number(frames, "frames", 1)
    require_floats(level, "a level")
    if level.ndim < 2:
        raise ShapeError(f"a level of shape {tuple(level.shape)} is not (..., band, frame)")
    xp, missing = namespace(level), frames - level.shape[-1]
    if missing <= 0:
        return level[..., :frames]
    padding = xp.full((*level.shape[:-1], missing), value, dtype=level.dtype, device=level.device)
    return xp.concat([level, padding], axis=-1)
