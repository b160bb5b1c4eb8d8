"""Inversion of the band sums: an under-determined problem solved by multiplicative updates, which keep it smooth.

Each update keeps every bin positive and neighbouring bins alike, as in real sound; a least-squares solution does
neither.
"""

from __future__ import annotations

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import NDArray

from spectronorm.arrays import Array, at_least, constant, namespace
from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.kernels.jit import kernel, njit

_UPDATES = 30
_SMALL = 1e-20
_LANES = 64


def bins_of_bands(values: Array, runs: BandRuns, updates: int = _UPDATES) -> Array:
    """Find non-negative bin values `(..., frame, bin)` whose weighted sums match `values` `(..., frame, band)`.

    The match minimizes the Kullback–Leibler divergence by Richardson–Lucy updates `p ← p · Aᵀ(v / Ap) / Aᵀ1` (Lee and
    Seung 2001, Algorithms for Non-negative Matrix Factorization). Bins outside every band are 0; with the identity as
    bands, the values are returned, with zeros for bins left out.
    """
    bands, bins = runs.matrix.shape
    if runs.identity:
        return _with_zeros(values, bins - bands)
    matrix = runs.matrix / runs.matrix.max()
    coverage = matrix.sum(axis=0)
    inverse_coverage = np.where(coverage > 0, 1.0 / np.maximum(coverage, _SMALL), 0.0)
    scaled = values / float(runs.matrix.max())
    if is_torch_array(values):
        return _updates_by_matrix(scaled, constant(matrix, values), constant(inverse_coverage, values), updates)
    rows = np.ascontiguousarray(scaled, dtype=np.float32).reshape(-1, bands)
    out = np.empty((rows.shape[0], bins), dtype=np.float32)
    _updates(rows, matrix.astype(np.float32), runs.first, runs.stop, inverse_coverage.astype(np.float32), updates, out)
    return out.reshape(*values.shape[:-1], bins)


def _with_zeros(values: Array, count: int) -> Array:
    if count == 0:
        return values
    xp = namespace(values)
    zeros = xp.zeros((*values.shape[:-1], count), dtype=values.dtype, device=values.device)
    return xp.concat([values, zeros], axis=-1)


def _updates_by_matrix(values: Array, matrix: Array, inverse_coverage: Array, updates: int) -> Array:
    bins = namespace(values).ones_like(values[..., :1]) * constant(np.ones(matrix.shape[1]), values)
    for _ in range(updates):
        bins = bins * ((values / at_least(bins @ matrix.T, _SMALL)) @ matrix) * inverse_coverage
    return bins


_FAST = {"contract", "arcp", "nsz"}


def _updates_by_numpy(
    values: NDArray[np.float32],
    matrix: NDArray[np.float32],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    inverse_coverage: NDArray[np.float32],
    updates: int,
    out: NDArray[np.float32],
) -> None:
    out[:] = 1.0
    factor = np.empty_like(out)
    for _ in range(updates):
        factor[:] = 0.0
        for b, weights in enumerate(matrix):
            bins = slice(first[b], stop[b])
            ratio = values[:, b] / (out[:, bins] @ weights[bins] + np.float32(_SMALL))
            factor[:, bins] += ratio[:, None] * weights[bins]
        out *= factor * inverse_coverage


@kernel(_updates_by_numpy, cache=True, nogil=True, fastmath=_FAST)
def _updates(
    values: NDArray[np.float32],
    matrix: NDArray[np.float32],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    inverse_coverage: NDArray[np.float32],
    updates: int,
    out: NDArray[np.float32],
) -> None:
    """Apply the updates, with frames in vector lanes, so that the short runs of bins cost nothing."""
    target = np.zeros((matrix.shape[0], _LANES), dtype=np.float32)
    current = np.empty((matrix.shape[1], _LANES), dtype=np.float32)
    factor = np.empty_like(current)
    for begin in range(0, values.shape[0], _LANES):
        count = min(_LANES, values.shape[0] - begin)
        target[:, :count] = values[begin : begin + count].T
        target[:, count:] = 0.0
        current[:, :] = 1.0
        for _ in range(updates):
            _factor(current, target, matrix, first, stop, factor)
            for k in range(current.shape[0]):
                for t in range(_LANES):
                    current[k, t] *= factor[k, t] * inverse_coverage[k]
        out[begin : begin + count] = current[:, :count].T


@njit(cache=True, nogil=True, fastmath=_FAST)
def _factor(
    current: NDArray[np.float32],
    target: NDArray[np.float32],
    matrix: NDArray[np.float32],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    factor: NDArray[np.float32],
) -> None:
    """Compute `Aᵀ(v / Ap)` for the lanes."""
    factor[:, :] = 0.0
    ratio = np.empty(_LANES, dtype=np.float32)
    for b in range(matrix.shape[0]):
        ratio[:] = np.float32(_SMALL)
        for k in range(first[b], stop[b]):
            weight = matrix[b, k]
            for t in range(_LANES):
                ratio[t] += weight * current[k, t]
        for t in range(_LANES):
            ratio[t] = target[b, t] / ratio[t]
        for k in range(first[b], stop[b]):
            weight = matrix[b, k]
            for t in range(_LANES):
                factor[k, t] += weight * ratio[t]
