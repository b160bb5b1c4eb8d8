"""Round trip of generated images: to 8 bits, to sound, and back to levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.gan.model import GanModel
from spectronorm.image_files import ImageCodec
from spectronorm.inversion import invert


def heard(model: GanModel, levels: NDArray[np.floating], seed: int, quality: str = "good") -> NDArray[np.float64]:
    """Return levels `(image, band, frame)` of the sound made from the images of `levels`, clip by clip.

    For real clips, the result is the upper bound for any generator that is scored by its sound.
    """
    front_end = model.window.front_end
    codec = ImageCodec(front_end, model.level_range)
    again = []
    for level in levels:
        shown = np.minimum(codec.decode(codec.pixels(np.asarray(level, dtype=np.float64))[0]), front_end.grid.high)
        wave = invert(
            shown, front_end, length=model.window.samples, quality=quality, seed=seed, level_error=codec.max_error
        )
        again.append(front_end.clip_level(np.asarray(wave)))
    return np.stack(again)
