"""Counting of one clip in blocks, which gives exactly the integers of counting it at once.

The waveform is cut into stretches of frames; each is counted like a separate clip, and everything adds up directly
except the clip products (which depend on all frames of a clip), the clip's RMS and peak, and its digest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.front_end import AsRecorded, FrontEnd
from spectronorm.front_end.waveform.waveform_level import ClipStatistics
from spectronorm.profile.counting import clip_histograms, int128
from spectronorm.profile.counting.counter import LevelCounter
from spectronorm.profile.counting.layout import PRODUCTS, Q_SHIFT, S_SHIFT
from spectronorm.profile.counting.measurement import DIGEST_BYTES, Measurement, RunningSum

FRAMES = 1 << 12
"""Number of frames in a stretch, equal to the number that the counting kernel rounds together, so that the products
agree.
"""

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
    level = front_end.level
    change = level.change(_statistics(blocks if level.needs_statistics else ()))
    wave = _Wave()
    running, clip = RunningSum(), _ClipSums(front_end.n_bands)
    counted = _of_stretches(front_end)
    for stretch in _stretches(front_end, (change(block) for block in wave.watched(blocks))):
        counter = LevelCounter(counted)
        counter.add_level(counted.clip_level(stretch), stretch[:1].astype(np.float32), flat=False)
        part = counter.measurement()
        if part is not None:
            clip.add(part)
            running.add(part)
    if clip.frames == 0:
        raise AudioError(
            BadAudioReason.TOO_SHORT,
            f"it has {wave.samples} samples at {front_end.sample_rate} Hz, but this front end needs "
            f"{front_end.min_samples}",
        )
    return replace(running.total(), products=clip.products(), **wave.figures())


def level_stretches(front_end: FrontEnd, blocks: _SampleBlocks) -> Iterator[NDArray[np.float64]]:
    """The level of one clip `(band, frame)`, `FRAMES` frames at a time; its samples come in blocks, as often as asked.

    Raises:
        AudioError: if the clip is too short, or as the blocks themselves raise.
    """
    level = front_end.level
    change = level.change(_statistics(blocks if level.needs_statistics else ()))
    counted, frames = _of_stretches(front_end), 0
    for stretch in _stretches(front_end, (change(block) for block in blocks)):
        made = counted.clip_level(stretch)
        frames += made.shape[1]
        yield made
    if not frames:
        raise AudioError(BadAudioReason.TOO_SHORT, f"this front end needs {front_end.min_samples} samples")


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


def _statistics(blocks: _SampleBlocks) -> ClipStatistics:
    count, mean, deviations, square, peak = 0, 0.0, 0.0, 0.0, 0.0
    for block in blocks:
        x = block.astype(np.float64)
        # Chan, Golub and LeVeque 1983: block by block without loss of precision.
        step, total = float(x.mean()) - mean, count + len(x)
        deviations += float(((x - x.mean()) ** 2).sum()) + step**2 * count * len(x) / total
        mean += step * len(x) / total
        square += float((x**2).sum())
        peak = max(peak, float(np.abs(x).max()))
        count = total
    return ClipStatistics(mean, math.sqrt(deviations / max(1, count)), math.sqrt(square / max(1, count)), peak)


def _stretches(front_end: FrontEnd, blocks: Iterable[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
    """Yield the padded waveform in overlapping pieces of `FRAMES` frames each, followed by the rest."""
    stft = front_end.stft
    hop, size, padding = stft.hop, stft.frame_samples, stft.padding
    samples = (FRAMES - 1) * hop + size
    kept = np.empty(0)
    total, frames, begun = 0, 0, padding == 0
    held = padding + 1 + size + hop  # the samples that padding the end may need, and frames that may not be counted
    for block in blocks:
        total += len(block)
        kept = np.concatenate([kept, block])
        if not begun and total > padding:
            kept, begun = np.concatenate([_left(kept, stft.pad_mode, padding), kept]), True
        while len(kept) >= samples + held:
            yield kept[:samples]
            kept = kept[FRAMES * hop :]
            frames += FRAMES
    rest = front_end.frames(total) - frames
    if rest <= 0:
        return
    kept = np.concatenate([kept, _right(kept, stft.pad_mode, padding)]) if padding else kept
    missing = (rest - 1) * hop + size - len(kept)
    if missing > 0:  # frame_count="ceil"
        kept = np.concatenate([kept, np.zeros(missing)])
    for start in range(0, rest, FRAMES):
        count = min(FRAMES, rest - start)
        yield kept[start * hop : (start + count - 1) * hop + size]


def _left(wave: NDArray[np.float64], mode: str, padding: int) -> NDArray[np.float64]:
    if mode == "reflect":
        return wave[padding:0:-1]
    return np.full(padding, wave[0] if mode == "edge" else 0.0)


def _right(wave: NDArray[np.float64], mode: str, padding: int) -> NDArray[np.float64]:
    if mode == "reflect":
        return wave[-2 : -padding - 2 : -1]
    return np.full(padding, wave[-1] if mode == "edge" else 0.0)


class _Wave:
    """Figures of the samples themselves."""

    def __init__(self) -> None:
        self.samples = 0
        self._peak, self._square = 0.0, 0.0
        self._digest = xxhash.xxh3_128()

    def watched(self, blocks: _SampleBlocks) -> Iterator[NDArray[np.float32]]:
        """Yield the blocks unchanged, and update the figures."""
        for block in blocks:
            self.samples += len(block)
            self._peak = max(self._peak, float(np.abs(block).max()))
            self._square += float((block.astype(np.float64) ** 2).sum())
            self._digest.update(np.ascontiguousarray(block, dtype="<f4").data)
            yield block

    def figures(self) -> dict[str, Any]:
        """Return the fields of a measurement that depend only on the samples."""
        rms, peak = (np.zeros(clip_histograms.DBFS_CELLS, dtype=np.int64) for _ in range(2))
        length = np.zeros(clip_histograms.LENGTH_CELLS, dtype=np.int64)
        rms[clip_histograms.dbfs_cell(math.sqrt(self._square / self.samples))] = 1
        peak[clip_histograms.dbfs_cell(self._peak)] = 1
        length[clip_histograms.length_cell(self.samples)] = 1
        digests = np.frombuffer(self._digest.digest(), dtype=np.uint8).reshape(1, DIGEST_BYTES)
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
