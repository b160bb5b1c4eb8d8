"""Resampling by overlap-save: blocks of a signal are filtered, and change their rate, as spectra.

Experimental: it may go before version 1.0.

The filter is a linear-phase low-pass of odd length, a Kaiser-windowed sinc: flat up to `PASS` of the lower Nyquist
frequency, and `ATTENUATION_DB` down from that Nyquist frequency on. A block's spectrum is multiplied by the filter's
response, which is real because the filter is centred, and cut or padded to the other rate; of the block's inverse
transform only the samples are kept that the filter's length does not reach round to (Borgerding 2006, "Turning
overlap-save into a multiband mixing, downsampling filter bank", IEEE Signal Processing Magazine 23).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.block_filter import BlockLengths, filter_blocks, is_good_length

PASS = 0.9125
"""Share of the lower Nyquist frequency up to which the filter is flat, as in soxr's HQ."""
ATTENUATION_DB = 150.0
"""Attenuation from the lower Nyquist frequency on: more than float32 can resolve."""
_OVERLAPS = 3
"""Length of a block as a multiple of the discarded samples."""
_BLOCKS_AT_ONCE = 64

Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Resampling:
    """The blocks and the filter between two rates, for every signal.

    `response` is the filter's response at the bins that both rates have, divided by the length of a block. `good` says
    that no length has prime factors above 7.
    """

    blocks: BlockLengths
    response: NDArray[np.float64]
    good: bool


@lru_cache(maxsize=64)
def resampling(source_rate: int, target_rate: int) -> Resampling:
    """Plan the blocks and the filter between two rates in Hz.

    The filter's length is Kaiser's estimate, (A - 7.95) / (14.36 Δf) + 1 samples for a transition of Δf cycles in a
    sample.
    """
    divisor = math.gcd(source_rate, target_rate)
    up, down = target_rate // divisor, source_rate // divisor
    nyquist = min(source_rate, target_rate) / 2
    transition = (1.0 - PASS) * nyquist / source_rate
    half = math.ceil((ATTENUATION_DB - 7.95) / (14.36 * transition) / 2)
    before = -(-half // down) * down
    length = _good_length(up, down, 2 * before * _OVERLAPS)
    n_in, n_out = length * down, length * up
    n = np.arange(-half, half + 1)
    cutoff = (1.0 + PASS) * nyquist / source_rate  # the middle of the transition, in half cycles in a sample
    taps = cutoff * np.sinc(cutoff * n) * np.kaiser(len(n), 0.1102 * (ATTENUATION_DB - 8.7))
    centred = np.zeros(n_in)
    centred[n] = taps / taps.sum()
    # The bin of the lower Nyquist frequency itself is left out.
    response = np.fft.rfft(centred).real[: (min(n_in, n_out) + 1) // 2] / n_in
    skip = before // down * up
    blocks = BlockLengths(n_in, n_out, before, hop_in=n_in - 2 * before, hop_out=n_out - 2 * skip, skip=skip)
    return Resampling(blocks, response, good=is_good_length(n_in) and is_good_length(n_out))


def _good_length(up: int, down: int, least: int) -> int:
    """Return the first multiple of `down`, at least `least`, for which neither length has a prime factor above 7."""
    first = -(-least // down)
    good = (n for n in range(first, 4 * first) if is_good_length(n * up) and is_good_length(n * down))
    return next(good, first)


def overlap_save(samples: NDArray[np.floating], source_rate: int, target_rate: int) -> Singles:
    """Mono `samples` at another rate (Hz): `samples · target_rate / source_rate` of them, rounded.

    BlockLengths are transformed in float32 (within 2e-7 of full scale of the plain way), and blocks whose
    length has large prime factors by NumPy in float64.
    """
    length = (2 * len(samples) * target_rate + source_rate) // (2 * source_rate)
    plan, samples = resampling(source_rate, target_rate), np.ascontiguousarray(samples, np.float32)
    if plan.good:
        return filter_blocks(samples, plan.blocks, plan.response.astype(np.float32), length)
    return plain(samples, plan, length)


def plain(samples: NDArray[np.floating], plan: Resampling, length: int) -> Singles:
    """Return the first `length` samples at the other rate, block by block with NumPy's transforms in float64."""
    n_in, n_out, before, hop_in, hop_out, skip = plan.blocks
    blocks = -(-length // hop_out)
    resampled = np.empty(blocks * hop_out, np.float32)
    for first in range(0, blocks, _BLOCKS_AT_ONCE):
        some = min(_BLOCKS_AT_ONCE, blocks - first)
        part = _part(samples, first * hop_in - before, (some - 1) * hop_in + n_in)
        spectrum = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(part, n_in)[::hop_in])
        filtered = spectrum[:, : len(plan.response)] * plan.response
        block = np.fft.irfft(filtered, n_out)[:, skip : skip + hop_out] * n_out
        resampled[first * hop_out : (first + some) * hop_out] = block.ravel()
    return resampled[:length]


def _part(samples: NDArray[np.floating], start: int, count: int) -> NDArray[np.float64]:
    """Return `count` samples from `start` on, with zeros before and after the signal."""
    part = np.zeros(count)
    low, high = max(0, start), min(len(samples), start + count)
    part[low - start : max(low, high) - start] = samples[low : max(low, high)]
    return part
