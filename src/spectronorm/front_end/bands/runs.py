"""Band matrix as runs of bins, and the sums over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays.namespace import Array, constant, is_torch_array
from spectronorm.kernels.jit import kernel


@dataclass(frozen=True, eq=False)
class BandRuns:
    """Band matrix `(band, bin)` with the run of bins that each band gathers."""

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

    For NumPy, each band adds its own short run of bins in a fixed order, so the result does not depend on the number of
    BLAS threads; for torch it is a matrix product.
    """
    if is_torch_array(x):
        return constant(runs.matrix, x) @ x
    bins_last = np.ascontiguousarray(np.swapaxes(x, -1, -2))
    rows = bins_last.reshape(-1, bins_last.shape[-1])
    out = np.empty((rows.shape[0], runs.matrix.shape[0]))
    sum_runs(rows, runs.matrix, runs.first, runs.stop, out)
    return np.swapaxes(out.reshape(*bins_last.shape[:-1], runs.matrix.shape[0]), -1, -2)


def _sum_runs_by_numpy(
    rows: NDArray[np.float64],
    matrix: NDArray[np.float64],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    out[:] = 0.0
    for band in range(len(matrix)):
        for k in range(first[band], stop[band]):
            out[:, band] += matrix[band, k] * rows[:, k]


@kernel(_sum_runs_by_numpy, cache=True, nogil=True)
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
