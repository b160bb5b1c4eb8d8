"""The description of normalized levels: what is written can be measured in turn."""

from __future__ import annotations

import math

from spectronorm.front_end import FrontEnd, Levels
from spectronorm.pipeline import Pipeline

CLIPWISE_RANGE = 1024.0
"""Bound of levels that each clip standardizes by itself: one value among a million equal ones comes so high."""


def normalized_levels(pipeline: Pipeline, layout: str = "") -> Levels:
    """The levels that a pipeline makes: bands and channels of its front end, and the range that its map gives."""
    front_end, fitted = pipeline.front_end, pipeline.normalizer
    low, high = -CLIPWISE_RANGE, CLIPWISE_RANGE
    if fitted.affine is not None and not fitted.normalizer.maps_clips:
        grid, affine = front_end.grid, fitted.affine
        low = float(((grid.low - affine.shift) / affine.scale).min())
        high = float(((grid.high - affine.shift) / affine.scale).max())
    bound = 2.0 ** math.ceil(math.log2(max(abs(low), abs(high), 1.0)))
    shape = front_end.level_shape
    rate = front_end.sample_rate / front_end.stft.hop if isinstance(front_end, FrontEnd) else front_end.frame_rate
    return Levels(
        bands=shape[-1],
        channels=shape[0] if len(shape) > 1 else 1,
        unit="normalized",
        low=-bound,
        high=bound,
        frame_rate=rate,
        layout=layout,
        made_by="spectronorm apply",
        settings={"fingerprint": front_end.fingerprint, "normalizer": repr(fitted.normalizer)},
    )
