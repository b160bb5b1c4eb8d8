"""Short-time normalization: mean and variance over a sliding window, from cumulative sums, without a loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays.affine import Affine
from spectronorm.arrays.checks import require_floats, set_flags, set_whole_numbers
from spectronorm.arrays.namespace import Array, is_torch_array, namespace, returned, working
from spectronorm.arrays.operations import at_least
from spectronorm.arrays.window_moments import window_moments
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.suggestion import known_keywords


@dataclass(frozen=True)
class SlidingWindow:
    """Neighbours along the last axis that count for each position, as in Kaldi's `apply-cmvn-sliding`.

    With `center`, the window is the `length` positions around each position, moved inwards at both ends. Without, it is
    the `length` positions before each position and the position itself; at the start at least the first `min_length`,
    so only `min_length=1` is strictly causal. A signal shorter than the window is taken whole.

    Raises:
        ArgumentError: unless `1 <= min_length <= length`.
    """

    length: int
    min_length: int = 1
    center: bool = True

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("length", "min_length"), 1, 1 << 31)
        set_flags(self, ("center",))
        if self.min_length > self.length:
            raise ArgumentError(f"min_length={self.min_length} must be at most length={self.length}")

    def bounds(self, here: Array, count: Array) -> tuple[Array, Array]:
        """Return the first and one past the last neighbour of positions `here` of signals with `count` positions."""
        start = here - (self.length // 2 if self.center else self.length)
        stop = start + self.length if self.center else here + 1
        before = at_least(-start, 0)
        start, stop = start + before, stop + before
        if not self.center:
            stop = at_least(here + 1, self.min_length)
        past = at_least(stop - count, 0)
        return at_least(start - past, 0), stop - past

    def complete(self, seen: int) -> int:
        """Number of positions whose neighbours are all among the first `seen`, however many follow."""
        if self.center:
            return max(0, seen - self.length + self.length // 2 + 1) if seen >= self.length else 0
        return seen if seen >= self.min_length else 0


@lru_cache(maxsize=64)
def _numpy_bounds(window: SlidingWindow, positions: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return window.bounds(np.arange(positions), np.int64(positions))


def _bounds(window: SlidingWindow, x: Array, valid: Array | None) -> tuple[Array, Array]:
    """Return the bounds for each position of `x`; beyond the valid positions, any window that is not empty."""
    if not is_torch_array(x) and valid is None:
        return _numpy_bounds(window, x.shape[-1])
    xp, size = namespace(x), x.shape[-1]
    here = xp.arange(size, dtype=xp.int64, device=x.device)
    if valid is None:
        return window.bounds(here, size)
    count = at_least(xp.sum(xp.astype(valid, xp.int64), axis=-1, keepdims=True), 1)
    start, stop = window.bounds(xp.minimum(here, count - 1), count)
    shape = (*x.shape[:-1], size)
    return xp.broadcast_to(start, shape), xp.broadcast_to(stop, shape)


def sliding_affine(x: Array, window: SlidingWindow, *, scale: bool = True, valid: Array | None = None) -> Affine:
    """Map that takes each position's neighbours to mean 0 and, with `scale`, to standard deviation 1.

    Shift and scale are float64, in the shape of `x`. A window with a deviation below a millionth of its mean counts as
    constant, since such a deviation is rounding; its scale is 1 and its result is 0. With `valid` (boolean, broadcast
    against `x`, true up to each signal's end), no window reaches beyond the end.

    Raises:
        ShapeError: if `x` is not floating point or its last axis is empty.
    """
    require_floats(x, "a signal")
    if x.ndim < 1 or x.shape[-1] == 0:
        raise ShapeError(f"a signal of shape {tuple(x.shape)} has no position to normalize; pass (..., position)")
    xp = namespace(x)
    mean, std = window_moments(xp.astype(x, xp.float64, copy=False), *_bounds(window, x, valid))
    return Affine(mean, std if scale else xp.ones_like(mean))


def sliding_affine_in_blocks(
    blocks: Iterable[NDArray[np.float64]], window: SlidingWindow, *, scale: bool = True
) -> Iterator[tuple[NDArray[np.float64], Affine]]:
    """Yield a signal `(..., position)` that comes in blocks again, each part with its map by `sliding_affine`.

    No more is held than a block and a window. The map is that of the whole signal, within rounding.
    """
    kept: NDArray[np.float64] | None = None
    first, seen, done = 0, 0, 0
    for block in blocks:
        kept = block if kept is None else np.concatenate([kept, block], axis=-1)
        seen += block.shape[-1]
        ready = window.complete(seen)
        if ready > done:
            yield _mapped(kept, window, scale, first, (done, ready))
            done = ready
        least = max(first, min(done, seen) - window.length)
        kept, first = kept[..., least - first :], least
    if kept is not None and seen > done:
        yield _mapped(kept, window, scale, first, (done, seen))


def _mapped(
    kept: NDArray[np.float64], window: SlidingWindow, scale: bool, first: int, part: tuple[int, int]
) -> tuple[NDArray[np.float64], Affine]:
    """The positions of a part, and their map; `kept` begins at the position `first` and ends with what is known."""
    seen = first + kept.shape[-1]
    start, stop = window.bounds(np.arange(first, seen), np.int64(seen))
    # Bounds before the first position kept are those of positions that are done.
    start, stop = np.maximum(start - first, 0), np.maximum(stop - first, 1)
    mean, std = window_moments(kept, start, stop)
    here = slice(part[0] - first, part[1] - first)
    return kept[..., here], Affine(mean[..., here], std[..., here] if scale else np.ones_like(mean[..., here]))


@known_keywords
def sliding_standardize(
    x: Array, window: int, *, min_window: int = 1, center: bool = True, scale: bool = True
) -> tuple[Array, Affine]:
    """Normalize a waveform `(..., sample)` or a level `(..., band, frame)` over a sliding window of its last axis.

    Args:
        x: Signal to normalize; NumPy or torch, differentiable.
        window: Length of the window, in samples or frames.
        min_window: If not centred: smallest number of positions that count at the start (see `SlidingWindow`).
        center: Place the window around each position instead of before it.
        scale: Normalize the standard deviation as well as the mean.

    Returns:
        The normalized signal and its map, so that `affine.inverse(y)` is `x` again.

    Raises:
        ArgumentError: if the window is invalid.
        ShapeError: if `x` is not floating point or is empty.

    >>> y, affine = sliding_standardize(np.array([5.0, 5.0, 5.0, 9.0, 9.0, 9.0]), window=2)
    >>> y
    array([0., 0., 0., 1., 0., 0.])
    >>> affine.inverse(y)
    array([5., 5., 5., 9., 9., 9.])
    """
    affine = sliding_affine(x, SlidingWindow(window, min_window, center), scale=scale)
    return returned(affine(working(x)), like=x), affine
