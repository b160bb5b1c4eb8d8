"""What all augmentations check and need of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, constant, require_floats, to_host, whole_numbers
from spectronorm.errors import ArgumentError, ShapeError

Shape = tuple[int, ...]


def clip_shape(x: Array, axes: int, what: str) -> Shape:
    """The leading axes of clips that have `axes` axes each.

    Raises:
        ShapeError: when `x` is not floating point or has too few axes.
    """
    require_floats(x, what)
    if x.ndim < axes:
        layout = "(..., sample)" if axes == 1 else "(..., band, frame)"
        raise ShapeError(f"{what} of shape {tuple(x.shape)} has too few axes; it must be {layout}")
    return tuple(x.shape[: x.ndim - axes])


def check_generator(generator: np.random.Generator) -> None:
    """Raise `ArgumentError` unless this is a NumPy generator."""
    if not isinstance(generator, np.random.Generator):
        raise ArgumentError(
            f"generator={generator!r} must be a numpy.random.Generator, so that the same seed gives the same result: "
            "use numpy.random.default_rng(seed)"
        )


def check_drawn(drawn: NDArray[Any], shape: Shape) -> None:
    """Raise `ShapeError` unless numbers were drawn for clips of this shape."""
    if drawn.shape[: len(shape)] != shape:
        raise ShapeError(
            f"the numbers were drawn for clips of shape {drawn.shape}, but the batch has {shape}; "
            "draw with the batch's leading axes"
        )


def clip_lengths(lengths: Array | None, shape: Shape, longest: int) -> NDArray[np.int64]:
    """How many entries of each clip's last axis are real, as int64 in the shape of the clips.

    Args:
        lengths: Whole numbers in the shape of the leading axes (or the first of them), or None for all.
        shape: The leading axes.
        longest: The size of the last axis.

    Raises:
        ShapeError: when they are no whole numbers, do not fit, or are not in 1 … `longest`.
    """
    if lengths is None:
        return np.full(shape, longest, dtype=np.int64)
    values = to_host(lengths)
    if values.dtype.kind not in "iu" or values.shape != shape[: values.ndim]:
        raise ShapeError(
            f"lengths of dtype {values.dtype} and shape {values.shape} do not fit clips of shape {shape}: give one "
            "whole number for each entry of the leading axes"
        )
    if values.size and not (values.min() >= 1 and values.max() <= longest):
        raise ShapeError(f"lengths reach from {values.min()} to {values.max()}, but must lie in 1 … {longest}")
    return np.broadcast_to(values.reshape(*values.shape, *[1] * (len(shape) - values.ndim)), shape).astype(np.int64)


def positions(count: int, like: Array) -> Array:
    """`0 … count - 1` beside `like`."""
    return whole_numbers(np.arange(count), like)


def a_clip(values: NDArray[Any], like: Array, axes: int) -> Array:
    """Drawn numbers, one a clip, beside `like` and with `axes` axes of size 1 behind; whole numbers stay whole."""
    spread = values.reshape(*values.shape, *[1] * axes)
    return whole_numbers(spread, like) if values.dtype.kind in "iu" else constant(spread, like)


def one_of(share: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """A uniform share in [0, 1) as one of `count` whole numbers from 0."""
    return np.minimum(np.floor(share * count), count - 1).astype(np.int64)
