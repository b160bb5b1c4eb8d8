"""Iterations that bring a spectrum nearer to a consistent one, which is the STFT of some signal.

Each takes a start `(..., frame, bin)` and returns a padded signal. NumPy and torch share one code path except for
element-wise work, which is a compiled kernel for NumPy, since temporaries would cost as much as the FFTs.
"""

from __future__ import annotations

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import NDArray

from spectronorm.arrays import Array, at_least, constant, namespace, squared_magnitude
from spectronorm.front_end import FrontEnd
from spectronorm.inversion import kernels
from spectronorm.inversion.overlap import OverlapAdd
from spectronorm.inversion.plain_kernels import MAX_RATIO, TINY

MOMENTUM = 0.99
RHO = 0.1


def griffin_lim(start: Array, magnitude: Array, overlap: OverlapAdd, iterations: int) -> Array:
    """Fast Griffin–Lim, keeping `magnitude` `(..., frame, bin)`.

    Perraudin, Balazs and Søndergaard 2013, A Fast Griffin-Lim Algorithm: project, extrapolate the last change, and
    restore the magnitudes.
    """
    before = start * 0
    padded = overlap.signal(start)

    def change(consistent: Array, frames: slice) -> Array:
        old, wanted = before[..., frames, :], magnitude[..., frames, :]
        if not is_torch_array(consistent):
            kernels.step_to_magnitude(consistent, old, wanted, np.float32(momentum))
            return consistent
        stepped = consistent + momentum * (consistent - old)
        old[...] = consistent
        return _to_magnitude(stepped, wanted)

    for iteration in range(iterations):
        momentum = MOMENTUM if iteration else 0.0
        padded = overlap.passed(padded, change)
    return padded


def admm(start: Array, magnitude: Array, overlap: OverlapAdd, iterations: int) -> Array:
    """Alternating direction method of multipliers, keeping `magnitude` `(..., frame, bin)`.

    Masuyama, Yatabe and Oikawa 2019, Griffin-Lim like Phase Recovery via Alternating Direction Method of Multipliers.
    """
    mixed = start * 1
    padded = overlap.signal(mixed)

    def change(projected: Array, frames: slice) -> Array:
        old, wanted = mixed[..., frames, :], magnitude[..., frames, :]
        if not is_torch_array(projected):
            kernels.alternate_to_magnitude(projected, old, wanted, np.float32(RHO))
            return projected if last else old
        consistent = (RHO * old + projected) / (1.0 + RHO)
        dual = old - consistent
        spectrum = _to_magnitude(consistent - dual, wanted)
        old[...] = spectrum + dual
        return spectrum if last else old

    for iteration in range(iterations):
        last = iteration == iterations - 1
        padded = overlap.passed(padded, change)
    return padded


def band_consistent(
    start: Array, values: Array, front_end: FrontEnd, overlap: OverlapAdd, iterations: int, *, sharpened: bool = False
) -> Array:
    """Griffin–Lim for bands, keeping the band values `(..., frame, band)`.

    Each iteration projects, extrapolates, and scales each bin by the ratio of its bands' target values to their current
    values: harmonics found by the phase remain, which a fixed magnitude would blur again. The extrapolation shrinks
    from 1.1 to 0.3 times the last change, to search first and settle later.

    With `sharpened`, every fourth of the first 30 % of the iterations raises magnitudes to the power 1.5 before
    scaling, so that peaks stand out within a band, as in voices but not in noises.
    """
    runs, power = front_end.band_runs(), front_end.stft.power
    spread = runs.matrix / np.maximum(runs.matrix.sum(axis=0, keepdims=True), TINY)
    weights = (runs.matrix.astype(np.float32), spread.astype(np.float32))
    run = (runs.first, runs.stop, spread.any(axis=0))
    covered = constant(run[2].astype(np.float64), values)
    before = start * 0
    padded = overlap.signal(start)

    def change(consistent: Array, frames: slice) -> Array:
        old, wanted = before[..., frames, :], values[..., frames, :]
        if not is_torch_array(consistent):
            step = (np.float32(momentum), sharpen)
            kernels.step_to_bands(consistent, old, wanted, weights, run, step, np.float32(power))
            return consistent
        stepped = consistent + momentum * (consistent - old)
        old[...] = consistent
        if sharpen:
            sharper = at_least(squared_magnitude(stepped), TINY) ** 0.25
            stepped = stepped * (sharper * covered + (1.0 - covered))
        return _to_bands(stepped, wanted, weights, power)

    for iteration, decaying in enumerate(np.linspace(1.1, 0.3, iterations).tolist()):
        momentum = decaying if iteration else 0.0
        sharpen = sharpened and iteration % 4 == 3 and iteration < 0.3 * iterations
        padded = overlap.passed(padded, change)
    return padded


def _to_magnitude(spectrum: Array, magnitude: Array) -> Array:
    squared = at_least(squared_magnitude(spectrum), TINY)
    return spectrum * (magnitude / namespace(squared).sqrt(squared))


def _to_bands(
    spectrum: Array, values: Array, weights: tuple[NDArray[np.float32], NDArray[np.float32]], power: float
) -> Array:
    gather, spread = (constant(weight, values) for weight in weights)
    bins = squared_magnitude(spectrum) ** (power / 2.0)
    ratio = (values / at_least(bins @ gather.T, TINY)).clamp(max=MAX_RATIO)
    covered = constant(weights[1].sum(axis=0) > 0, values)
    return spectrum * (ratio @ spread + (1.0 - covered)) ** (1.0 / power)
