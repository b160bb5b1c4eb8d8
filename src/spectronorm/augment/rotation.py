"""Random rotation of spectrograms by small angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, constant, namespace, set_real_numbers
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, a_clip, check_drawn, check_generator, clip_lengths, clip_shape, positions


@AUGMENTATIONS.register("rotation")
@dataclass(frozen=True)
class Rotation(Augmentation):
    """Turns spectrograms about their middle, as pictures are turned, by an angle uniform in `-degrees … degrees`.

    A band counts as much as a frame. Values between cells are interpolated linearly; beyond the border, the nearest
    cell is repeated. A rotated spectrogram is the sound of no source: the kind is here so that it can be compared.

    Raises:
        ArgumentError: if `degrees` is not in 0 … 45.

    >>> import numpy as np
    >>> turned = Rotation(5.0)(np.ones((2, 64, 96)), np.random.default_rng(0))
    >>> turned.shape, bool(np.allclose(turned, 1.0))
    ((2, 64, 96), True)
    """

    degrees: float = 5.0

    def __post_init__(self) -> None:
        set_real_numbers(self, ("degrees",), 0, 45)

    def draw(self, shape: Shape, generator: np.random.Generator) -> NDArray[np.float64]:
        """Draw one angle in degrees for each clip."""
        check_generator(generator)
        return np.asarray(generator.uniform(-self.degrees, self.degrees, shape))

    def apply(self, x: Array, drawn: NDArray[np.float64], lengths: Array | None = None) -> Array:
        """Rotate spectrograms `(..., band, frame)`; with `lengths` (frames), the valid frames only.

        Raises:
            ShapeError: if `x` is not floating point or the shapes do not fit.
        """
        xp, shape = namespace(x), clip_shape(x, 2, "a spectrogram")
        check_drawn(drawn, shape)
        bands, frames = x.shape[-2:]
        ends = clip_lengths(lengths, shape, frames)
        last = (ends - 1)[..., None, None].astype(np.float64)
        angle = np.deg2rad(drawn)[..., None, None]
        up, along = np.arange(bands)[:, None] - (bands - 1) / 2, np.arange(frames) - last / 2
        row = np.clip(np.cos(angle) * up - np.sin(angle) * along + (bands - 1) / 2, 0, bands - 1)
        column = np.clip(np.sin(angle) * up + np.cos(angle) * along + last / 2, 0, last)
        top, left = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
        flat = xp.reshape(x, (*shape, bands * frames))

        def cells(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Array:
            index = np.minimum(rows, bands - 1) * frames + np.minimum(columns, ends[..., None, None] - 1)
            found = xp.take_along_axis(flat, a_clip(index.reshape(*shape, -1), x, 0), axis=-1)
            return xp.reshape(found, (*shape, bands, frames))

        down, right = constant(row - top, x), constant(column - left, x)
        upper = cells(top, left) * (1 - right) + cells(top, left + 1) * right
        lower = cells(top + 1, left) * (1 - right) + cells(top + 1, left + 1) * right
        turned = upper * (1 - down) + lower * down
        return xp.where(positions(frames, x) < a_clip(ends, x, 2), turned, x)

    def __call__(self, x: Array, generator: np.random.Generator, lengths: Array | None = None) -> Array:
        """Draw and apply."""
        return self.apply(x, self.draw(clip_shape(x, 2, "a spectrogram"), generator), lengths)
