"""Resampling by overlap-save: blocks of a signal are filtered, and change their rate, as spectra.

The filter is a linear-phase low-pass of odd length, a Kaiser-windowed sinc: flat up to `PASS` of the lower Nyquist
frequency, and `ATTENUATION_DB` down from that Nyquist frequency on. A block's spectrum is multiplied by the filter's
response, which is real because the filter is centred, and cut or padded to the other rate; of the block's inverse
transform, only the samples outside the filter's wrap-around are kept (Borgerding 2006, "Turning overlap-save into a
multiband mixing, downsampling filter bank", IEEE Signal Processing Magazine 23).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.buffers import workspace_of_thread
from spectronorm.kernels.fft import Plan, plan_of, transform
from spectronorm.kernels.fft.lanes import SINGLES, fill, load, store
from spectronorm.kernels.fft.transposition import transpose
from spectronorm.kernels.jit import njit

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
    """Plan shared by all signals between two rates: lengths in samples, at the first rate and at the second.

    A block of `n_in` samples becomes `n_out` samples, of which those from `skip` to before `skip + hop_out` are kept;
    the next block begins `hop_in` later. The first block begins `before` samples ahead of the signal. `response` is the
    filter's response at the bins that both rates have, divided by `n_in`; `plans` is None if a length has prime factors
    above 7.
    """

    n_in: int
    n_out: int
    before: int
    hop_in: int
    hop_out: int
    skip: int
    response: NDArray[np.float64]
    plans: tuple[Plan, Plan] | None


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
    plans = plan_of(n_in, 7), plan_of(n_out, 7)
    return Resampling(
        n_in,
        n_out,
        before,
        hop_in=n_in - 2 * before,
        hop_out=n_out - 2 * before // down * up,
        skip=before // down * up,
        response=response,
        plans=None if plans[0] is None or plans[1] is None else (plans[0], plans[1]),
    )


def _good_length(up: int, down: int, least: int) -> int:
    """Return the first multiple of `down`, at least `least`, for which neither length has a prime factor above 7."""
    first = -(-least // down)
    good = (n for n in range(first, 4 * first) if plan_of(n * up, 7) is not None and plan_of(n * down, 7) is not None)
    return next(good, first)


def overlap_save(samples: NDArray[np.floating], source_rate: int, target_rate: int) -> Singles:
    """Resample mono `samples` to another rate (Hz): `samples · target_rate / source_rate` samples, rounded.

    Sixteen blocks are transformed at once in float32 (within 2e-7 of full scale of `plain`), and blocks whose length
    has large prime factors by NumPy in float64.
    """
    length = (2 * len(samples) * target_rate + source_rate) // (2 * source_rate)
    plan, samples = resampling(source_rate, target_rate), np.ascontiguousarray(samples, np.float32)
    return plain(samples, plan, length) if plan.plans is None else _in_lanes(samples, plan, plan.plans, length)


def plain(samples: NDArray[np.floating], plan: Resampling, length: int) -> Singles:
    """Return the first `length` samples at the other rate, block by block with NumPy's transforms in float64."""
    blocks = -(-length // plan.hop_out)
    resampled = np.empty(blocks * plan.hop_out, np.float32)
    for first in range(0, blocks, _BLOCKS_AT_ONCE):
        some = min(_BLOCKS_AT_ONCE, blocks - first)
        part = _part(samples, first * plan.hop_in - plan.before, (some - 1) * plan.hop_in + plan.n_in)
        spectrum = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(part, plan.n_in)[:: plan.hop_in])
        filtered = spectrum[:, : len(plan.response)] * plan.response
        block = np.fft.irfft(filtered, plan.n_out)[:, plan.skip : plan.skip + plan.hop_out] * plan.n_out
        resampled[first * plan.hop_out : (first + some) * plan.hop_out] = block.ravel()
    return resampled[:length]


def _part(samples: NDArray[np.floating], start: int, count: int) -> NDArray[np.float64]:
    """Return `count` samples from `start` on, with zeros before and after the signal."""
    part = np.zeros(count)
    low, high = max(0, start), min(len(samples), start + count)
    part[low - start : max(low, high) - start] = samples[low : max(low, high)]
    return part


def _in_lanes(samples: Singles, plan: Resampling, plans: tuple[Plan, Plan], length: int) -> Singles:
    """Compute `plain` for sixteen blocks at once."""
    workspace = workspace_of_thread()
    rows = -(-max(plan.n_in, plan.n_out) // SINGLES) * SINGLES
    one, other = (workspace.array(f"overlap save {i}", (rows * SINGLES,), np.float32) for i in range(2))
    edge = workspace.array("overlap save edge", ((SINGLES - 1) * plan.hop_in + plan.n_in + SINGLES,), np.float32)
    groups = -(-length // (plan.hop_out * SINGLES))
    resampled = np.empty(groups * SINGLES * plan.hop_out, np.float32)
    forward, backward = plans
    _resample(
        samples,
        (plan.n_in, plan.n_out, plan.before, plan.hop_in, plan.hop_out, plan.skip),
        plan.response.astype(np.float32),
        (forward.radices, forward.starts, forward.roots.astype(np.float32)),
        (backward.radices, backward.starts, backward.roots.astype(np.float32)),
        (one, other, edge),
        resampled,
    )
    return resampled[:length]


@njit(cache=True, nogil=True)
def _resample(
    samples: Singles,
    lengths: tuple[int, int, int, int, int, int],
    response: Singles,
    forward: tuple[NDArray[np.int64], NDArray[np.int64], Singles],
    backward: tuple[NDArray[np.int64], NDArray[np.int64], Singles],
    buffers: tuple[Singles, Singles, Singles],
    out: Singles,
) -> None:
    one, other, edge = buffers
    n_in, n_out, before, hop_in, hop_out, _ = lengths
    for group in range(0, out.size // hop_out, SINGLES):
        start = group * hop_in - before
        source, at = samples, start
        if start < 0 or start + edge.size > samples.size:
            low, high = max(0, -start), max(0, min(edge.size, samples.size - start))
            edge[:low], edge[max(low, high) :] = 0.0, 0.0
            if high > low:
                edge[low:high] = samples[start + low : start + high]
            source, at = edge, 0
        _gather(source, at, hop_in, n_in, one)
        spectrum = _dft(n_in, forward, one, other)
        # Each stage writes from one buffer to the other.
        free = other if len(forward[0]) % 2 == 0 else one
        _filter(spectrum, response, n_out, free)
        found = _dft(n_out, backward, free, spectrum)
        last = spectrum if len(backward[0]) % 2 == 0 else free
        _invert(found, n_out, last)
        _scatter(last, lengths[5], hop_out, out, group * hop_out)


@njit(cache=True, nogil=True)
def _dft(n: int, plan: tuple[NDArray[np.int64], NDArray[np.int64], Singles], one: Singles, other: Singles) -> Singles:
    """DFT compiled once, for both directions."""
    return transform(n, plan[0], plan[1], plan[2], one, other)


@njit(nogil=True, inline="always")
def _gather(wave: Singles, at: int, hop: int, count: int, out: Singles) -> None:
    """Place sixteen blocks of `count` samples, `hop` apart, in vector lanes."""
    for k in range(at, at + count, SINGLES):
        transpose(wave, k, hop, out, (k - at) * SINGLES, SINGLES)


@njit(nogil=True, inline="always")
def _filter(spectrum: Singles, response: Singles, n_out: int, out: Singles) -> None:
    """Write the filtered spectrum `c + i d` as `c - d` at its bin and `c + d` at the mirrored bin.

    The real DFT of that sequence, F, gives the inverse DFT of the spectrum as Re F - Im F (Bracewell 1983, the discrete
    Hartley transform).
    """
    store(out, 0, load(spectrum, 0) * fill(out, response[0]))
    for k in range(1, response.size):
        gain = fill(out, response[k])
        re, im = load(spectrum, (2 * k - 1) * SINGLES) * gain, load(spectrum, 2 * k * SINGLES) * gain
        store(out, k * SINGLES, re - im)
        store(out, (n_out - k) * SINGLES, re + im)
    for k in range(response.size, n_out - response.size + 1):
        store(out, k * SINGLES, fill(out, 0.0))


@njit(nogil=True, inline="always")
def _invert(spectrum: Singles, n: int, out: Singles) -> None:
    """Complete the inverse DFT of the input of `_filter`, from the DFT of its output."""
    store(out, 0, load(spectrum, 0))
    for k in range(1, (n + 1) // 2):
        re, im = load(spectrum, (2 * k - 1) * SINGLES), load(spectrum, 2 * k * SINGLES)
        store(out, k * SINGLES, re - im)
        store(out, (n - k) * SINGLES, re + im)
    if n % 2 == 0:
        store(out, n // 2 * SINGLES, load(spectrum, (n - 1) * SINGLES))


@njit(nogil=True, inline="always")
def _scatter(blocks: Singles, skip: int, count: int, out: Singles, at: int) -> None:
    """Write the kept samples of sixteen blocks one after the other."""
    for start in range(0, count, SINGLES):
        # The last lanes overlap the lanes before them, which are written again.
        k = min(start, count - SINGLES)
        transpose(blocks, (skip + k) * SINGLES, SINGLES, out, at + k, count)
