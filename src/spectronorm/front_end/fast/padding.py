"""The waveform of one NumPy clip as the windowing takes it: at its level, and padded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.waveform_level import ClipStatistics, WaveformChange, WaveformLevel
from spectronorm.kernels.buffers import Workspace


class PaddedWave(NamedTuple):
    """A waveform, and its padding, from one of their samples on."""

    wave: NDArray[Any]
    before: NDArray[Any]
    behind: NDArray[Any]
    begin: int = 0


def unpadded(wave: NDArray[Any]) -> PaddedWave:
    """Return a waveform without padding."""
    return PaddedWave(wave, wave[:0], wave[:0])


def padded_wave(
    samples: NDArray[Any],
    sample_rate: int,
    level: WaveformLevel,
    stft: STFT,
    workspace: Workspace,
    dtype: type[np.floating[Any]],
) -> tuple[PaddedWave, float, float]:
    """Return the result of `STFT.padded`, and the mean and scale that remain to be applied to it.

    A change by an offset and a scale is left to the windowing, which saves a pass over memory.
    """
    change = _change(samples, level, stft)
    n, p = len(samples) - level.shortens, stft.padding
    total = n + p + stft.padding_behind
    if stft.frame_count == "ceil":
        total = max(n, (stft.frames(n) - 1) * stft.hop + stft.frame_samples)
    if change is None:
        wave = workspace.array("leveled", (n,), dtype)
        level.write(samples, sample_rate, wave)
    else:
        wave = samples if dtype is np.float64 else samples.astype(dtype, copy=False)
    mode = stft.pad_mode if total > n and stft.center else "constant"
    before, behind = left_padding(wave, mode, p), right_padding(wave, mode, total - n - p)
    padded = PaddedWave(wave, np.ascontiguousarray(before), np.ascontiguousarray(behind))
    return (padded, 0.0, 1.0) if change is None else (padded, change.offset, change.scale)


def _change(samples: NDArray[Any], level: WaveformLevel, stft: STFT) -> WaveformChange | None:
    """The change that is left to the windowing: none that would move padded zeros, which must be zero afterwards."""
    pads_zeros = stft.frame_count == "ceil" or (stft.pad_mode == "constant" and stft.padding_behind > 0)
    if level.is_change and not level.needs_statistics:
        change = level.change(ClipStatistics(0.0, 0.0, 0.0, 0.0))
        return None if pads_zeros and change.offset else change
    return level.change_while_windowing(samples) if stft.windowed_only and not pads_zeros else None


def left_padding(wave: NDArray[Any], mode: str, padding: int) -> NDArray[Any]:
    """Return what stands before a waveform `(sample,)`."""
    if mode == "reflect":
        return wave[padding:0:-1]
    if mode == "symmetric":
        return wave[:padding][::-1]
    return np.full(padding, wave[0] if mode == "edge" else 0.0, wave.dtype)


def right_padding(wave: NDArray[Any], mode: str, padding: int) -> NDArray[Any]:
    """Return what stands behind a waveform `(sample,)`, of which the last `padding + 1` samples are enough."""
    if mode == "reflect":
        return wave[-2 : -padding - 2 : -1]
    if mode == "symmetric":
        return wave[len(wave) - padding :][::-1]
    return np.full(padding, wave[-1] if mode == "edge" else 0.0, wave.dtype)
