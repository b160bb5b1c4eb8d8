"""Squared magnitudes of the frames of a waveform: compiled, or with NumPy and identical bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft.frames import Frames
from spectronorm.kernels.fft.plain_transform import transform_by_numpy
from spectronorm.kernels.fft.plan import Plan, plan_of
from spectronorm.kernels.jit import kernel_of_module

_VECTOR_BYTES = 64
_Floats = NDArray[np.floating[Any]]


def power_of_frames(
    frames: Frames,
    n_fft: int,
    count: int,
    workspace: Workspace,
    dtype: type[np.floating[Any]] = np.float64,
    *,
    root: bool = False,
    first: int = 0,
) -> _Floats:
    """Compute `|X|²`, or its root, of frames that are zero-padded to `n_fft` samples, as `(bin, frame)`, contiguous.

    There are columns beyond `count`, up to a multiple of eight (sixteen for float32); they are finite and meaningless.
    The result is valid until the next call. Lengths with prime factors above 5, and those
    up to 5, are transformed by NumPy.

    Args:
        frames: The frames; for arithmetic in float32, of a float32 waveform.
        n_fft: Length of the transform.
        count: Number of frames.
        workspace: Room for the result.
        dtype: Precision of the arithmetic, float64 or float32.
        root: True for `|X|`.
        first: Number of frames before those.
    """
    lanes = _VECTOR_BYTES // np.dtype(dtype).itemsize
    columns = -(-count // lanes) * lanes
    powers = frames.kept.get((columns, dtype))
    if powers is None:
        powers = frames.kept[columns, dtype] = workspace.array("powers", (n_fft // 2 + 1, columns), dtype)
    plan = plan_of(n_fft) if n_fft > 1 else None
    if plan is not None:
        (_powers if plan.has_ends else power_by_numpy)(frames, plan, powers, workspace, root=root, first=first)
    else:
        powers[:, count:] = 0.0
        spectrum = np.fft.rfft(frames.windowed(count, first), n_fft)
        powers[:, :count] = (spectrum.real * spectrum.real + spectrum.imag * spectrum.imag).T
        if root:
            np.sqrt(powers, out=powers)
    return powers


def power_by_numpy(
    frames: Frames, plan: Plan, powers: _Floats, workspace: Workspace, *, root: bool = False, first: int = 0
) -> None:
    """Compute the result of `power_in_lanes` with NumPy, always in float64."""
    del workspace
    size = len(frames.window)
    count = min(powers.shape[1], (frames.samples - size) // frames.hop + 1 - first)
    signals = np.zeros((plan.n, count))
    signals[:size] = frames.windowed(count, first).T
    found = transform_by_numpy(plan, signals)
    re, im = found[1::2], found[2::2]
    powers[:, count:] = 0.0
    powers[0, :count] = found[0] * found[0]
    squares = re * re
    squares[: len(im)] += im * im
    powers[1:, :count] = squares
    if root:
        np.sqrt(powers, out=powers)


_powers = kernel_of_module("spectronorm.kernels.fft.power_in_lanes", "power_in_lanes", power_by_numpy)
