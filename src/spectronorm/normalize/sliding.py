"""Short-time normalization of the spectrogram: each frame by the mean and deviation of its neighbourhood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import (
    Affine,
    Array,
    SlidingStream,
    SlidingWindow,
    namespace,
    require_choice,
    set_flags,
    set_whole_numbers,
    sliding_affine,
    sliding_affine_in_blocks,
)
from spectronorm.normalize.normalizer import NORMALIZERS, ClipNormalizer, FittedNormalizer
from spectronorm.normalize.safe_scale import safe_scale
from spectronorm.profile import Profile, require_profile
from spectronorm.short_repr import with_bounded_repr

SCALES = ("window", "data_set", "none")


@NORMALIZERS.register("sliding")
@with_bounded_repr
@dataclass(frozen=True)
class SlidingStandardize(ClipNormalizer):
    """Map `(level - mean) / std` in each band over a window of `length` frames: Kaldi's `apply-cmvn-sliding`.

    `scale` selects the divisor of the mean-free level: the `window`'s own standard deviation (Kaldi's `norm-vars`); the
    `data_set`'s, band by band, so that the window removes the level and the training set gives the scale; or `none`
    (Kaldi's default). With `center=False` it is causal, so that streams take it: a frame never sees later frames,
    except for the first `min_length` frames. A constant window gives zero. The inverse needs the clip's map,
    `FittedNormalizer.affine_of`.

    Raises:
        ArgumentError: unless `1 <= min_length <= length` and `scale` is known.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> fitted = sn.normalize.SlidingStandardize(length=300).fit(sn.fit([(np.ones(16_000) / 3, 16_000)], front_end))
    >>> fitted(front_end(np.ones(16_000) / 3)).shape
    (40, 81)
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"sliding": {}, "sliding-data-set": {"scale": "data_set"}}

    length: int = field(default=600, metadata={"help": "number of frames in the window"})
    min_length: int = field(default=100, metadata={"help": "frames required at the start, if not centred"})
    center: bool = field(default=True, metadata={"help": "centre the window on each frame, instead of ending it there"})
    scale: str = field(default="window", metadata={"help": "window, data_set or none"})

    def __post_init__(self) -> None:
        require_choice(self.scale, "scale", SCALES)
        set_whole_numbers(self, ("length", "min_length"), 1, 1 << 31)
        set_flags(self, ("center",))
        self._window()

    @property
    @override
    def uses_data_set(self) -> bool:
        return self.scale == "data_set"

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take the scale from the profile if it is needed; otherwise only the front end."""
        if not self.uses_data_set:
            return super().fit(profile)
        std = np.asarray(require_profile(profile).band.std)
        return FittedNormalizer.of(self, profile, np.zeros_like(std), safe_scale(std, min_scale=0.25))

    @override
    def clip_affine(self, level: Array, valid: Array | None = None) -> Affine:
        """Return the map of each cell of `level` `(..., band, frame)`; its scale is 1 unless it comes from the window.

        With `valid` (boolean, broadcast against `level`, true up to each clip's end), no window reaches beyond the end.
        """
        own = namespace(level).astype(level, namespace(level).float64, copy=False)
        return sliding_affine(own, self._window(), scale=self.scale == "window", valid=valid)

    @property
    @override
    def causal(self) -> bool:
        """True if the window ends at its frame; the first `min_length` frames then wait for one another."""
        return not self.center

    @override
    def clip_stream(self, bands: int) -> SlidingStream:
        return SlidingStream(self._window(), bands, scale=self.scale == "window")

    @override
    def clip_blocks(self, blocks: Iterable[NDArray[np.float64]]) -> Iterator[tuple[NDArray[np.float64], Affine]]:
        return sliding_affine_in_blocks(blocks, self._window(), scale=self.scale == "window")

    def _window(self) -> SlidingWindow:
        return SlidingWindow(self.length, self.min_length, self.center)
