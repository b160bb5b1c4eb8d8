"""The only file that knows NumPy from torch: namespaces, dtypes, and the seams where the two must differ.

NumPy arrays are worked on in float64 and handed back in their own dtype, because a float32 FFT misses 1e-5 per
band on real silence. Torch tensors are worked on in their own dtype, on their own device.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its modules fft and signal are imported when they are first used: most runs need neither
from array_api_compat import array_namespace
from numpy.typing import NDArray

from spectronorm.compiled import njit
from spectronorm.errors import ArgumentError, ShapeError

Array = Any
"""A NumPy array or a torch tensor."""


def is_torch_array(x: object) -> bool:
    """Whether `x` is a torch tensor; torch itself is never imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def namespace(*arrays: Array) -> Any:
    """The array API namespace that all arrays share; raises `ShapeError` for anything else."""
    if arrays and all(is_torch_array(array) for array in arrays):
        # array_namespace caches what it finds, which torch.compile warns of.
        from array_api_compat import torch  # noqa: PLC0415

        return torch
    try:
        return array_namespace(*arrays)
    except TypeError:
        kinds = ", ".join(sorted({type(array).__name__ for array in arrays}))
        raise ShapeError(f"got {kinds}; needed one NumPy array or torch tensor: wrap lists in np.asarray") from None


def require_floats(x: Array, what: str) -> None:
    """Raise `ShapeError` unless `x` holds real floating-point numbers."""
    xp = namespace(x)
    if not xp.isdtype(x.dtype, "real floating"):
        raise ShapeError(
            f"{what} has dtype {x.dtype}, but must be floating point in [-1, 1]: "
            "divide 16-bit integers by 32768 first (spectronorm.read does this)"
        )


def require_finite(x: Array, what: str) -> None:
    """Raise `ArgumentError` when a NumPy array holds NaN or infinity.

    Torch tensors are not looked at: that would wait for a GPU, and cannot be compiled (`spectronorm.nn` does it where it
    can).
    """
    if not is_torch_array(x) and not np.isfinite(x).all():
        raise ArgumentError(
            f"{int((~np.isfinite(x)).sum())} values of {what} are NaN or infinite, but every one must be finite; "
            "repair or leave out the clip"
        )


def working(x: Array) -> Array:
    """`x` in the dtype that the arithmetic runs in: float64 for NumPy, at least float32 for torch."""
    if is_torch_array(x):
        return x.float() if x.dtype.itemsize < 4 else x
    return np.asarray(x, dtype=np.float64)


def returned(y: Array, like: Array) -> Array:
    """`y` contiguous and in the dtype of `like`."""
    if is_torch_array(y):
        return y.to(like.dtype).contiguous()
    return np.ascontiguousarray(y, dtype=like.dtype)


def constant(values: NDArray[Any], like: Array) -> Array:
    """NumPy `values` as a constant beside `like`: same library, dtype and device."""
    if is_torch_array(like):
        copy = np.array(values, dtype=np.float64)  # torch warns of arrays that cannot be written to
        return namespace(like).asarray(copy, dtype=like.dtype, device=like.device)
    return np.asarray(values, dtype=like.dtype)


def beside(values: Array, like: Array) -> Array:
    """`values` ready for arithmetic with `like`: tensors as they are, NumPy arrays as constants."""
    return values.to(like.dtype) if is_torch_array(values) else constant(values, like)


def whole_numbers(values: NDArray[Any], like: Array) -> Array:
    """NumPy integers as int64 beside `like`."""
    return namespace(like).asarray(np.array(values, dtype=np.int64), device=like.device)


def take_along_last(x: Array, index: Array) -> Array:
    """`x[..., index]` with an index of its own for each row: `(..., n)` of `x` `(..., sample)`."""
    return x.gather(-1, index) if is_torch_array(x) else np.take_along_axis(x, index, axis=-1)


def to_host(x: Array) -> NDArray[Any]:
    """`x` as a NumPy array."""
    return np.asarray(x.detach().cpu().numpy()) if is_torch_array(x) else np.asarray(x)


def frame(x: Array, frame_length: int, hop_length: int) -> Array:
    """Overlapping frames of the last axis, as a view: `(..., sample)` to `(..., frame, sample)`."""
    if is_torch_array(x):
        return x.unfold(-1, frame_length, hop_length)
    return np.lib.stride_tricks.sliding_window_view(x, frame_length, axis=-1)[..., ::hop_length, :]


def rfft(x: Array, n: int | None = None) -> Array:
    """The one-sided DFT of the last axis, zero-padded to `n` samples."""
    if is_torch_array(x):
        return namespace(x).fft.rfft(x, n=n)
    return scipy.fft.rfft(x, n=n, overwrite_x=True)


def irfft(z: Array, n: int) -> Array:
    """The real signal of `n` samples whose one-sided DFT is `z`, over the last axis."""
    if is_torch_array(z):
        return namespace(z).fft.irfft(z, n=n)
    return scipy.fft.irfft(z, n=n)


def overlap_add(frames: Array, hop_length: int) -> Array:
    """Frames `(..., frame, sample)` laid `hop_length` samples apart and summed: `(..., sample)`."""
    count, length = frames.shape[-2:]
    parts = -(-length // hop_length)
    xp = namespace(frames)
    total = xp.zeros((*frames.shape[:-2], count + parts - 1, hop_length), dtype=frames.dtype, device=frames.device)
    for part in range(parts):
        piece = frames[..., part * hop_length : (part + 1) * hop_length]
        total[..., part : part + count, : piece.shape[-1]] += piece
    return total.reshape(*frames.shape[:-2], -1)[..., : (count - 1) * hop_length + length]


def squared_magnitude(z: Array) -> Array:
    """`|z|²` without the square root in between."""
    return z.real * z.real + z.imag * z.imag


def at_least(x: Array, low: float) -> Array:
    """`max(x, low)`, element by element."""
    return x.clamp(min=low) if is_torch_array(x) else np.maximum(x, low)


def plus(x: Array, constant: float) -> Array:
    """`x + constant`, to the last bit.

    For torch it is written as the sum of the larger and the smaller of the two: torch's ONNX exporter takes an added
    1e-9 for an added 0 and drops it, and the logarithm of silence becomes infinite.
    """
    return x.clamp(min=constant) + x.clamp(max=constant) if is_torch_array(x) else x + constant


def positive_power(x: Array, exponent: float) -> Array:
    """`x ** exponent` of values that are not negative; where `x` is 0 the gradient is 0, not infinite."""
    if not is_torch_array(x):
        return x**exponent
    zero = x == 0
    return (x.masked_fill(zero, 1.0) ** exponent).masked_fill(zero, 0.0)


def mean_of_valid(x: Array, valid: Array | None, axis: int | tuple[int, ...]) -> Array:
    """The mean of `x` over `axis` (kept), counting only where `valid` (boolean, broadcast against `x`) holds.

    A mean over nothing is 0.
    """
    xp = namespace(x)
    if valid is None:
        return xp.mean(x, axis=axis, keepdims=True)
    inside = xp.broadcast_to(valid, x.shape)
    count = xp.sum(xp.astype(inside, x.dtype), axis=axis, keepdims=True)
    return xp.sum(xp.where(inside, x, xp.zeros_like(x)), axis=axis, keepdims=True) / at_least(count, 1.0)


def smooth(x: Array, b: float, state: Array) -> Array:
    """The recursive filter `y[t] = (1 - b) y[t-1] + b x[t]` over the last axis, with `y[-1] = state` `(..., 1)`.

    Torch has no recursive filter; there the sum over the past is doubled in length, log2(frames) times, which is exact,
    differentiable and never grows.
    """
    if not is_torch_array(x):
        start = np.broadcast_to((1.0 - b) * state, (*x.shape[:-1], 1))
        return np.asarray(scipy.signal.lfilter([b], [1.0, b - 1.0], x, axis=-1, zi=start)[0])
    xp = namespace(x)
    y = xp.concat([b * x[..., :1] + (1.0 - b) * state, b * x[..., 1:]], axis=-1)
    if _exporting():  # the number of doublings would fix the number of frames: one matrix of all weights does not
        frame = xp.arange(x.shape[-1], device=x.device)
        past = frame - frame[:, None]
        return y @ xp.where(past >= 0, (1.0 - b) ** xp.astype(at_least(past, 0), x.dtype), 0.0)
    step = 1
    while step < x.shape[-1]:
        y = y + (1.0 - b) ** step * xp.concat([xp.zeros_like(y[..., :step]), y[..., :-step]], axis=-1)
        step *= 2
    return y


def _exporting() -> bool:
    """Whether torch is turning the code that runs into a graph for inputs of any size."""
    compiler = sys.modules["torch"].compiler
    return bool(compiler.is_exporting() if hasattr(compiler, "is_exporting") else compiler.is_compiling())


def window_moments(x: Array, start: Array, stop: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (ddof = 0) of `x[..., start[t] : stop[t]]` for each position `t` of the last axis.

    The bounds are int64 beside `x`, one for each position or (torch only) for each value.

    Differences of cumulative sums: two additions a position, whatever the windows. The first value is taken off
    before and put back, so that a constant signal leaves no rounding. A deviation below a millionth of the mean (or
    of 1) is rounding; such a window is constant, and its deviation is given as 1. `x` must be float64.
    """
    if not is_torch_array(x):
        weight = 1.0 / (stop - start)
        rows = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
        mean, std = np.empty_like(rows), np.empty_like(rows)
        _window_moments(rows, start, stop, weight, mean, std)
        mean.setflags(write=False)
        std.setflags(write=False)
        return mean.reshape(x.shape), std.reshape(x.shape)
    xp = namespace(x)
    first, low, high = x[..., :1], start.expand(x.shape), stop.expand(x.shape)

    def window_mean(values: Array) -> Array:
        total = xp.concat([xp.zeros_like(first), values.cumsum(-1)], axis=-1)
        return (take_along_last(total, high) - take_along_last(total, low)) / (high - low)

    centred = window_mean(x - first)
    variance = window_mean((x - first) ** 2) - centred * centred
    mean = centred + first
    flat = variance <= CONSTANT * (1.0 + mean * mean)
    return mean, xp.sqrt(xp.where(flat, xp.ones_like(variance), variance))


CONSTANT = 1e-12
"""A variance below this share of the squared mean (or of 1) is what rounding gives a constant."""


@njit(cache=True, nogil=True)
def _window_moments(
    rows: NDArray[np.float64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    weight: NDArray[np.float64],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
) -> None:
    positions = rows.shape[1]
    total, squares = np.zeros(positions + 1), np.zeros(positions + 1)
    for row in range(rows.shape[0]):
        first = rows[row, 0]
        for t in range(positions):
            value = rows[row, t] - first
            total[t + 1] = total[t] + value
            squares[t + 1] = squares[t] + value * value
        for t in range(positions):
            centred = (total[stop[t]] - total[start[t]]) * weight[t]
            variance = (squares[stop[t]] - squares[start[t]]) * weight[t] - centred * centred
            average = centred + first
            mean[row, t] = average
            std[row, t] = 1.0 if variance <= CONSTANT * (1.0 + average * average) else np.sqrt(variance)


@dataclass(frozen=True, eq=False)
class BandRuns:
    """A band matrix `(band, bin)` with the run of bins that each band gathers."""

    matrix: NDArray[np.float64]
    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    identity: bool

    @classmethod
    def of(cls, matrix: NDArray[np.float64]) -> BandRuns:
        """Find the runs: first and one past the last nonzero bin of each band."""
        nonzero = matrix != 0.0
        some = nonzero.any(axis=1)
        first = np.where(some, np.argmax(nonzero, axis=1), 0)
        stop = np.where(some, matrix.shape[1] - np.argmax(nonzero[:, ::-1], axis=1), 0)
        return cls(matrix, first, stop, np.array_equal(matrix, np.eye(*matrix.shape)))


def band_sums(runs: BandRuns, x: Array) -> Array:
    """Weighted sums of bins: the matrix `(band, bin)` times `x` `(..., bin, frame)`.

    For NumPy each band adds its own short run of bins in one fixed order, so the result cannot depend on how many
    threads a BLAS happens to use; for torch it is a matrix product.
    """
    if is_torch_array(x):
        return constant(runs.matrix, x) @ x
    bins_last = np.ascontiguousarray(np.swapaxes(x, -1, -2))
    rows = bins_last.reshape(-1, bins_last.shape[-1])
    out = np.empty((rows.shape[0], runs.matrix.shape[0]))
    sum_runs(rows, runs.matrix, runs.first, runs.stop, out)
    return np.swapaxes(out.reshape(*bins_last.shape[:-1], runs.matrix.shape[0]), -1, -2)


@njit(cache=True, nogil=True)
def sum_runs(
    rows: NDArray[np.float64],
    matrix: NDArray[np.float64],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """`rows` `(frame, bin)` gathered into `out` `(frame, band)`."""
    for t in range(rows.shape[0]):
        for band in range(matrix.shape[0]):
            total = 0.0
            for k in range(first[band], stop[band]):
                total += matrix[band, k] * rows[t, k]
            out[t, band] = total
