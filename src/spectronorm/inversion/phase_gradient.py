"""Phase from magnitudes alone, by integrating its gradient from the loudest cells outwards.

Průša, Balazs and Søndergaard 2017, A Noniterative Method for Reconstruction of Phase from STFT Magnitude (IEEE/ACM
TASLP 25): under a Gaussian window, the derivatives of the phase equal derivatives of the log magnitude; other windows
are approximated by the most similar Gaussian.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end import STFT
from spectronorm.front_end.stft.window import window_values
from spectronorm.inversion.plain_phase import BUCKETS_IN_DB, TOLERANCE_DB, integrate
from spectronorm.kernels.jit import kernel, njit


def phase_of(magnitude: NDArray[np.floating], stft: STFT, rng: np.random.Generator) -> NDArray[np.complex64]:
    """Return the spectrum `(frame, bin)` with this magnitude and the phase integrated from its gradient."""
    noise = rng.random(magnitude.shape, dtype=np.float32) * np.float32(2 * np.pi)
    loudest = float(magnitude.max(initial=0.0))
    if loudest <= 0.0:
        return np.zeros(magnitude.shape, dtype=np.complex64)
    floor = 10.0 ** ((TOLERANCE_DB - 40.0) / 20.0)
    log_magnitude = np.log(np.maximum(magnitude / loudest, floor), dtype=np.float32)
    gamma = gaussian_width(stft.window, stft.frame_length)
    to_time = stft.hop * stft.n_fft / gamma
    advance = 2.0 * np.pi * stft.hop / stft.n_fft
    phase = np.empty(magnitude.shape)
    _integrate(log_magnitude, noise, to_time, advance, BUCKETS_IN_DB * 20.0 / np.log(10.0), phase)
    # The formula's phase refers to the window's centre, the FFT's to the frame's first sample.
    centre = (stft.frame_samples - stft.frame_length) // 2 + stft.frame_length / 2.0
    phase -= 2.0 * np.pi * (centre / stft.n_fft) * np.arange(magnitude.shape[1])
    angle = np.remainder(phase, 2.0 * np.pi).astype(np.float32)
    spectrum = np.empty(magnitude.shape, dtype=np.complex64)
    spectrum.real = np.cos(angle) * magnitude
    spectrum.imag = np.sin(angle) * magnitude
    return spectrum


@lru_cache(maxsize=64)
def gaussian_width(window: str, win_length: int) -> float:
    """Find the γ (in samples²) whose Gaussian `exp(-π t² / γ)` correlates most with this window; 0.249 L² for Hann."""
    values = window_values(window, win_length, win_length)
    t = np.arange(win_length) - win_length / 2.0

    def correlation(log_share: float) -> float:
        gaussian = np.exp(-np.pi * t * t / (np.exp(log_share) * win_length**2))
        return float(values @ gaussian / np.sqrt(gaussian @ gaussian))

    low, high = np.log(1e-3), np.log(10.0)
    while high - low > 1e-6:  # There is one maximum, so drop the third that cannot hold it.
        left, right = low + (high - low) / 3.0, high - (high - low) / 3.0
        low, high = (left, high) if correlation(left) < correlation(right) else (low, right)
    return float(np.exp((low + high) / 2.0)) * win_length**2


@njit(cache=True, nogil=True)
def _bucket(log_magnitude: float, in_bucket: float, buckets: int) -> int:
    return min(buckets - 1, max(0, buckets - 1 + int(log_magnitude * in_bucket)))


@kernel(integrate, cache=True, nogil=True)
def _integrate(
    s: NDArray[np.float32],
    noise: NDArray[np.float32],
    to_time: float,
    advance: float,
    in_bucket: float,
    phase: NDArray[np.float64],
) -> None:
    """Integrate the gradient from cell to neighbouring cell, always continuing from the loudest cell reached so far.

    `s` is the log magnitude (at most 0). Buckets hold linked lists of cells: `waiting` the cells reached but not yet
    continued from, `unreached` every cell, for a new start if no path is left.
    """
    frames, bins = s.shape
    cells = frames * bins
    buckets = int(-TOLERANCE_DB * BUCKETS_IN_DB) + 1
    lowest = np.float32(TOLERANCE_DB * np.log(10.0) / 20.0)
    waiting = np.full(buckets, -1, np.int64)
    unreached = np.full(buckets, -1, np.int64)
    next_waiting = np.empty(cells, np.int32)
    next_unreached = np.empty(cells, np.int32)
    done = np.zeros(cells, np.bool_)
    flat = s.ravel()
    out = phase.ravel()
    for i in range(cells - 1, -1, -1):
        if flat[i] <= lowest:
            done[i] = True
            out[i] = noise.flat[i]
        else:
            b = _bucket(flat[i], in_bucket, buckets)
            next_unreached[i] = unreached[b]
            unreached[b] = i
    for start_bucket in range(buckets - 1, -1, -1):
        start = unreached[start_bucket]
        while start >= 0:
            if not done[start]:
                done[start] = True
                out[start] = 0.0
                _spread(start, start_bucket, s, to_time, advance, in_bucket, waiting, next_waiting, done, out)
            start = next_unreached[start]


@njit(cache=True, nogil=True)
def _spread(start, start_bucket, s, to_time, advance, in_bucket, waiting, next_waiting, done, out):  # type: ignore[no-untyped-def]
    frames, bins = s.shape
    buckets = waiting.size
    next_waiting[start] = waiting[start_bucket]
    waiting[start_bucket] = start
    b = start_bucket
    while b >= 0:
        i = waiting[b]
        if i < 0:
            b -= 1
            continue
        waiting[b] = next_waiting[i]
        t, k = i // bins, i % bins
        time_here = _time_gradient(s, t, k, to_time, advance)
        bin_here = _bin_gradient(s, t, k, to_time)
        for direction in range(4):
            tn, kn = t, k
            if direction == 0:
                tn = t + 1
            elif direction == 1:
                tn = t - 1
            elif direction == 2:
                kn = k + 1
            else:
                kn = k - 1
            if tn < 0 or tn >= frames or kn < 0 or kn >= bins:
                continue
            j = tn * bins + kn
            if done[j]:
                continue
            if direction < 2:
                step = 0.5 * (time_here + _time_gradient(s, tn, kn, to_time, advance)) * (tn - t)
            else:
                step = 0.5 * (bin_here + _bin_gradient(s, tn, kn, to_time)) * (kn - k)
            out[j] = out[i] + step
            done[j] = True
            bn = _bucket(s[tn, kn], in_bucket, buckets)
            next_waiting[j] = waiting[bn]
            waiting[bn] = j
            b = max(b, bn)


@njit(cache=True, nogil=True, inline="always")
def _time_gradient(s: NDArray[np.float32], t: int, k: int, to_time: float, advance: float) -> float:
    """Phase increment from frame to frame, in radians."""
    slope = 0.5 * (s[t, k + 1] - s[t, k - 1]) if 0 < k < s.shape[1] - 1 else 0.0
    return to_time * slope + advance * k


@njit(cache=True, nogil=True, inline="always")
def _bin_gradient(s: NDArray[np.float32], t: int, k: int, to_time: float) -> float:
    """Phase increment from bin to bin, in radians."""
    slope = 0.5 * (s[t + 1, k] - s[t - 1, k]) if 0 < t < s.shape[0] - 1 else 0.0
    return -slope / to_time
