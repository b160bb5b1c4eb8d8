"""Band matrix as runs of bins, and the sums over them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays.namespace import Array, constant, is_torch_array
from spectronorm.kernels.jit import kernel
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class BandRuns:
    """Band matrix `(band, bin)` with the run of bins that each band gathers.

    >>> import spectronorm as sn
    >>> runs = sn.FrontEnd(bands=sn.Mel(40)).band_runs()
    >>> runs.matrix.shape[0], runs.identity, int(runs.first[0]) < int(runs.stop[0])
    (40, False, True)
    """

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

    def gather(self, values: NDArray[Any], out: NDArray[Any]) -> None:
        """Write the weighted sums of bins `(bin, frame)` into `out` `(band, frame)`: each in one fixed order.

        Both are float64 or both float32.
        """
        _gather(values, self.matrix if out.dtype == np.float64 else self._single, self.first, self.stop, out)

    @cached_property
    def _single(self) -> NDArray[np.float32]:
        return self.matrix.astype(np.float32)


def band_sums(runs: BandRuns, x: Array) -> Array:
    """Weighted sums of bins: the matrix `(band, bin)` times `x` `(..., bin, frame)`.

    For NumPy, each band adds its own short run of bins in a fixed order, so the result does not depend on the number of
    BLAS threads; for torch it is a matrix product.
    """
    if is_torch_array(x):
        return constant(runs.matrix, x) @ x
    values = np.ascontiguousarray(x, dtype=np.float64)
    clips = values.reshape(math.prod(values.shape[:-2]), *values.shape[-2:])
    out = np.empty((len(clips), runs.matrix.shape[0], values.shape[-1]))
    for clip, sums in zip(clips, out, strict=True):
        runs.gather(clip, sums)
    return out.reshape(*values.shape[:-2], *out.shape[1:])


def _gather_by_numpy(
    values: NDArray[Any],
    matrix: NDArray[Any],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    out: NDArray[Any],
) -> None:
    out[:] = 0.0
    for band in range(len(out)):
        for k in range(first[band], stop[band]):
            out[band] += matrix[band, k] * values[k]


@kernel(_gather_by_numpy, cache=True, nogil=True)
def _gather(
    values: NDArray[Any],
    matrix: NDArray[Any],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    out: NDArray[Any],
) -> None:
    for band in range(out.shape[0]):
        out[band] = 0.0
        for k in range(first[band], stop[band]):
            weight = matrix[band, k]
            for t in range(out.shape[1]):
                out[band, t] += weight * values[k, t]
