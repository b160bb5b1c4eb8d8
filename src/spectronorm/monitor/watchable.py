"""Checks of what a monitor is given: the profile, a clip's samples, and levels that were computed elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Samples, as_single
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason, FrontEndMismatch, ShapeError
from spectronorm.front_end import AnyFrontEnd, Levels, require_front_end
from spectronorm.monitor.clips.features import as_rows
from spectronorm.profile import Profile


def require_watchable(profile: object) -> None:
    """Refuse what is not a profile of one channel.

    Raises:
        ArgumentError: if `profile` is not a profile, or holds several channels.
    """
    if not isinstance(profile, Profile):
        raise ArgumentError(
            f"a monitor needs a Profile with its histograms, not a {type(profile).__name__}: what is saved for use "
            "holds a mean and a scale only; load the file that spectronorm fit wrote"
        )
    front_end = profile.front_end
    if not isinstance(front_end, Levels) and len(front_end.level_shape) > 1:
        raise ArgumentError(
            f"channels={front_end.channels!r}: a monitor listens to one channel; fit with mean, first or a number"
        )


def checked_samples(samples: Samples) -> NDArray[np.float32]:
    """Return a clip's samples as float32.

    Raises:
        ShapeError: if the samples are not a one-dimensional float array.
        AudioError: if there are none.
    """
    if not isinstance(samples, np.ndarray) or samples.ndim != 1 or samples.dtype.kind != "f":
        raise ShapeError("a clip must be a NumPy array (sample,) of floats in [-1, 1], without padding")
    clip = np.ascontiguousarray(as_single(samples))
    if not len(clip):
        raise AudioError(BadAudioReason.EMPTY, "it holds no samples")
    return clip


class LevelShapes:
    """The shapes of a front end's levels, by the number of samples; that of the newest length is kept."""

    def __init__(self, front_end: AnyFrontEnd) -> None:
        self._front_end = front_end
        self._newest = (-1, -1)

    def checked(self, level: NDArray[Any], samples: Samples) -> NDArray[np.floating[Any]]:
        """Return a level as contiguous float32, if it is that, or float64.

        Raises:
            FrontEndMismatch: if the level's shape is not what the front end makes of these samples.
        """
        front_end = require_front_end(self._front_end, "watching samples")
        if len(samples) != self._newest[0]:
            self._newest = (len(samples), front_end.frames(len(samples)))
        wanted = (front_end.n_bands, self._newest[1])
        if level.shape != wanted:
            raise FrontEndMismatch(
                f"a level of shape {tuple(level.shape)} is not what this profile's front end makes of {len(samples)} "
                f"samples, {wanted} (band, frame); use the front end that the profile was measured with"
            )
        return as_rows(level)
