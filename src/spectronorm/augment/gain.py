"""Random gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, set_real_numbers
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, a_clip, check_drawn, check_generator, clip_lengths, clip_shape
from spectronorm.errors import ArgumentError


@AUGMENTATIONS.register("gain")
@dataclass(frozen=True)
class Gain(Augmentation):
    """Multiplies each waveform by a gain uniform in `min_db … max_db`, without clipping: float audio may exceed 1.

    A front end that standardizes the waveform removes the gain again.

    Raises:
        ArgumentError: unless `min_db <= max_db` and both are finite.

    >>> import numpy as np
    >>> wave = np.full((1, 4), 0.1)
    >>> Gain(-20.0, -20.0)(wave, np.random.default_rng(0))
    array([[0.01, 0.01, 0.01, 0.01]])
    """

    on_waves: ClassVar[bool] = True

    min_db: float = -6.0
    max_db: float = 6.0

    def __post_init__(self) -> None:
        set_real_numbers(self, ("min_db", "max_db"), -300, 300, of="dB")
        if not self.min_db <= self.max_db:
            raise ArgumentError(f"min_db={self.min_db}, max_db={self.max_db} must be finite, with min_db <= max_db")

    def draw(self, shape: Shape, generator: np.random.Generator) -> NDArray[np.float64]:
        """Draw the gain of each clip in dB."""
        check_generator(generator)
        return np.asarray(generator.uniform(self.min_db, self.max_db, size=shape))

    def apply(self, wave: Array, drawn: NDArray[np.float64], lengths: Array | None = None) -> Array:
        """Apply the gains to waveforms `(..., sample)`; zero padding stays zero.

        Raises:
            ShapeError: if the waveform is not floating point or the shapes do not fit.
        """
        shape = clip_shape(wave, 1, "a wave")
        check_drawn(drawn, shape)
        clip_lengths(lengths, shape, wave.shape[-1])
        return wave * a_clip(10.0 ** (drawn / 20.0), wave, 1)

    def __call__(self, wave: Array, generator: np.random.Generator, lengths: Array | None = None) -> Array:
        """Draw and apply."""
        return self.apply(wave, self.draw(clip_shape(wave, 1, "a wave"), generator), lengths)
