"""Every kernel compiled ahead, so that the first run of a new machine or container compiles nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from spectronorm.arrays import sliding_standardize
from spectronorm.audio.resample import resample
from spectronorm.errors import SpectronormError
from spectronorm.front_end import PCEN, PRESETS, FrontEnd, Log1p, PreEmphasis, Root, preset
from spectronorm.inversion import invert
from spectronorm.kernels.jit import numba_version
from spectronorm.profile import LevelCounter
from spectronorm.runs.progress import Progress

_SECONDS = 0.5


def warm(progress: Progress | None = None) -> float:
    """Compile what presets, compressions, resampling, counting and inversion need, and keep it in numba's cache.

    Kernels that are kept already are loaded. Kernels are kept beside the package, or where `NUMBA_CACHE_DIR` says.

    Args:
        progress: Called with the number of steps done and the total number of steps.

    Returns:
        The seconds that it took.

    Raises:
        SpectronormError: if numba cannot be used, so that there is nothing to compile.
    """
    if numba_version() == "none":
        raise SpectronormError("numba cannot be used here, so there is nothing to compile; NumPy does the work")
    began = time.perf_counter()
    steps = list(_steps())
    for done, step in enumerate(steps):
        if progress is not None:
            progress(done, len(steps))
        step()
    if progress is not None:
        progress(len(steps), len(steps))
    return time.perf_counter() - began


def _steps() -> Iterator[Callable[[], object]]:
    for found in PRESETS.values():
        yield partial(_front_end, found.front_end)
    simple = preset("torchaudio")
    for compress in (PCEN(), Log1p(), Root()):
        yield partial(_front_end, replace(simple, compress=compress))
    yield partial(_front_end, replace(simple, level=PreEmphasis()))
    yield lambda: resample(_noise(44_100), 44_100, 16_000, "overlap_save")
    yield lambda: sliding_standardize(_noise(1000).astype(np.float64), 100)
    linear = preset("fastaudio")
    yield lambda: invert(linear(_noise(linear.sample_rate)), linear)
    yield lambda: invert(simple(_noise(simple.sample_rate)), simple)


def _front_end(front_end: FrontEnd) -> None:
    wave = _noise(front_end.sample_rate)
    for samples in (wave, wave.astype(np.float64)):
        front_end(samples)
        front_end(samples, precision="float32")
        if front_end.compress.causal and not front_end.level.needs_statistics:
            _stream(front_end, samples)
    counter = LevelCounter(front_end)
    counter.add(wave)
    counter.measurement()


def _stream(front_end: FrontEnd, samples: np.ndarray[tuple[int], np.dtype[np.floating[Any]]]) -> None:
    """Take pieces of few frames, of none and of many."""
    stream, at = front_end.stream(), len(samples) // 2
    for piece in np.array_split(samples[:at], 2 * at // front_end.stft.hop):
        stream.add(piece)
    stream.add(samples[at:])
    stream.add(samples)


def _noise(sample_rate: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(_SECONDS * sample_rate))
    return samples.astype(np.float32)
