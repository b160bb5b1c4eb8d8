"""Low frame rate: neighbouring frames one below the other, as FunASR's models take them."""

from __future__ import annotations

import numpy as np

from spectronorm.arrays import Array, namespace, require_floats, whole_number, whole_numbers
from spectronorm.errors import ShapeError
from spectronorm.suggestion import known_keywords

_MOST = 1024


@known_keywords
def stack_frames(level: Array, window: int = 7, hop: int = 6) -> Array:
    """Stack `window` frames every `hop` frames: `(..., band, frame)` to `(..., window · band, ceil(frame / hop))`.

    Each new frame holds the frames from `(window - 1) // 2` before a frame on, the earliest first; the first and the
    last frame are repeated beyond the ends. The defaults are those of Paraformer and SenseVoice, whose numbers of
    normalization are of the stacked values: `(stack_frames(level) - shift) / scale`.

    Raises:
        ArgumentError: if `window` or `hop` is not a positive whole number.
        ShapeError: if the level is not floating point, has fewer than two axes, or no frame.

    >>> stack_frames(np.array([[0.0, 1.0, 2.0, 3.0]]), window=3, hop=2)
    array([[0., 1.],
           [0., 2.],
           [1., 3.]])
    """
    window, hop = whole_number(window, "window", 1, _MOST), whole_number(hop, "hop", 1, _MOST)
    require_floats(level, "a level")
    if level.ndim < 2 or level.shape[-1] == 0:
        raise ShapeError(f"a level of shape {tuple(level.shape)} is not (..., band, frame) with a frame")
    xp, (*outer, bands, frames) = namespace(level), level.shape
    count = -(-frames // hop)
    first = hop * np.arange(count) - (window - 1) // 2
    places = np.clip(first[None, :] + np.arange(window)[:, None], 0, frames - 1)
    taken = xp.take(level, whole_numbers(places.reshape(-1), level), axis=-1)
    stacked = xp.reshape(taken, (*outer, bands, window, count))
    return xp.reshape(xp.moveaxis(stacked, -2, -3), (*outer, window * bands, count))
