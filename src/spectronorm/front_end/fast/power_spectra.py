"""Magnitudes to a power of a block of frames, as `(bin, frame)`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.fast.padding import PaddedWave
from spectronorm.front_end.stft.stft import STFT
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft import Frames, power_of_frames


def cut_frames(padded: PaddedWave, change: tuple[float, float], stft: STFT, kept: dict[Any, Any]) -> Frames:
    """Return the frames of `(padded - mean) · scale`, given that change.

    `kept` serves all waveforms of one transform and one workspace.
    """
    prepared = stft.remove_dc_offset, float(stft.preemphasis)
    wave, before, behind, begin = padded
    return Frames(wave, stft.hop, stft.window_values(), *change, *prepared, before, behind, begin, kept)


def power_spectra(
    frames: Frames, stft: STFT, first: int, count: int, workspace: Workspace, dtype: type[np.floating[Any]]
) -> NDArray[np.floating]:
    """Compute `|X|²`, or `|X|` if the transform's power is 1, of `count` frames from `first` on, as `(bin, frame)`.

    The result is contiguous, and valid until the next call. There are columns beyond `count`, up to a multiple of
    eight; they are finite and meaningless.
    """
    root = stft.power == 1.0
    return power_of_frames(frames, stft.n_fft, count, workspace, dtype, root=root, first=first)
