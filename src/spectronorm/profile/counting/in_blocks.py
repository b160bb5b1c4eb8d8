"""Counting of one clip in blocks, which gives exactly the integers of counting it at once.

The levels of consecutive stretches are counted together, like a separate clip, and everything adds up directly
except the clip products (which depend on all frames of a clip), the clip's RMS and peak, and its digest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.channels import stacked
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.front_end import AsRecorded, FrontEnd
from spectronorm.front_end.waveform.waveform_level import ClipStatistics, WaveformChange
from spectronorm.profile.counting import clip_histograms, int128
from spectronorm.profile.counting.counter import LevelCounter, RunningDigest
from spectronorm.profile.counting.layout import PRODUCTS, Q_SHIFT, S_SHIFT
from spectronorm.profile.counting.measurement import DIGEST_BYTES, Measurement, RunningSum

FRAMES = 1 << 12
"""Number of frames that are counted together, equal to the number that the counting kernel rounds together, so that
the products agree.
"""
LEVEL_FRAMES = 1 << 10
"""Number of frames of a level that are computed at once: fewer take less memory."""

_SampleBlocks = Iterable[NDArray[np.float32]]


def streams(front_end: FrontEnd) -> bool:
    """True if a clip can be counted in blocks: no sliding or filtering level, and a compression frame by frame."""
    return front_end.level.is_change and front_end.compress.framewise


def needs_all_first(front_end: FrontEnd) -> bool:
    """True if the waveform level must know a whole clip first, so that its blocks are read twice."""
    return front_end.level.needs_statistics


def count_stream(front_end: FrontEnd, blocks: _SampleBlocks) -> Measurement:
    """Measure one clip whose samples come in blocks, equal at each iteration.

    The blocks are read once, or twice if the waveform level needs to know the whole clip first. The caller decides if
    the clip is flat (`as_flat`).

    Raises:
        AudioError: if the clip is too short, if its level leaves the grid, or if reading a block fails.
    """
    change = _changed_by(front_end, clip_changes(front_end, blocks))
    wave = _Wave()
    running, clip = RunningSum(), _ClipSums(front_end.n_bands)
    counted = _of_stretches(front_end)
    stretches = _stretches(front_end, (change(block) for block in wave.watched(blocks)), LEVEL_FRAMES)
    for level in _joined(map(counted.clip_level, stretches), FRAMES):
        counter = LevelCounter(counted)
        counter.add_level(level, np.zeros(1, np.float32), flat=False)
        part = counter.measurement()
        if part is not None:
            clip.add(part)
            running.add(part)
    if clip.frames == 0:
        raise _too_short(front_end, wave.samples)
    return replace(running.total(), products=clip.products(), **wave.figures())


class LevelBlocks:
    """The level of one clip in blocks `(band, frame)`, or `(channel, band, frame)`, of `LEVEL_FRAMES` frames each.

    Its samples come in blocks too, equal at each iteration, and are read again whenever the level is.
    """

    def __init__(self, front_end: FrontEnd, blocks: _SampleBlocks) -> None:
        self._front_end, self._blocks = front_end, blocks
        self._changes: list[WaveformChange] | None = None
        self.samples = 0
        """Number of samples of a channel; known after an iteration."""

    @property
    def changes(self) -> list[WaveformChange]:
        """The change that the waveform level makes to each channel."""
        if self._changes is None:
            self._changes = clip_changes(self._front_end, self._blocks)
        return self._changes

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        """Yield the level from its beginning.

        Raises:
            AudioError: if the clip is too short, or as the blocks themselves raise.
        """
        change = _changed_by(self._front_end, self.changes)
        counted, frames = _of_stretches(self._front_end), 0
        for stretch in _stretches(self._front_end, (change(block) for block in self._watched()), LEVEL_FRAMES):
            made = counted.clip_level(stretch)
            frames += made.shape[1]
            yield made.reshape(*self._front_end.level_shape, made.shape[1])
        if not frames:
            raise _too_short(self._front_end, self.samples)

    def _watched(self) -> Iterator[NDArray[np.float32]]:
        self.samples = 0
        for block in self._blocks:
            self.samples += block.shape[-1]
            yield block


def _too_short(front_end: FrontEnd, samples: int) -> AudioError:
    return AudioError(
        BadAudioReason.TOO_SHORT,
        f"it has {samples} samples at {front_end.sample_rate} Hz, but this front end needs {front_end.min_samples}",
    )


def clip_changes(front_end: FrontEnd, blocks: _SampleBlocks) -> list[WaveformChange]:
    """The change that the waveform level makes to each channel; the blocks are read only if it depends on them."""
    level = front_end.level
    if not level.needs_statistics:
        return [level.change(ClipStatistics(0.0, 0.0, 0.0, 0.0))] * (stacked(front_end.channels) or 1)
    return [level.change(statistics) for statistics in clip_statistics(blocks)]


def _changed_by(
    front_end: FrontEnd, changes: Sequence[WaveformChange]
) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    if stacked(front_end.channels) is None:
        return changes[0]
    return lambda block: np.stack([change(row) for change, row in zip(changes, block, strict=True)])


def _of_stretches(front_end: FrontEnd) -> FrontEnd:
    """The front end of stretches, which are changed and padded already."""
    return replace(front_end, level=AsRecorded(), stft=replace(front_end.stft, center=False, frame_count="fit"))


def as_flat(measured: Measurement) -> Measurement:
    """Return the measurement of a clip that is silent or constant."""
    return replace(
        measured,
        flat=1,
        flat_count=measured.count.copy(),
        flat_total=measured.total.copy(),
        flat_squares=measured.squares.copy(),
    )


def clip_statistics(blocks: _SampleBlocks) -> list[ClipStatistics]:
    """The statistics of each channel of a clip whose samples come in blocks."""
    channels: list[_RunningStatistics] = []
    for block in blocks:
        rows = np.atleast_2d(block)
        channels = channels or [_RunningStatistics() for _ in rows]
        for channel, row in zip(channels, rows, strict=True):
            channel.add(row)
    return [channel.result() for channel in channels or [_RunningStatistics()]]


class _RunningStatistics:
    """Mean, deviation, RMS and peak of one channel, as its samples come."""

    def __init__(self) -> None:
        self._count, self._mean, self._deviations, self._square, self._peak = 0, 0.0, 0.0, 0.0, 0.0

    def add(self, samples: NDArray[np.float32]) -> None:
        """More samples."""
        x = samples.astype(np.float64)
        # Chan, Golub and LeVeque 1983: block by block without loss of precision.
        step, total = float(x.mean()) - self._mean, self._count + len(x)
        self._deviations += float(((x - x.mean()) ** 2).sum()) + step**2 * self._count * len(x) / total
        self._mean += step * len(x) / total
        self._square += float((x**2).sum())
        self._peak = max(self._peak, float(np.abs(x).max()))
        self._count = total

    def result(self) -> ClipStatistics:
        """The statistics so far."""
        count = max(1, self._count)
        return ClipStatistics(
            self._mean, math.sqrt(self._deviations / count), math.sqrt(self._square / count), self._peak
        )


def _stretches(front_end: FrontEnd, blocks: Iterable[NDArray[np.float64]], step: int) -> Iterator[NDArray[np.float64]]:
    """Yield the padded waveform `(..., sample)` in overlapping pieces of `step` frames each, and then the rest."""
    stft = front_end.stft
    hop, size, padding, behind = stft.hop, stft.frame_samples, stft.padding, stft.padding_behind
    samples = (step - 1) * hop + size
    kept: NDArray[np.float64] | None = None
    total, frames, begun = 0, 0, padding == 0
    held = (
        max(padding, behind) + 1 + size + hop
    )  # the samples that padding the end may need, and frames that may not be counted
    for block in blocks:
        total += block.shape[-1]
        kept = block if kept is None else np.concatenate([kept, block], axis=-1)
        if not begun and total > padding:
            kept, begun = np.concatenate([_left(kept, stft.pad_mode, padding), kept], axis=-1), True
        while kept.shape[-1] >= samples + held:
            yield kept[..., :samples]
            kept = kept[..., step * hop :]
            frames += step
    rest = front_end.frames(total) - frames
    if rest <= 0 or kept is None:
        return
    kept = np.concatenate([kept, _right(kept, stft.pad_mode, behind)], axis=-1) if behind else kept
    missing = (rest - 1) * hop + size - kept.shape[-1]
    if missing > 0:  # frame_count="ceil"
        kept = np.concatenate([kept, np.zeros((*kept.shape[:-1], missing))], axis=-1)
    for start in range(0, rest, step):
        count = min(step, rest - start)
        yield kept[..., start * hop : (start + count - 1) * hop + size]


def _joined(levels: Iterable[NDArray[np.float64]], frames: int) -> Iterator[NDArray[np.float64]]:
    """Join levels `(band, frame)` of consecutive stretches to levels of `frames` frames, of which the last has fewer.

    A stretch has a divisor of `frames`, but for the last one.
    """
    room: NDArray[np.float64] | None = None
    filled = 0
    for level in levels:
        room = np.empty((level.shape[0], frames)) if room is None else room
        room[:, filled : filled + level.shape[1]] = level
        filled += level.shape[1]
        if filled == frames:
            yield room
            filled = 0
    if room is not None and filled:
        yield room[:, :filled]


def _left(wave: NDArray[np.float64], mode: str, padding: int) -> NDArray[np.float64]:
    if mode == "reflect":
        return wave[..., padding:0:-1]
    if mode == "symmetric":
        return wave[..., :padding][..., ::-1]
    return np.repeat(wave[..., :1] if mode == "edge" else np.zeros_like(wave[..., :1]), padding, axis=-1)


def _right(wave: NDArray[np.float64], mode: str, padding: int) -> NDArray[np.float64]:
    if mode == "reflect":
        return wave[..., -2 : -padding - 2 : -1]
    if mode == "symmetric":
        return wave[..., wave.shape[-1] - padding :][..., ::-1]
    return np.repeat(wave[..., -1:] if mode == "edge" else np.zeros_like(wave[..., -1:]), padding, axis=-1)


class _Wave:
    """Figures of the samples themselves."""

    def __init__(self) -> None:
        self.samples, self._values = 0, 0
        self._peak, self._square = 0.0, 0.0
        self._digest: RunningDigest | None = None

    def watched(self, blocks: _SampleBlocks) -> Iterator[NDArray[np.float32]]:
        """Yield the blocks unchanged, and update the figures."""
        for block in blocks:
            self.samples += block.shape[-1]
            self._values += block.size
            self._peak = max(self._peak, float(np.abs(block).max()))
            self._square += float((block.astype(np.float64) ** 2).sum())
            self._digest = self._digest or RunningDigest(block.shape[:-1])
            self._digest.add(block)
            yield block

    def figures(self) -> dict[str, Any]:
        """Return the fields of a measurement that depend only on the samples."""
        rms, peak = (np.zeros(clip_histograms.DBFS_CELLS, dtype=np.int64) for _ in range(2))
        length = np.zeros(clip_histograms.LENGTH_CELLS, dtype=np.int64)
        rms[clip_histograms.dbfs_cell(math.sqrt(self._square / self._values))] = 1
        peak[clip_histograms.dbfs_cell(self._peak)] = 1
        length[clip_histograms.length_cell(self.samples)] = 1
        digest = (self._digest or RunningDigest(())).result()
        digests = np.frombuffer(digest, dtype=np.uint8).reshape(1, DIGEST_BYTES)
        counts = {"clips": 1, "population": 1, "samples": self.samples}
        return {**counts, "rms": rms, "peak": peak, "length": length, "digests": digests}


class _ClipSums:
    """Sums S, Q, n and c of a clip in each band, added up over its stretches."""

    def __init__(self, bands: int) -> None:
        self.frames = 0
        self._s = np.zeros(bands, dtype=object)
        self._q = np.zeros(bands, dtype=object)
        self._c = np.zeros(bands, dtype=object)

    def add(self, part: Measurement) -> None:
        """Add one stretch."""
        self.frames += part.frames
        self._s += part.total.astype(object)
        self._q += (int128.to_integers(part.squares) + (1 << (Q_SHIFT - 1))) >> Q_SHIFT
        self._c += part.on_floor.astype(object)

    def products(self) -> NDArray[np.int64]:
        """Return the clip products of each band and the pooled ones."""
        s, q, c = (self._s + (1 << (S_SHIFT - 1))) >> S_SHIFT, self._q, self._c
        n = np.full(len(s), self.frames, dtype=object)
        s, q, n, c = (np.append(values, values.sum()) for values in (s, q, n, c))
        pairs = [s * s, s * q, q * q, s * n, q * n, n * n, s * c, q * c, n * c, c * c]
        found = np.stack(pairs, axis=1)
        if found.shape[1] != PRODUCTS:
            raise AssertionError("the clip products have changed, but not here")
        return int128.from_integers(found)
