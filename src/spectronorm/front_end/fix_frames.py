"""Levels of a fixed length: cropped, or padded with a given value."""

from __future__ import annotations

from spectronorm.arrays import Array, namespace, require_floats, whole_number
from spectronorm.errors import ShapeError
from spectronorm.suggestion import known_keywords


@known_keywords
def fix_frames(level: Array, frames: int, value: float = 0.0) -> Array:
    """Crop levels `(..., band, frame)` to `frames` frames at the end, or pad them there with `value`.

    Systems differ in the padding value, and pad before or after normalization: AST pads the level with 0.0 and then
    normalizes; neutral padding is zero after normalization.

    Raises:
        ArgumentError: if `frames` is not a positive whole number.
        ShapeError: if the level is not floating point or has fewer than two axes.

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
