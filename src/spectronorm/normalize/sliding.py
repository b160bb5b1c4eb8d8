"""Short-time normalization of the spectrogram: each frame by the mean and deviation of its neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Affine, Array, SlidingWindow, namespace, set_whole_numbers, sliding_affine
from spectronorm.errors import ArgumentError
from spectronorm.normalize.normalizer import FittedNormalizer, FittedOn
from spectronorm.normalize.safe_scale import safe_scale
from spectronorm.profile import Profile

SCALES = ("window", "data_set", "none")


@dataclass(frozen=True)
class SlidingStandardize:
    """Map `(level - mean) / std` in each band over a window of `length` frames: Kaldi's `apply-cmvn-sliding`.

    `scale` selects the divisor of the mean-free level: the `window`'s own standard deviation (Kaldi's `norm-vars`); the
    `data_set`'s, band by band, so that the window removes the level and the training set gives the scale; or `none`
    (Kaldi's default). With `center=False` a frame never sees later frames, except for the first `min_length` frames. A
    constant window gives zero. The inverse needs the clip's map, `FittedNormalizer.affine_of`.

    Raises:
        ArgumentError: unless `1 <= min_length <= length` and `scale` is known.
    """

    length: int = 600
    min_length: int = 100
    center: bool = True
    scale: str = "window"

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ArgumentError(f"scale={self.scale!r} must be one of {', '.join(SCALES)}")
        set_whole_numbers(self, ("length", "min_length"), 1)
        self._window()

    @property
    def uses_data_set(self) -> bool:
        """True if the scale comes from the data set."""
        return self.scale == "data_set"

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take the scale from the profile if it is needed; otherwise only the front end."""
        if not self.uses_data_set:
            return FittedNormalizer(self, profile.front_end, None, FittedOn.of(profile))
        std = np.asarray(profile.band.std)
        return FittedNormalizer.of(self, profile, np.zeros_like(std), safe_scale(std, min_scale=0.25))

    def clip_affine(self, level: Array, valid: Array | None = None) -> Affine:
        """Return the map of each cell of `level` `(..., band, frame)`; its scale is 1 unless it comes from the window.

        With `valid` (boolean, broadcast against `level`, true up to each clip's end), no window reaches beyond the end.
        """
        own = namespace(level).astype(level, namespace(level).float64, copy=False)
        return sliding_affine(own, self._window(), scale=self.scale == "window", valid=valid)

    def _window(self) -> SlidingWindow:
        return SlidingWindow(self.length, self.min_length, self.center)
