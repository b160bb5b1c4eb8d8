"""NumPy kernels of the iterations, for systems without a compiler: equal up to the rounding of float32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TINY = 1e-30
"""Keeps quotients finite; far below any band value."""
MAX_RATIO = 1e4
"""No bin's power grows by more than 40 dB in one iteration."""

Spectra = NDArray[np.complex64]
Weights = tuple[NDArray[np.float32], NDArray[np.float32]]
Runs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]
"""First and one past the last bin of each band, and which bins some band gathers."""


def step_to_magnitude_by_numpy(
    spectrum: Spectra, before: Spectra, magnitude: NDArray[np.float32], momentum: np.float32
) -> None:
    """Step on along the change since `before`, put the magnitude back, and remember where the step began."""
    stepped = spectrum + momentum * (spectrum - before)
    before[:] = spectrum
    spectrum[:] = _with_magnitude(stepped, magnitude)


def alternate_to_magnitude_by_numpy(
    projected: Spectra, mixed: Spectra, magnitude: NDArray[np.float32], rho: np.float32
) -> None:
    """Set `projected` to the spectrum with the magnitude, `mixed` to its sum with the new dual: one step of ADMM."""
    found = (rho * mixed + projected) / (1 + rho)
    dual = mixed - found
    projected[:] = _with_magnitude(found - dual, magnitude)
    mixed[:] = projected + dual


def step_to_bands_by_numpy(
    spectrum: Spectra,
    before: Spectra,
    values: NDArray[np.float32],
    weights: Weights,
    run: Runs,
    step: tuple[np.float32, bool],
    power: np.float32,
) -> None:
    """Step on, then scale each bin by its bands' ratios.

    `step` is the momentum, and whether magnitudes are sharpened (raised to 1.5) on the way.
    """
    momentum, sharpen = step
    covered = run[2]
    stepped = spectrum + momentum * (spectrum - before)
    before[:] = spectrum
    value = _square(stepped)
    if sharpen:
        magnitude = np.where(covered, np.sqrt(value), np.float32(1.0))
        stepped *= np.sqrt(magnitude)
        value *= magnitude
    value **= np.float32(power / 2)
    gain = _gains(value, values, weights, run) ** np.float32(1 / power)
    spectrum[:] = np.where(covered, stepped * gain, stepped)


def _square(spectrum: Spectra) -> NDArray[np.float32]:
    return spectrum.real * spectrum.real + spectrum.imag * spectrum.imag


def _with_magnitude(spectrum: Spectra, magnitude: NDArray[np.float32]) -> Spectra:
    return spectrum * (magnitude / np.sqrt(np.maximum(_square(spectrum), TINY)))


def _gains(value: NDArray[np.float32], target: NDArray[np.float32], weights: Weights, run: Runs) -> NDArray[np.float32]:
    """Return the factor for each bin's value `(frame, bin)` that brings the bands nearer to `(frame, band)`."""
    gather, spread = weights
    first, stop, _ = run
    gain = np.zeros_like(value)
    for b in range(len(gather)):
        bins = slice(first[b], stop[b])
        ratio = np.minimum(target[:, b] / (value[:, bins] @ gather[b, bins] + TINY), MAX_RATIO)
        gain[:, bins] += ratio[:, None] * spread[b, bins]
    return gain
