"""The waveform of one NumPy clip as the windowing takes it: at its level, and padded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.waveform_level import ClipStatistics, WaveformChange, WaveformLevel
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.jit import kernel


def padded_wave(
    samples: NDArray[Any], sample_rate: int, level: WaveformLevel, stft: STFT, workspace: Workspace
) -> tuple[NDArray[Any], float, float]:
    """Return the result of `STFT.padded`, and the mean and scale that remain to be applied to it.

    A change by an offset and a scale is left to the windowing, which saves a pass over memory.
    """
    change = _change(samples, level, stft)
    mean, scale = (0.0, 1.0) if change is None else (change.offset, change.scale)
    wave = samples if change is not None else level(samples.astype(np.float64), sample_rate)
    if stft.frame_count == "ceil":
        return stft.padded(wave), mean, scale
    n, p = len(wave), stft.padding
    padded = workspace.array("padded", (n + 2 * p,), wave.dtype)
    if stft.pad_mode == "reflect":
        _reflect(wave, p, padded)
    else:
        padded[p : p + n] = wave
        padded[:p], padded[p + n :] = (wave[0], wave[-1]) if stft.pad_mode == "edge" else (0.0, 0.0)
    return padded, mean, scale


def _change(samples: NDArray[Any], level: WaveformLevel, stft: STFT) -> WaveformChange | None:
    """The change that is left to the windowing: none that would move padded zeros, which must be zero afterwards."""
    pads_zeros = stft.frame_count == "ceil" or (stft.pad_mode == "constant" and stft.padding > 0)
    if level.is_change and not level.needs_statistics:
        change = level.change(ClipStatistics(0.0, 0.0, 0.0, 0.0))
        return None if pads_zeros and change.offset else change
    return level.change_while_windowing(samples) if stft.windowed_only and not pads_zeros else None


def _reflect_by_numpy(wave: NDArray[Any], padding: int, out: NDArray[Any]) -> None:
    out[:] = np.pad(wave, padding, mode="reflect")


@kernel(_reflect_by_numpy, cache=True, nogil=True)
def _reflect(wave: NDArray[Any], padding: int, out: NDArray[Any]) -> None:
    """Mirror `padding` samples of the waveform at either end, without repeating its first and last sample."""
    n = wave.size
    for i in range(n):
        out[padding + i] = wave[i]
    for i in range(padding):
        out[i] = wave[padding - i]
        out[padding + n + i] = wave[n - 2 - i]
