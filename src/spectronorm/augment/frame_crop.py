"""Random crop of a spectrogram that avoids its quietest parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, Floats, namespace, set_real_numbers, set_whole_numbers, take_along_last
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, a_clip, check_drawn, check_generator, clip_shape, one_of, positions
from spectronorm.errors import ArgumentError, ShapeError


@AUGMENTATIONS.register("frame_crop")
@dataclass(frozen=True)
class FrameCrop(Augmentation):
    """Cuts `frames` frames from each spectrogram, starting uniformly at random where the crop passes the gate.

    A crop passes if its mean power is within `gate_db` of the clip's loudest crop, so at least one crop always passes.
    The power of each frame `(..., frame)` is an argument of the call, because a spectrogram may no longer contain it
    (PCEN and normalization remove it). With `gate_db=None` every start passes. A spectrogram with `frames` frames or
    fewer is taken whole. There are no `lengths`: all clips of a batch have equal length.

    Unlike `RandomCrop`, which crops waveforms, a crop of frames needs no new spectrogram in each epoch, and filters
    over time (PCEN) have settled at the start of the crop.

    Raises:
        ArgumentError: if `frames` is not positive or the gate is negative.

    >>> import numpy as np
    >>> level, power = np.zeros((4, 64, 200)), np.ones((4, 200))
    >>> FrameCrop(50)(level, np.random.default_rng(0), power).shape
    (4, 64, 50)
    """

    frames: int
    gate_db: float | None = 10.0

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("frames",), 1, 1 << 31)
        if self.gate_db is not None:
            set_real_numbers(self, ("gate_db",), 0, 1000, of="dB, or None for no gate")

    def draw(self, shape: Shape, generator: np.random.Generator) -> Floats:
        """Draw a uniform number in [0, 1) for each clip, which selects one of the passing starts."""
        check_generator(generator)
        return np.asarray(generator.random(shape))

    def apply(self, x: Array, drawn: Floats, power: NDArray[np.floating] | None = None) -> Array:
        """Crop spectrograms `(..., band, frame)`; `power` is the power of the waveforms, `(..., frame)`.

        Raises:
            ShapeError: if `x` is not floating point or the shapes do not fit.
            ArgumentError: if there is a gate, but no power.
        """
        shape = clip_shape(x, 2, "a spectrogram")
        check_drawn(drawn, shape)
        passing = self._passing(shape, x.shape[-1], power)
        return self._cut(x, _ranked(passing, one_of(drawn, passing.sum(axis=-1))))

    def __call__(self, x: Array, generator: np.random.Generator, power: NDArray[np.floating] | None = None) -> Array:
        """Draw and apply."""
        return self.apply(x, self.draw(clip_shape(x, 2, "a spectrogram"), generator), power)

    def spread(self, x: Array, number: int, count: int, power: NDArray[np.floating] | None = None) -> Array:
        """Return crop `number` (from 0) of `count` crops spread evenly over the passing starts, for testing.

        Raises:
            ShapeError, ArgumentError: as `apply` does.
        """
        shape = clip_shape(x, 2, "a spectrogram")
        passing = self._passing(shape, x.shape[-1], power)
        last = passing.sum(axis=-1) - 1
        share = number / (count - 1) if count > 1 else 0.5
        return self._cut(x, _ranked(passing, np.round(share * last).astype(np.int64)))

    def _passing(self, shape: Shape, frames: int, power: NDArray[np.floating] | None) -> NDArray[np.bool_]:
        """Return true for the starts that pass, `(..., start)`."""
        starts = max(frames - self.frames, 0) + 1
        if self.gate_db is None or starts == 1:
            return np.ones((*shape, starts), dtype=np.bool_)
        if power is None:
            raise ArgumentError(f"a gate of {self.gate_db} dB needs the power of each frame; or set gate_db=None")
        if power.shape != (*shape, frames):
            raise ShapeError(f"a power of shape {power.shape} does not fit {frames} frames of clips of shape {shape}")
        total = np.cumsum(np.asarray(power, dtype=np.float64), axis=-1)
        total = np.concatenate([np.zeros((*shape, 1)), total], axis=-1)
        # Rounding may leave a silent crop slightly below zero.
        of_crop = np.maximum(total[..., self.frames :] - total[..., : -self.frames], 0.0)
        return np.asarray(of_crop >= of_crop.max(axis=-1, keepdims=True) * 10.0 ** (-self.gate_db / 10.0))

    def _cut(self, x: Array, starts: NDArray[np.int64]) -> Array:
        if x.shape[-1] <= self.frames:
            return x
        index = a_clip(starts, x, 1) + positions(self.frames, x)
        rows = namespace(x).broadcast_to(index[..., None, :], (*x.shape[:-1], self.frames))
        return take_along_last(x, rows)


def _ranked(passing: NDArray[np.bool_], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the start that has `rank` passing starts before it."""
    return np.asarray(np.argmax(np.cumsum(passing, axis=-1) > rank[..., None], axis=-1), dtype=np.int64)
