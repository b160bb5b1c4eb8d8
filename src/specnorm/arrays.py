"""The only file that knows NumPy from torch: namespaces, dtypes, and the seams where the two must differ.

NumPy arrays are worked on in float64 and handed back in their own dtype, because a float32 FFT misses 1e-5 per
band on real silence. Torch tensors are worked on in their own dtype, on their own device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import scipy.fft
from array_api_compat import array_namespace, is_torch_array
from numpy.typing import NDArray

from specnorm.errors import ShapeError

Array = Any
"""A NumPy array or a torch tensor."""


def namespace(*arrays: Array) -> Any:
    """The array API namespace that all arrays share; raises `ShapeError` for anything else."""
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
            "divide 16-bit integers by 32768 first (specnorm.read does this)"
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
    copy = np.array(values, dtype=np.float64)  # torch warns of arrays that cannot be written to
    return namespace(like).asarray(copy, dtype=like.dtype, device=like.device)


def beside(values: Array, like: Array) -> Array:
    """`values` ready for arithmetic with `like`: tensors as they are, NumPy arrays as constants."""
    return values.to(like.dtype) if is_torch_array(values) else constant(values, like)


def to_host(x: Array) -> NDArray[Any]:
    """`x` as a NumPy array."""
    return np.asarray(x.detach().cpu().numpy()) if is_torch_array(x) else np.asarray(x)


def frame(x: Array, frame_length: int, hop_length: int) -> Array:
    """Overlapping frames of the last axis, as a view: `(..., sample)` to `(..., frame, sample)`."""
    if is_torch_array(x):
        return x.unfold(-1, frame_length, hop_length)
    return np.lib.stride_tricks.sliding_window_view(x, frame_length, axis=-1)[..., ::hop_length, :]


def rfft(x: Array) -> Array:
    """The one-sided DFT of the last axis."""
    if is_torch_array(x):
        return namespace(x).fft.rfft(x)
    return scipy.fft.rfft(x, overwrite_x=True)


def squared_magnitude(z: Array) -> Array:
    """`|z|²` without the square root in between."""
    return z.real * z.real + z.imag * z.imag


def at_least(x: Array, low: float) -> Array:
    """`max(x, low)`, element by element."""
    return x.clamp(min=low) if is_torch_array(x) else np.maximum(x, low)


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


@numba.njit(cache=True, nogil=True)
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
