"""DFT of several real signals at once in the lanes of vector registers, compiled.

Each lane of float64 equals the result of `numpy.fft.rfft`, on x86-64 to the last bit (the tests compare them), except
for lengths with a factor of 7. In float32, `transform_frames` fuses products and sums where the processor can.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.fft.stages import first_stage, last_stage, stage, stage_with_sevens
from spectronorm.kernels.jit import njit

_Floats = NDArray[np.floating[Any]]
Stages = tuple[NDArray[np.int64], NDArray[np.int64], _Floats]
"""Radices, starts and roots of a plan."""
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
    before = n
    for i in range(len(radices) - 1, -1, -1):
        inner = n // before
        before //= radices[i]
        stage_with_sevens(radices[i], frames, other, inner, before, roots, starts[i])
        frames, other = other, frames
    return frames


@njit(cache=True, nogil=True)
def transform_frames(
    columns: _Floats,
    layout: Layout,
    strides: tuple[int, int],
    plan: Stages,
    buffers: tuple[_Floats, _Floats],
    out: _Floats,
    root: int,
) -> None:
    """Write squared magnitudes of frames, one for each lane, to the flat array `out` `(bin, frame)`.

    They are magnitudes if `root` is not 0.

    The plan is one for lengths of factors 2, 3 and 5, of two stages or more. Sample `k` of frame `t` is
    `columns[rows[k] * strides[0] + shifts[k] + t] * window[k]`, with the window, rows and shifts of the layout;
    its bin `k` is written to `out[k * strides[1] + t]`, for `strides[1]` frames. So the first stage reads the frames
    and the last one writes the powers.
    """
    radices, starts, roots = plan
    n, last, count = layout[0].size, len(radices) - 1, strides[1]
    lanes = 64 // out.itemsize
    for t in range(0, count, lanes):
        source, target = buffers
        before = n // radices[last]
        first_stage(radices[last], columns, layout, source, before, strides[0], t)
        for i in range(last - 1, 0, -1):
            inner = n // before
            before //= radices[i]
            stage(radices[i], source, target, inner, before, roots, starts[i])
            source, target = target, source
        last_stage(radices[0], source, out, roots, n // radices[0], (count, t), root)
