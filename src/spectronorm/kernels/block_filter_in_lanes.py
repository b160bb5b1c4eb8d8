"""Filtering and resampling of sixteen blocks of a signal at once, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.block_filter import BlockLengths
from spectronorm.kernels.fft.lanes import SINGLES, fill, load, store
from spectronorm.kernels.fft.plan import Plan
from spectronorm.kernels.fft.transform_in_lanes import transform
from spectronorm.kernels.fft.transposition import transpose
from spectronorm.kernels.jit import njit

_Singles = NDArray[np.float32]


def filter_in_lanes(
    samples: _Singles,
    blocks: BlockLengths,
    response: _Singles,
    plans: tuple[Plan, Plan],
    buffers: tuple[_Singles, _Singles, _Singles],
    out: _Singles,
) -> None:
    """Write the filtered samples at the other rate into `out`, which has room for a multiple of sixteen blocks."""
    forward, backward = ((plan.radices, plan.starts, plan.roots.astype(np.float32)) for plan in plans)
    lengths = (blocks.n_in, blocks.n_out, blocks.before, blocks.hop_in, blocks.hop_out, blocks.skip)
    _resample(samples, lengths, response, forward, backward, buffers, out)


@njit(cache=True, nogil=True)
def _resample(
    samples: _Singles,
    lengths: tuple[int, int, int, int, int, int],
    response: _Singles,
    forward: tuple[NDArray[np.int64], NDArray[np.int64], _Singles],
    backward: tuple[NDArray[np.int64], NDArray[np.int64], _Singles],
    buffers: tuple[_Singles, _Singles, _Singles],
    out: _Singles,
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
        _filter_spectrum(spectrum, response, n_out, free)
        found = _dft(n_out, backward, free, spectrum)
        last = spectrum if len(backward[0]) % 2 == 0 else free
        _invert(found, n_out, last)
        _scatter(last, lengths[5], hop_out, out, group * hop_out)


@njit(cache=True, nogil=True)
def _dft(
    n: int, plan: tuple[NDArray[np.int64], NDArray[np.int64], _Singles], one: _Singles, other: _Singles
) -> _Singles:
    """DFT compiled once, for both directions."""
    return transform(n, plan[0], plan[1], plan[2], one, other)


@njit(nogil=True, inline="always")
def _gather(wave: _Singles, at: int, hop: int, count: int, out: _Singles) -> None:
    """Place sixteen blocks of `count` samples, `hop` apart, in vector lanes."""
    for k in range(at, at + count, SINGLES):
        transpose(wave, k, hop, out, (k - at) * SINGLES, SINGLES)


@njit(nogil=True, inline="always")
def _filter_spectrum(spectrum: _Singles, response: _Singles, n_out: int, out: _Singles) -> None:
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
def _invert(spectrum: _Singles, n: int, out: _Singles) -> None:
    """Complete the inverse DFT of the input of `_filter_spectrum`, from the DFT of its output."""
    store(out, 0, load(spectrum, 0))
    for k in range(1, (n + 1) // 2):
        re, im = load(spectrum, (2 * k - 1) * SINGLES), load(spectrum, 2 * k * SINGLES)
        store(out, k * SINGLES, re - im)
        store(out, (n - k) * SINGLES, re + im)
    if n % 2 == 0:
        store(out, n // 2 * SINGLES, load(spectrum, (n - 1) * SINGLES))


@njit(nogil=True, inline="always")
def _scatter(blocks: _Singles, skip: int, count: int, out: _Singles, at: int) -> None:
    """Write the kept samples of sixteen blocks one after the other."""
    for start in range(0, count, SINGLES):
        # The last lanes overlap the lanes before them, which are written again.
        k = min(start, count - SINGLES)
        transpose(blocks, (skip + k) * SINGLES, SINGLES, out, at + k, count)
