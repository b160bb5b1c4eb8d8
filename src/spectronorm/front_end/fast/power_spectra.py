"""Squared magnitudes of a block of frames, as `(bin, frame)`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.stft.stft import STFT
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft import Frames, power_of_frames


def power_spectra(
    padded: NDArray[np.floating],
    change: tuple[float, float],
    stft: STFT,
    count: int,
    workspace: Workspace,
    dtype: type[np.floating[Any]],
) -> NDArray[np.floating]:
    """Compute `|X|²` of the first `count` frames of `(padded - mean) · scale`, as `(bin, frame)`, contiguous.

    There are columns beyond `count`, up to a multiple of eight; they are finite and meaningless. The result is valid
    until the next call.
    """
    frames = Frames(padded, stft.hop, stft.window_values(), *change, stft.remove_dc_offset, float(stft.preemphasis))
    return power_of_frames(frames, stft.n_fft, count, workspace, dtype)
