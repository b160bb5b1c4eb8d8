"""Compiled kernels of the iterations, for NumPy: each works in place on the spectra `(frame, bin)` of a few frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.inversion import plain_kernels
from spectronorm.inversion.plain_kernels import MAX_RATIO, TINY, Runs, Spectra, Weights
from spectronorm.kernels.jit import kernel, njit

_LANES = 16
_FAST = {"contract", "arcp", "nsz", "reassoc"}


@kernel(plain_kernels.step_to_magnitude_by_numpy, cache=True, nogil=True, fastmath=_FAST)
def step_to_magnitude(spectrum: Spectra, before: Spectra, magnitude: NDArray[np.float32], momentum: np.float32) -> None:
    """Extrapolate the change since `before`, restore the magnitude, and store the start of the step in `before`."""
    for t in range(spectrum.shape[0]):
        for k in range(spectrum.shape[1]):
            here, there = spectrum[t, k], before[t, k]
            real = here.real + momentum * (here.real - there.real)
            imag = here.imag + momentum * (here.imag - there.imag)
            scale = magnitude[t, k] / np.sqrt(max(real * real + imag * imag, np.float32(TINY)))
            before[t, k] = here
            spectrum[t, k] = complex(real * scale, imag * scale)


@kernel(plain_kernels.alternate_to_magnitude_by_numpy, cache=True, nogil=True, fastmath=_FAST)
def alternate_to_magnitude(projected: Spectra, mixed: Spectra, magnitude: NDArray[np.float32], rho: np.float32) -> None:
    """One step of ADMM: `projected` becomes the spectrum with the magnitude, `mixed` adds the new dual to it."""
    for t in range(projected.shape[0]):
        for k in range(projected.shape[1]):
            old, new = mixed[t, k], projected[t, k]
            real = (rho * old.real + new.real) / (1 + rho)
            imag = (rho * old.imag + new.imag) / (1 + rho)
            dual_real, dual_imag = old.real - real, old.imag - imag
            real -= dual_real
            imag -= dual_imag
            scale = magnitude[t, k] / np.sqrt(max(real * real + imag * imag, np.float32(TINY)))
            projected[t, k] = complex(real * scale, imag * scale)
            mixed[t, k] = complex(real * scale + dual_real, imag * scale + dual_imag)


@kernel(plain_kernels.step_to_bands_by_numpy, cache=True, nogil=True, fastmath=_FAST)
def step_to_bands(
    spectrum: Spectra,
    before: Spectra,
    values: NDArray[np.float32],
    weights: Weights,
    run: Runs,
    step: tuple[np.float32, bool],
    power: np.float32,
) -> None:
    """Extrapolate, then scale each bin by the ratios of its bands; frames lie in vector lanes.

    `step` holds the momentum, and true if magnitudes are sharpened (raised to the power 1.5) on the way.
    """
    momentum, sharpen = step
    frames, bins = spectrum.shape
    value = np.zeros((bins, _LANES), np.float32)
    covered = run[2]
    for begin in range(0, frames, _LANES):
        count = min(_LANES, frames - begin)
        for t in range(count):
            _step_on(spectrum[begin + t], before[begin + t], momentum, value[:, t])
            if sharpen:
                _sharpen(spectrum[begin + t], covered, value[:, t])
        if power != 2.0:
            value[:] = value ** np.float32(power / 2)
        gain = _gains(value, values[begin : begin + count], weights, run)
        if power == 2.0:
            gain[:] = np.sqrt(gain)
        else:
            gain[:] = gain ** np.float32(1 / power)
        for t in range(count):
            for k in range(bins):
                if covered[k]:
                    spectrum[begin + t, k] *= gain[k, t]


@njit(cache=True, nogil=True, fastmath=_FAST)
def _step_on(spectrum: Spectra, before: Spectra, momentum: np.float32, power: NDArray[np.float32]) -> None:
    """Extrapolate one frame's change since `before`, and compute the power of its bins."""
    for k in range(spectrum.size):
        here, there = spectrum[k], before[k]
        real = here.real + momentum * (here.real - there.real)
        imag = here.imag + momentum * (here.imag - there.imag)
        before[k] = here
        spectrum[k] = complex(real, imag)
        power[k] = real * real + imag * imag


@njit(cache=True, nogil=True, fastmath=_FAST)
def _sharpen(spectrum: Spectra, covered: NDArray[np.bool_], power: NDArray[np.float32]) -> None:
    """Raise the magnitudes of one frame's covered bins to the power 1.5; other bins have no band to scale them back."""
    for k in range(spectrum.size):
        if covered[k]:
            magnitude = np.sqrt(power[k])
            spectrum[k] *= np.sqrt(magnitude)
            power[k] *= magnitude


@njit(cache=True, nogil=True, fastmath=_FAST)
def _gains(value: NDArray[np.float32], target: NDArray[np.float32], weights: Weights, run: Runs) -> NDArray[np.float32]:
    """Factor for each bin's value `(bin, lane)` that brings the bands nearer to the target `(frame, band)`."""
    gather, spread = weights
    first, stop, _ = run
    gain = np.zeros_like(value)
    ratio = np.empty(_LANES, np.float32)
    for b in range(gather.shape[0]):
        ratio[:] = np.float32(TINY)
        for k in range(first[b], stop[b]):
            weight = gather[b, k]
            for t in range(_LANES):
                ratio[t] += weight * value[k, t]
        for t in range(target.shape[0]):
            ratio[t] = min(target[t, b] / ratio[t], np.float32(MAX_RATIO))
        for k in range(first[b], stop[b]):
            weight = spread[b, k]
            for t in range(_LANES):
                gain[k, t] += weight * ratio[t]
    return gain
