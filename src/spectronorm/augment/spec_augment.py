"""SpecAugment: masks over time and frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import (
    Affine,
    Array,
    constant,
    namespace,
    real_number,
    set_real_numbers,
    set_whole_numbers,
    to_host,
)
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import (
    Shape,
    a_clip,
    check_drawn,
    check_generator,
    clip_lengths,
    clip_shape,
    one_of,
    positions,
)
from spectronorm.errors import ShapeError
from spectronorm.short_repr import with_bounded_repr


@dataclass(frozen=True, eq=False)
class Masks:
    """Uniform numbers in [0, 1) for each mask of each clip: `(..., mask, 2)`, width and start as shares."""

    time: NDArray[np.float64]
    frequency: NDArray[np.float64]


@AUGMENTATIONS.register("spec_augment")
@with_bounded_repr
@dataclass(frozen=True)
class SpecAugment(Augmentation):
    """Masks runs of frames and of bands (Park et al. 2019, without time warping).

    The width of a time mask is uniform in 0 … `time_mask_param` frames, and at most the share `p` of the clip's valid
    frames; the width of a frequency mask is uniform in 0 … `freq_mask_param` bands. Starts are uniform over all
    positions where the mask fits. Masks never lie in the padding and do not depend on it.

    `fill` is the value in a mask. The default 0 is meant for normalized spectrograms, where 0 is the mean and the value
    of padding. For unnormalized levels (0 dB would be loud) use `on_levels`.

    Raises:
        ArgumentError: if a number is negative or `p` is not a share.

    >>> import numpy as np
    >>> x = np.ones((1, 64, 200))
    >>> bool((SpecAugment()(x, np.random.default_rng(0)) == 0).any())
    True
    """

    n_time_masks: int = 2
    time_mask_param: int = 40
    n_freq_masks: int = 2
    freq_mask_param: int = 15
    p: float = 0.2
    fill: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("n_time_masks", "time_mask_param", "n_freq_masks", "freq_mask_param"), 0, 100_000)
        set_real_numbers(self, ("p",), 0, 1, of="(a share of the clip's frames)")
        fill = self.fill if isinstance(self.fill, tuple) else (self.fill,)
        for value in fill:
            real_number(value, "fill", -1e12, 1e12)

    def on_levels(self, affine: Affine) -> SpecAugment:
        """Return this augmentation for levels: masks hold the value (or one for each band) that `affine` maps to 0."""
        fill = to_host(affine.shift).reshape(-1).tolist()
        return SpecAugment(
            self.n_time_masks,
            self.time_mask_param,
            self.n_freq_masks,
            self.freq_mask_param,
            self.p,
            fill[0] if len(fill) == 1 else tuple(fill),
        )

    def draw(self, shape: Shape, generator: np.random.Generator) -> Masks:
        """Draw masks for a batch with these leading axes."""
        check_generator(generator)
        return Masks(generator.random((*shape, self.n_time_masks, 2)), generator.random((*shape, self.n_freq_masks, 2)))

    def mask(self, x: Array, drawn: Masks, lengths: Array | None = None) -> Array:
        """Return booleans of the shape of `x` `(..., band, frame)`, true in the masks; `lengths` are in frames."""
        xp, shape = namespace(x), clip_shape(x, 2, "a spectrogram")
        check_drawn(drawn.time, shape)
        bands, frames = x.shape[-2:]
        ends = clip_lengths(lengths, shape, frames)
        frame, band = positions(frames, x), positions(bands, x)[:, None]
        masked = xp.zeros(x.shape, dtype=xp.bool, device=x.device)
        for i in range(self.n_time_masks):
            widest = np.minimum(self.time_mask_param, np.floor(self.p * ends).astype(np.int64))
            start, stop = _span(drawn.time[..., i, :], widest, ends)
            masked = masked | ((frame >= a_clip(start, x, 2)) & (frame < a_clip(stop, x, 2)))
        for i in range(self.n_freq_masks):
            widest = np.full(shape, min(self.freq_mask_param, bands))
            start, stop = _span(drawn.frequency[..., i, :], widest, np.full(shape, bands))
            masked = masked | ((band >= a_clip(start, x, 2)) & (band < a_clip(stop, x, 2)))
        return masked & (frame < a_clip(ends, x, 2))

    def apply(self, x: Array, drawn: Masks, lengths: Array | None = None) -> Array:
        """Return `x` `(..., band, frame)` with `fill` in the masks.

        Raises:
            ShapeError: if `x` is not floating point or the shapes do not fit.
        """
        masked = self.mask(x, drawn, lengths)
        fill = np.reshape(np.asarray(self.fill, dtype=np.float64), (-1, 1))
        if fill.shape[0] not in (1, x.shape[-2]):
            raise ShapeError(f"fill has {fill.shape[0]} values, but the spectrogram {x.shape[-2]} bands")
        return namespace(x).where(masked, constant(fill, x), x)

    def __call__(self, x: Array, generator: np.random.Generator, lengths: Array | None = None) -> Array:
        """Draw and apply."""
        return self.apply(x, self.draw(clip_shape(x, 2, "a spectrogram"), generator), lengths)


def _span(
    share: NDArray[np.float64], widest: NDArray[np.int64], length: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the start and stop of a mask from two uniform numbers."""
    width = one_of(share[..., 0], widest + 1)
    start = one_of(share[..., 1], length - width + 1)
    return start, start + width
