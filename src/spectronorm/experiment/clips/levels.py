"""Waveforms of equal length and their log-spectrograms (levels) by any front end, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.arrays import Samples
from spectronorm.audio import AudioCache, ClipReference, Source
from spectronorm.engines import ThreadEngine
from spectronorm.errors import AudioError, SourceError
from spectronorm.front_end import AnyFrontEnd, FrontEnd, require_front_end
from spectronorm.runs.progress import Progress, reported, silent

Device = Callable[[Samples, int, int], Samples]
"""A simulated recording device: maps samples, sample rate (Hz) and the clip's number to samples of equal length."""


class Waves:
    """Clips of a source, cropped to `seconds`, or repeated up to `seconds` if they are shorter.

    Repeating keeps the sound of a short clip. Zero padding would add digital silence, which no microphone records:
    models could tell a class by the lengths of its clips, and added noise would change the silence most.
    """

    def __init__(self, source: Source, seconds: float, cache: Path) -> None:
        self.source, self.seconds = source, seconds
        self._cache = AudioCache(cache.absolute())
        self._levels: dict[tuple[str, str], Samples] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the levels: the receiving process computes them again, which costs less than sending them."""
        return {**self.__dict__, "_levels": {}}

    def wave(self, index: int, front_end: FrontEnd, device: Device | None = None) -> Samples:
        """Return one clip's samples at the front end's sample rate."""
        samples = _decoded(self.source, self.source.clips[index], front_end, self._cache)
        wave = repeated(samples, round(self.seconds * front_end.sample_rate))
        return wave if device is None else device(wave, front_end.sample_rate, index)

    def waves(self, front_end: FrontEnd, device: tuple[str, Device] | None = None) -> Samples:
        """Return all clips, `(clip, sample)`, as recorded or through a named device."""
        return np.stack(
            [self.wave(i, front_end, None if device is None else device[1]) for i in range(len(self.source))]
        )

    def levels(
        self, front_end: AnyFrontEnd, device: tuple[str, Device] | None = None, progress: Progress = silent
    ) -> Samples:
        """Return levels `(clip, band, frame)` of all clips, as recorded or through a named device, kept in memory.

        With a stack of channels they are `(clip, channel, band, frame)`.
        """
        key = (front_end.fingerprint, "" if device is None else device[0])
        if key not in self._levels:
            self._levels[key] = self._computed(front_end, None if device is None else device[1], progress)
        return self._levels[key]

    def power(self, front_end: FrontEnd, device: tuple[str, Device] | None = None) -> Samples:
        """Return the mean square of each frame's hop of samples, `(clip, frame)`; a last, shorter hop is not padded."""
        hop = front_end.stft.hop
        frames = front_end.frames(round(self.seconds * front_end.sample_rate))
        waves = self.waves(front_end, device)
        starts = np.minimum(np.arange(frames) * hop, waves.shape[-1] - 1)
        sums = np.add.reduceat(waves.astype(np.float64) ** 2, starts, axis=-1)
        lengths = np.diff(np.append(starts, waves.shape[-1]))
        return np.asarray(sums / np.maximum(lengths, 1), dtype=np.float32)

    def _computed(self, described: AnyFrontEnd, device: Device | None, progress: Progress) -> Samples:
        front_end = require_front_end(described, "computing spectrograms")
        frames = front_end.frames(round(self.seconds * front_end.sample_rate))
        levels = np.empty((len(self.source), front_end.n_bands, frames), dtype=np.float32)

        def compute(index: int) -> int:
            levels[index] = front_end.clip_level(self.wave(index, front_end, device))
            return index

        clips = range(len(self.source))
        for _ in reported(ThreadEngine().map(compute, clips), len(clips), progress):
            pass
        return levels.reshape(len(levels), *front_end.level_shape, frames)


def repeated(x: Samples, count: int) -> Samples:
    """The first `count` entries of the last axis, repeated from the beginning if there are fewer."""
    return np.asarray(np.take(x, np.arange(count) % x.shape[-1], axis=-1))


def usual_seconds(source: Source, front_end: FrontEnd, cache: Path) -> float:
    """Return the median length of the readable clips in seconds, to a hundredth; fills the cache on the way.

    Raises:
        SourceError: if no clip can be read.
    """
    lengths = [seconds for seconds in _lengths(source, front_end, AudioCache(cache)) if seconds]
    if not lengths:
        raise SourceError(f"none of the {len(source)} clips can be read; spectronorm fit says why of each")
    return max(0.01, round(float(np.median(lengths)), 2))


def _lengths(source: Source, front_end: FrontEnd, cache: AudioCache) -> Iterator[float]:
    def seconds(clip: ClipReference) -> float:
        try:
            return int(_decoded(source, clip, front_end, cache).shape[-1]) / front_end.sample_rate
        except AudioError:
            return 0.0

    yield from ThreadEngine().map(seconds, list(source))


def _decoded(source: Source, clip: ClipReference, front_end: FrontEnd, cache: AudioCache) -> Samples:
    """Return a clip's samples at the front end's rate."""
    return cache.read(clip, front_end.sample_rate, front_end.resampler, reader=source.reader)
