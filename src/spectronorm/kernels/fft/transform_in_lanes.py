"""DFT of several real signals at once in the lanes of vector registers, compiled.

Each lane of float64 equals the result of `numpy.fft.rfft`, on x86-64 to the last bit (the tests compare them), except
for lengths with a factor of 7.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.fft.lanes import fill, load, store
from spectronorm.kernels.fft.stages import first_stage, last_stage, stage
from spectronorm.kernels.jit import njit

_Floats = NDArray[np.floating[Any]]
Layout = tuple[_Floats, NDArray[np.int64], NDArray[np.int64]]
"""A window over the samples of a transform, zero outside the frame, and each sample's row and shift."""


@njit(nogil=True, inline="always")
def transform(
    n: int,
    radices: NDArray[np.int64],
    starts: NDArray[np.int64],
    roots: _Floats,
    frames: _Floats,
    other: _Floats,
) -> _Floats:
    """DFT of `frames` `(sample, lane)`, flat, in `frames` or `other`: the real part of bin 0, then re, im, re, ….

    Both buffers are overwritten; the one with the result is returned.
    """
    return through(range(len(radices) - 1, -1, -1), n, n, (radices, starts, roots), frames, other)


@njit(nogil=True, inline="always")
def through(
    stages: range,
    n: int,
    before: int,
    plan: tuple[NDArray[np.int64], NDArray[np.int64], _Floats],
    source: _Floats,
    target: _Floats,
) -> _Floats:
    """Apply these stages from buffer to buffer; `before` is the product of the radices before the first of them."""
    radices, starts, roots = plan
    for i in stages:
        inner = n // before
        before //= radices[i]
        stage(radices[i], source, target, inner, before, roots, starts[i])
        source, target = target, source
    return source


@njit(nogil=True, inline="always")
def power_spectrum(
    plan: tuple[NDArray[np.int64], NDArray[np.int64], _Floats],
    columns: _Floats,
    layout: Layout,
    strides: tuple[int, int],
    buffers: tuple[_Floats, _Floats],
    out: _Floats,
    t: int,
) -> None:
    """Squared magnitudes of the DFT of one frame for each lane, from the frame `t` on.

    The plan's radices, starts and roots belong to a transform by 2, 3 and 5. Sample `k` of frame `t` is
    `columns[rows[k] * strides[0] + shifts[k] + t] * window[k]`, with the window, rows and shifts of the layout;
    its bin `k` is written to `out[k * strides[1] + t]`. So the first stage reads the frames and the last one
    writes the powers.
    """
    (radices, _, roots), (window, rows, shifts), (source, target) = plan, layout, buffers
    n, stages, stride = window.size, len(radices), strides[0]
    lanes = 64 // source.itemsize
    before = n
    if stages == 1:
        for k in range(n):
            store(source, k * lanes, load(columns, rows[k] * stride + shifts[k] + t) * fill(columns, window[k]))
    else:
        before //= radices[stages - 1]
        first_stage(radices[stages - 1], columns, layout, source, before, stride, t)
    source = through(range(stages - 2, 0, -1), n, before, plan, source, target)
    last_stage(radices[0], source, out, roots, n // radices[0], strides[1], t)
