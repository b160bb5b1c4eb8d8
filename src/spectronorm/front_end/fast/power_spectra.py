"""Squared magnitudes of a block of frames, as `(bin, frame)`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import frame
from spectronorm.front_end.stft.stft import STFT
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft import Frames, power_of_frames


def power_spectra(
    padded: NDArray[np.floating], mean: float, scale: float, stft: STFT, count: int, workspace: Workspace
) -> NDArray[np.float64]:
    """Compute `|X|²` of the first `count` frames of `(padded - mean) · scale`, as `(bin, frame)`, contiguous.

    There are columns beyond `count`, up to a multiple of eight; they are finite and meaningless. The result is valid
    until the next call.
    """
    window = stft.window_values()
    if stft.windowed_only:
        return power_of_frames(Frames(padded, stft.hop, window, mean, scale), stft.n_fft, count, workspace)
    # In float64 from here on, as in the kernels; otherwise a clip's mean would be subtracted in float32.
    frames = (frame(padded, stft.frame_samples, stft.hop)[:count].astype(np.float64) - mean) * scale
    prepared = np.ascontiguousarray(stft.prepared(frames))
    return power_of_frames(Frames(prepared.reshape(-1), len(window), window), stft.n_fft, count, workspace)
