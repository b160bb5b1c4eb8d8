"""Random shift in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, namespace, set_flags, set_whole_numbers, take_along_last
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, a_clip, check_drawn, check_generator, clip_lengths, clip_shape, positions


@AUGMENTATIONS.register("time_shift")
@dataclass(frozen=True)
class TimeShift(Augmentation):
    """Shifts each waveform by a number of samples uniform in `-max_samples … max_samples`; positive is later.

    Samples that leave a clip at one end enter at the other (`wrap`), or zeros enter. Only valid samples move; padding
    stays in place. A clip that is shorter than the shift wraps more than once, or becomes silent.

    Raises:
        ArgumentError: if `max_samples` is negative.

    >>> import numpy as np
    >>> shifted = TimeShift(3)(np.arange(8.0)[None], np.random.default_rng(0))
    >>> shifted
    array([[6., 7., 0., 1., 2., 3., 4., 5.]])
    """

    on_waves: ClassVar[bool] = True

    max_samples: int
    wrap: bool = True

    def __post_init__(self) -> None:
        set_flags(self, ("wrap",))
        set_whole_numbers(self, ("max_samples",), 0, 1 << 31, of="samples")

    def draw(self, shape: Shape, generator: np.random.Generator) -> NDArray[np.int64]:
        """Draw the shift of each clip, in samples."""
        check_generator(generator)
        return np.asarray(generator.integers(-self.max_samples, self.max_samples, size=shape, endpoint=True))

    def apply(self, wave: Array, drawn: NDArray[np.int64], lengths: Array | None = None) -> Array:
        """Shift waveforms `(..., sample)`; `lengths` are in samples.

        Raises:
            ShapeError: if the waveform is not floating point or the shapes do not fit.
        """
        xp, shape = namespace(wave), clip_shape(wave, 1, "a wave")
        check_drawn(drawn, shape)
        ends = a_clip(clip_lengths(lengths, shape, wave.shape[-1]), wave, 1)
        position = positions(wave.shape[-1], wave)
        origin = position - a_clip(drawn, wave, 1)
        real = position < ends
        shifted = take_along_last(wave, xp.where(real, origin % ends, position + xp.zeros_like(origin)))
        if self.wrap:
            return shifted
        return xp.where(real & ((origin < 0) | (origin >= ends)), xp.zeros_like(shifted), shifted)

    def __call__(self, wave: Array, generator: np.random.Generator, lengths: Array | None = None) -> Array:
        """Draw and apply."""
        return self.apply(wave, self.draw(clip_shape(wave, 1, "a wave"), generator), lengths)
