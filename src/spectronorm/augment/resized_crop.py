"""Random window of a spectrogram, resized to the full size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, constant, namespace, real_number
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, a_clip, check_drawn, check_generator, clip_lengths, clip_shape, positions
from spectronorm.errors import ArgumentError
from spectronorm.short_repr import with_bounded_repr

_CUBIC = -0.75  # the parameter of torch's and OpenCV's bicubic kernel


def _pair(value: object, name: str, low: float, high: float) -> tuple[float, float]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ArgumentError(f"{name}={value!r} must be two numbers")
    return real_number(value[0], name, low, high), real_number(value[1], name, low, high)


@AUGMENTATIONS.register("random_resized_crop")
@with_bounded_repr
@dataclass(frozen=True)
class RandomResizedCrop(Augmentation):
    """BYOL-A's random resize crop (Niizumi et al. 2021, section III.C): shifts and stretches in time and frequency.

    The spectrogram lies in the middle of a canvas of zeros, `virtual_crop_scale` (frequency, time) times its size. The
    size of the window, in each direction, is a share of the spectrogram's size, uniform in `freq_scale` and
    `time_scale`, and at most the canvas. The window is cut out at a uniform position and resized to the spectrogram's
    size by bicubic interpolation (corners aligned). The augmentation is meant for normalized spectrograms, where 0 is
    the mean.

    Raises:
        ArgumentError: unless scales are `0 < low <= high` and the canvas is at least the size of the spectrogram.

    >>> import numpy as np
    >>> RandomResizedCrop()(np.ones((2, 64, 96)), np.random.default_rng(0)).shape
    (2, 64, 96)
    """

    virtual_crop_scale: tuple[float, float] = (1.0, 1.5)
    freq_scale: tuple[float, float] = (0.6, 1.5)
    time_scale: tuple[float, float] = (0.6, 1.5)

    def __post_init__(self) -> None:
        for name in ("freq_scale", "time_scale"):
            low, high = _pair(getattr(self, name), name, 0.001, 1000)
            if not low <= high:
                raise ArgumentError(f"{name}={(low, high)} must be 0 < low <= high")
        _pair(self.virtual_crop_scale, "virtual_crop_scale", 1, 1000)

    def draw(self, shape: Shape, generator: np.random.Generator) -> NDArray[np.float64]:
        """Draw four uniform numbers in [0, 1) for each clip, `(..., 4)`: height, width, and both positions."""
        check_generator(generator)
        return np.asarray(generator.random((*shape, 4)))

    def apply(self, x: Array, drawn: NDArray[np.float64], lengths: Array | None = None) -> Array:
        """Resize windows of spectrograms `(..., band, frame)`; with `lengths` (frames), of the valid frames only.

        Raises:
            ShapeError: if `x` is not floating point or the shapes do not fit.
        """
        shape = clip_shape(x, 2, "a spectrogram")
        check_drawn(drawn, shape)
        bands, frames = x.shape[-2:]
        ends = clip_lengths(lengths, shape, frames)
        low, high = np.full(shape, bands), self.virtual_crop_scale
        over_bands = _window_weights(bands, low, high[0], self.freq_scale, drawn[..., 0::2])
        over_frames = _window_weights(frames, ends, high[1], self.time_scale, drawn[..., 1::2])
        resized = constant(over_bands, x) @ x @ constant(np.swapaxes(over_frames, -1, -2), x)
        if lengths is None:
            return resized
        return namespace(x).where(positions(frames, x) < a_clip(ends, x, 2), resized, x)

    def __call__(self, x: Array, generator: np.random.Generator, lengths: Array | None = None) -> Array:
        """Draw and apply."""
        return self.apply(x, self.draw(clip_shape(x, 2, "a spectrogram"), generator), lengths)


def _window_weights(
    size: int,
    lengths: NDArray[np.int64],
    canvas_scale: float,
    scale: tuple[float, float],
    drawn: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the window along one axis as weights `(..., out, in)`, both of `size`, of which `lengths` are valid.

    `drawn` `(..., 2)` holds the size and the position of the window as shares.
    """
    canvas = np.floor(lengths * canvas_scale)
    window = np.clip(np.floor((scale[0] + (scale[1] - scale[0]) * drawn[..., 0]) * lengths), 1, canvas)
    start = np.floor(drawn[..., 1] * (canvas - window + 1)) - (canvas - lengths) // 2
    length, window, start = (value[..., None] for value in (lengths, window, start))
    out = np.arange(size)
    source = np.minimum(out, length - 1) * (window - 1) / np.maximum(length - 1, 1)
    below = np.floor(source)
    weights = np.zeros((*lengths.shape, size, size))
    rows = np.broadcast_to(out, source.shape)
    clips = np.indices(source.shape)[:-1]
    for step in (-1, 0, 1, 2):
        tap = (start + np.clip(below + step, 0, window - 1)).astype(np.int64)  # The edge of the window is repeated.
        weight = np.where((tap >= 0) & (tap < length) & (out < length), _cubic(source - below - step), 0.0)
        np.add.at(weights, (*clips, rows, np.clip(tap, 0, size - 1)), weight)
    return weights


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys's cubic convolution kernel."""
    d = np.abs(distance)
    near = ((_CUBIC + 2) * d - (_CUBIC + 3)) * d * d + 1
    far = ((_CUBIC * d - 5 * _CUBIC) * d + 8 * _CUBIC) * d - 4 * _CUBIC
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))
