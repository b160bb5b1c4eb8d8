"""Fast path for one NumPy clip: frames in blocks that stay in the cache, with the kernels fused.

It computes the result of `FrontEnd.working_level` (a test compares them) without its large temporaries, which cost more
time in page faults than the arithmetic does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.front_end.compress.compression import Compression
from spectronorm.front_end.fast.logarithm import compressed
from spectronorm.front_end.fast.power_spectra import power_spectra
from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.waveform_level import WaveformLevel
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.jit import kernel

_CELLS = 50_000
"""Bins times frames of a block, small enough for the second-level cache with its intermediate arrays."""


def level_blocks(
    samples: NDArray[Any],
    sample_rate: int,
    level: WaveformLevel,
    stft: STFT,
    runs: BandRuns,
    compress: Compression,
    workspace: Workspace,
) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """Yield the level of a waveform `(sample,)` in blocks: first frame, number of frames, level `(band, frame)`.

    The level is contiguous float64, and may have more columns than frames, whose values are meaningless. The
    compression must work frame by frame. A block is valid until the next one is requested.
    """
    padded, mean, scale = _padded(samples, sample_rate, level, stft, workspace)
    bands, frames = len(runs.first), stft.frames(len(samples) - level.shortens)
    step = min(248, _CELLS // stft.bins // 16 * 16 + 8)
    for start in range(0, frames, step):
        count = min(step, frames - start)
        values = power_spectra(padded[start * stft.hop :], mean, scale, stft, count, workspace)
        if stft.power != 2.0:
            values **= stft.power / 2.0
        if not runs.identity:
            gathered = workspace.array("gathered", (bands, values.shape[1]))
            runs.gather(values, gathered)
            values = gathered
        yield start, count, compressed(values[:bands], compress, stft.power)


def _padded(
    samples: NDArray[Any], sample_rate: int, level: WaveformLevel, stft: STFT, workspace: Workspace
) -> tuple[NDArray[Any], float, float]:
    """Return the result of `STFT.padded`, and the mean and scale that remain to be applied to it.

    A change by an offset and a scale is left to the windowing, which saves a pass over memory, except if zeros are
    padded: they must be zero afterwards.
    """
    pads_zeros = stft.frame_count == "ceil" or (stft.pad_mode == "constant" and stft.padding > 0)
    change = level.change_while_windowing(samples) if stft.windowed_only and not pads_zeros else None
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
