"""Checks and conversions shared by all augmentations of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, constant, require_floats, to_host, whole_numbers
from spectronorm.errors import ArgumentError, ShapeError

Shape = tuple[int, ...]


def clip_shape(x: Array, axes: int, what: str) -> Shape:
    """Return the leading axes of clips that have `axes` axes each.

    Args:
        x: The batch.
        axes: Number of axes of one clip.
        what: Name of the batch, for the message.

    Raises:
        ShapeError: if `x` is not floating point or has too few axes.
    """
    require_floats(x, what)
    if x.ndim < axes:
        layout = "(..., sample)" if axes == 1 else "(..., band, frame)"
        raise ShapeError(f"{what} of shape {tuple(x.shape)} has too few axes; it must be {layout}")
    return tuple(x.shape[: x.ndim - axes])


def check_generator(generator: np.random.Generator) -> None:
    """Check that this is a NumPy generator.

    Raises:
        ArgumentError: if it is not.
    """
    if not isinstance(generator, np.random.Generator):
        raise ArgumentError(
            f"generator={generator!r} must be a numpy.random.Generator, so that equal seeds give equal results: "
            "use numpy.random.default_rng(seed)"
        )


def check_drawn(drawn: NDArray[Any], shape: Shape) -> None:
    """Check that the draws were made for clips of this shape.

    Raises:
        ShapeError: if they were not.
    """
    if drawn.shape[: len(shape)] != shape:
        raise ShapeError(
            f"the numbers were drawn for clips of shape {drawn.shape}, but the batch has {shape}; "
            "draw with the batch's leading axes"
        )


def clip_lengths(lengths: Array | None, shape: Shape, longest: int) -> NDArray[np.int64]:
    """Return the number of valid entries along each clip's last axis, as int64 in the shape of the clips.

    Args:
        lengths: Whole numbers in the shape of the leading axes (or of the first of them), or None for full length.
        shape: The leading axes.
        longest: The size of the last axis.

    Raises:
        ShapeError: if the lengths are not whole numbers, do not fit the shape, or are not in 1 … `longest`.
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
    """Return `0 … count - 1` in the library and on the device of `like`."""
    return whole_numbers(np.arange(count), like)


def a_clip(values: NDArray[Any], like: Array, axes: int) -> Array:
    """Convert draws, one for each clip, to the library of `like`, with `axes` axes of size 1 appended.

    Integers stay integers.
    """
    spread = values.reshape(*values.shape, *[1] * axes)
    return whole_numbers(spread, like) if values.dtype.kind in "iu" else constant(spread, like)


def one_of(share: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Map a uniform share in [0, 1) to a whole number from 0 to `count - 1`."""
    return np.minimum(np.floor(share * count), count - 1).astype(np.int64)
