"""Random crop of a waveform that avoids silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import (
    Array,
    constant,
    namespace,
    require_floats,
    set_real_numbers,
    set_whole_numbers,
    take_along_last,
    whole_numbers,
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


@with_bounded_repr
class Cropped(NamedTuple):
    """Waveforms `(..., sample)`, and the number of valid samples in each (int64, in the library of the waveforms).

    >>> import numpy as np
    >>> from spectronorm.augment import RandomCrop
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((2, 16_000))
    >>> cropped = RandomCrop(4_000)(waves, np.random.default_rng(1), np.array([16_000, 3_000]))
    >>> cropped.wave.shape, cropped.lengths
    ((2, 4000), array([4000, 3000]))
    """

    wave: Array
    lengths: Array


@AUGMENTATIONS.register("random_crop")
@dataclass(frozen=True)
class RandomCrop(Augmentation):
    """Cuts `samples` samples from each waveform, at a start drawn uniformly from the starts whose crop passes the gate.

    A crop passes if its RMS level is at least `gate_dbfs` (dB relative to a constant 1.0; a full-scale sine has -3). If
    no crop of a clip passes, the loudest crop is taken, so a crop is never silent while the clip holds a louder one.
    Clips shorter than `samples` are taken whole and padded with zeros. With `gate_dbfs=None` every start passes.

    Raises:
        ArgumentError: if `samples` is not positive or the gate is above 0.

    >>> import numpy as np
    >>> RandomCrop(samples=100)(np.ones((2, 300)), np.random.default_rng(0)).wave.shape
    (2, 100)
    """

    on_waves: ClassVar[bool] = True

    samples: int
    gate_dbfs: float | None = -60.0

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("samples",), 1, 1 << 31)
        if self.gate_dbfs is not None:
            set_real_numbers(self, ("gate_dbfs",), -1000, 0, of="dBFS, or None for no gate")

    def draw(self, shape: Shape, generator: np.random.Generator) -> NDArray[np.float64]:
        """Draw a uniform number in [0, 1) for each clip, which selects one of the passing starts."""
        check_generator(generator)
        return np.asarray(generator.random(shape))

    def apply(self, wave: Array, drawn: NDArray[np.float64], lengths: Array | None = None) -> Cropped:
        """Crop waveforms `(..., sample)`; `lengths` are in samples.

        Raises:
            ShapeError: if the waveform is not floating point or the shapes do not fit.
        """
        shape = clip_shape(wave, 1, "a wave")
        check_drawn(drawn, shape)
        ends = clip_lengths(lengths, shape, wave.shape[-1])
        starts = self._starts(wave, drawn, ends)
        index = starts + positions(self.samples, wave)
        return Cropped(_taken(wave, index, a_clip(ends, wave, 1)), whole_numbers(np.minimum(ends, self.samples), wave))

    def stack(self, wave: Array, generator: np.random.Generator, lengths: Array | None = None) -> Cropped:
        """Cut the channels of stacks `(..., channel, sample)` at one start each, by the power of all channels.

        Args:
            wave: The stacks, NumPy or torch.
            generator: The source of chance; a stack takes one number, as a clip does.
            lengths: Number of samples of each stack.

        Raises:
            ShapeError: if the waveform is not floating point, has no channels, or the shapes do not fit.
        """
        if wave.ndim < 2 or not wave.shape[-2]:
            raise ShapeError(f"a stack of shape {tuple(wave.shape)} is not (..., channel, sample)")
        require_floats(wave, "a stack")
        xp = namespace(wave)
        rms = xp.sqrt(xp.mean(xp.astype(wave, xp.float64) ** 2, axis=-2))
        shape = clip_shape(rms, 1, "a stack")
        drawn, ends = self.draw(shape, generator), clip_lengths(lengths, shape, wave.shape[-1])
        index = self._starts(rms, drawn, ends) + positions(self.samples, wave)
        index = xp.broadcast_to(index[..., None, :], (*wave.shape[:-1], self.samples))
        inside = a_clip(ends, wave, 1)[..., None, :]
        return Cropped(_taken(wave, index, inside), whole_numbers(np.minimum(ends, self.samples), wave))

    def __call__(self, wave: Array, generator: np.random.Generator, lengths: Array | None = None) -> Cropped:
        """Draw and apply."""
        return self.apply(wave, self.draw(clip_shape(wave, 1, "a wave"), generator), lengths)

    def _starts(self, wave: Array, drawn: NDArray[np.float64], ends: NDArray[np.int64]) -> Array:
        """Return the first sample of each crop, `(..., 1)`."""
        xp, choices = namespace(wave), np.maximum(ends - self.samples, 0) + 1
        if self.gate_dbfs is None or wave.shape[-1] <= self.samples:
            return a_clip(one_of(drawn, choices), wave, 1)
        # Sums of squares are float64, so that silence between loud sounds is exactly 0.
        total = xp.cumulative_sum(xp.astype(wave, xp.float64) ** 2, axis=-1, include_initial=True)
        power = (total[..., self.samples :] - total[..., : -self.samples]) / self.samples
        possible = positions(power.shape[-1], wave) < a_clip(choices, wave, 1)
        passing = possible & (power >= 10.0 ** (self.gate_dbfs / 10.0))
        rank = xp.cumulative_sum(xp.astype(passing, xp.int64), axis=-1)
        count = rank[..., -1:]
        share = constant(drawn[..., None], total)
        chosen = xp.minimum(xp.astype(xp.floor(share * xp.astype(count, xp.float64)), xp.int64), count - 1)
        start = xp.sum(xp.astype(rank <= chosen, xp.int64), axis=-1, keepdims=True)
        loudest = xp.argmax(xp.where(possible, power, xp.full_like(power, -1.0)), axis=-1, keepdims=True)
        return xp.where(count > 0, start, loudest)


def _taken(wave: Array, index: Array, ends: Array) -> Array:
    """The samples at `index`, and zeros beyond the ends of the clips."""
    xp = namespace(wave)
    last = whole_numbers(np.array(wave.shape[-1] - 1), wave)
    crop = take_along_last(wave, xp.minimum(index, last))
    return xp.where(index < ends, crop, xp.zeros_like(crop))
