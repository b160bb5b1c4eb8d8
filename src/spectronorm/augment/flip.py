"""Random reversal of spectrograms in time or frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, namespace, set_real_numbers
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, a_clip, check_drawn, check_generator, clip_lengths, clip_shape, positions


@AUGMENTATIONS.register("flip")
@dataclass(frozen=True)
class Flip(Augmentation):
    """Reverses spectrograms in time, in frequency, or both, each with its probability, as pictures are flipped.

    Sounds are not pictures: a reversed spectrogram is another sound. The kind is here so that it can be compared.

    Raises:
        ArgumentError: if a probability is not in 0 … 1.

    >>> import numpy as np
    >>> Flip(time=1.0)(np.array([[[1.0, 2.0, 3.0]]]), np.random.default_rng(0))
    array([[[3., 2., 1.]]])
    """

    time: float = 0.5
    frequency: float = 0.0

    def __post_init__(self) -> None:
        set_real_numbers(self, ("time", "frequency"), 0, 1, of="(a probability)")

    def draw(self, shape: Shape, generator: np.random.Generator) -> NDArray[np.bool_]:
        """Draw two booleans for each clip, `(..., 2)`: reversed in time, reversed in frequency."""
        check_generator(generator)
        return np.asarray(generator.random((*shape, 2)) < np.array([self.time, self.frequency]))

    def apply(self, x: Array, drawn: NDArray[np.bool_], lengths: Array | None = None) -> Array:
        """Reverse spectrograms `(..., band, frame)`; with `lengths` (frames), the valid frames only.

        Raises:
            ShapeError: if `x` is not floating point or the shapes do not fit.
        """
        xp, shape = namespace(x), clip_shape(x, 2, "a spectrogram")
        check_drawn(drawn, shape)
        bands, frames = x.shape[-2:]
        ends = clip_lengths(lengths, shape, frames)
        numbers = np.arange(frames)
        there = np.where((numbers < ends[..., None]) & drawn[..., :1], ends[..., None] - 1 - numbers, numbers)
        index = xp.broadcast_to(a_clip(there, x, 0)[..., None, :], (*shape, bands, frames))
        turned = xp.take_along_axis(x, index, axis=-1)
        upside_down = a_clip(drawn[..., 1].astype(np.int64), x, 2) * (positions(frames, x) < a_clip(ends, x, 2))
        return xp.where(upside_down > 0, xp.flip(turned, axis=-2), turned)

    def __call__(self, x: Array, generator: np.random.Generator, lengths: Array | None = None) -> Array:
        """Draw and apply."""
        return self.apply(x, self.draw(clip_shape(x, 2, "a spectrogram"), generator), lengths)
