"""Blocks of a signal, filtered and resampled as spectra in float32: compiled, or with NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.buffers import workspace_of_thread
from spectronorm.kernels.fft.plain_transform import transform_by_numpy
from spectronorm.kernels.fft.plan import Plan, largest_factor, plan_of
from spectronorm.kernels.jit import kernel_of_module

_LARGEST_FACTOR = 7
_LANES = 16
_BLOCKS_AT_ONCE = 64
_Singles = NDArray[np.float32]


class BlockLengths(NamedTuple):
    """Lengths in samples, at the rate of the signal and at the other rate.

    A block of `n_in` samples becomes `n_out` samples, of which those from `skip` to before `skip + hop_out` are kept;
    the next block begins `hop_in` later. The first block begins `before` samples ahead of the signal.
    """

    n_in: int
    n_out: int
    before: int
    hop_in: int
    hop_out: int
    skip: int


def is_good_length(n: int) -> bool:
    """True if blocks may have this length: it has no prime factor above 7."""
    return largest_factor(n) <= _LARGEST_FACTOR


def filter_blocks(samples: _Singles, blocks: BlockLengths, response: _Singles, length: int) -> _Singles:
    """Return the first `length` samples at the other rate, of `samples` filtered by `response` `(bin,)`.

    The response is real, divided by `n_in`, and ends before the lower of both Nyquist frequencies. All lengths are good
    ones.
    """
    forward, backward = plan_of(blocks.n_in, _LARGEST_FACTOR), plan_of(blocks.n_out, _LARGEST_FACTOR)
    if forward is None or backward is None:
        raise ValueError(f"blocks of {blocks.n_in} and {blocks.n_out} samples: a prime factor is above 7")
    workspace = workspace_of_thread()
    rows = -(-max(blocks.n_in, blocks.n_out) // _LANES) * _LANES
    one, other = (workspace.array(f"block filter {i}", (rows * _LANES,), np.float32) for i in range(2))
    edge = workspace.array("block filter edge", ((_LANES - 1) * blocks.hop_in + blocks.n_in + _LANES,), np.float32)
    groups = -(-length // (blocks.hop_out * _LANES))
    filtered = np.empty(groups * _LANES * blocks.hop_out, np.float32)
    _filter(samples, blocks, response, (forward, backward), (one, other, edge), filtered)
    return filtered[:length]


def filter_by_numpy(
    samples: _Singles,
    blocks: BlockLengths,
    response: _Singles,
    plans: tuple[Plan, Plan],
    buffers: tuple[_Singles, _Singles, _Singles],
    out: _Singles,
) -> None:
    """Compute the result of `filter_in_lanes` with NumPy: all blocks together, through the stages of the transform."""
    del buffers
    n_in, n_out, before, hop_in, hop_out, skip = blocks
    count = len(out) // hop_out
    if count == 0:
        return
    # The signal is followed by the zeros that the last block needs.
    padded = np.zeros((count - 1) * hop_in + n_in, np.float32)
    there = padded[before : before + len(samples)]
    there[:] = samples[: len(there)]
    views = np.lib.stride_tricks.sliding_window_view(padded, n_in)[::hop_in]
    for first in range(0, count, _BLOCKS_AT_ONCE):
        spectrum = transform_by_numpy(plans[0], np.ascontiguousarray(views[first : first + _BLOCKS_AT_ONCE].T))
        last = _inverted(transform_by_numpy(plans[1], _filtered(spectrum, response, n_out)))
        kept = last[skip : skip + hop_out].T.ravel()
        out[first * hop_out : first * hop_out + len(kept)] = kept


def _filtered(spectrum: _Singles, response: _Singles, n_out: int) -> _Singles:
    """Return the filtered spectrum `c + i d` `(row, block)` as `c - d` at its bin and `c + d` at the mirrored bin.

    The real DFT of that sequence, F, gives the inverse DFT of the spectrum as Re F - Im F (Bracewell 1983, the discrete
    Hartley transform).
    """
    bins, gain = len(response), response[1:, None]
    out = np.zeros((n_out, spectrum.shape[1]), np.float32)
    out[0] = spectrum[0] * response[0]
    re, im = spectrum[1 : 2 * bins - 1 : 2] * gain, spectrum[2 : 2 * bins : 2] * gain
    out[1:bins] = re - im
    out[n_out - bins + 1 :] = (re + im)[::-1]
    return out


def _inverted(spectrum: _Singles) -> _Singles:
    """Complete the inverse DFT of the input of `_filtered`, from the DFT of its output."""
    n = len(spectrum)
    out, half = np.empty_like(spectrum), (n + 1) // 2
    out[0] = spectrum[0]
    re, im = spectrum[1 : 2 * half - 1 : 2], spectrum[2 : 2 * half : 2]
    out[1:half] = re - im
    out[n - half + 1 :] = (re + im)[::-1]
    if n % 2 == 0:
        out[n // 2] = spectrum[n - 1]
    return out


_filter = kernel_of_module("spectronorm.kernels.block_filter_in_lanes", "filter_in_lanes", filter_by_numpy)
