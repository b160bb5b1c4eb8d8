"""Published systems whole: a preset's front end with the numbers that its authors fixed."""

from __future__ import annotations

from spectronorm.errors import ArgumentError
from spectronorm.front_end.presets import PRESETS, find_preset
from spectronorm.normalize import Fixed
from spectronorm.pipeline import Pipeline


def published(name: str) -> Pipeline:
    """The pipeline of a preset whose origin fixed its normalization: what a model trained with it expects.

    Raises:
        ArgumentError: when there is no such preset, or its origin measures or learns its normalization.

    >>> published("ast").normalizer.normalizer
    Fixed(shift=-4.2677393, scale=9.1379948)
    """
    found = find_preset(name)
    if found.fixed is None:
        known = ", ".join(other for other, p in PRESETS.items() if p.fixed is not None)
        raise ArgumentError(
            f"preset={name!r} has no fixed normalization (only {known} do): "
            "measure your data with spectronorm.fit and fit a normalizer"
        )
    return Pipeline(found.front_end, Fixed(*found.fixed).for_front_end(found.front_end))
