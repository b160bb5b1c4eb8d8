"""Measurement of one unit of work: a few clips of one group are read and counted; the result can go into a journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Stamped, Streamed, stream
from spectronorm.audio.clip import Remark
from spectronorm.audio.long_clip import is_large
from spectronorm.audio.native_format import NativeFormat
from spectronorm.errors import AudioError
from spectronorm.front_end import FrontEnd
from spectronorm.kernels.buffers import workspace_of_thread
from spectronorm.passes.measured import Measured, UnitTask
from spectronorm.passes.units import Unit
from spectronorm.profile import (
    BadFile,
    FormatCounts,
    GroupKey,
    LevelCounter,
    Measurement,
    as_flat,
    count_stream,
    needs_all_first,
    streams,
)

_SAMPLES_AHEAD = 1 << 19

_SAMPLES_AT_ONCE = 1 << 22
"""Longer clips are held in memory but counted in pieces: their levels would take ten times their own memory."""


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A clip, its samples that are counted, and what was found when it was read."""

    clip: ClipReference
    samples: NDArray[np.float32]
    flat: bool
    flags: tuple[Remark, ...]
    native: NativeFormat | None


@dataclass(frozen=True)
class MeasureTask(UnitTask):
    """Measures a unit of audio; picklable, so that any engine can run it."""

    front_end: FrontEnd

    def __call__(self, unit: Unit) -> Measured:
        """Read and count every clip of the unit; clips that are too long to be held are counted in blocks."""
        measure = self._stacked if len(self.front_end.level_shape) > 1 else self._held
        if not any(map(is_large, unit.clips)) or not streams(self.front_end):
            return measure(unit)
        streamed = [self._streamed(clip) for clip in unit.clips]
        held = tuple(clip for clip, found in zip(unit.clips, streamed, strict=True) if found is None)
        measured = measure(Unit(unit.key, held))
        return measured if len(held) == len(unit.clips) else _joined(unit, measured, streamed)

    def _streamed(self, clip: ClipReference) -> Streamed[Measurement] | None:
        """Return the measurement of a clip that is too long to be held; None for any other clip."""
        return stream(
            self.reader,
            clip,
            self.front_end.sample_rate,
            lambda blocks: count_stream(self.front_end, blocks),
            duration=self.duration,
            resampler=self.front_end.resampler,
            with_stamp=self.with_stamps,
            twice=needs_all_first(self.front_end),
        )

    def _stacked(self, unit: Unit) -> Measured:
        """Measure clips of several channels, one channel below the other."""
        counter, formats = LevelCounter(self.front_end), list[NativeFormat | None]()
        bad: list[BadFile] = []
        flagged: list[BadFile] = []
        stamps: list[bytes] = []
        for clip in unit.clips:
            read = self.reader.read_stamped(
                clip,
                self.front_end.sample_rate,
                duration=self.duration,
                resampler=self.front_end.resampler,
                with_stamp=self.with_stamps,
            )
            stamps.append(read.stamp)
            try:
                sound = read.clip_or_raise()
                samples = sound.at_least(self.front_end.min_samples)
                counter.add_level(self.front_end.clip_level(samples), samples, flat=sound.flat is not None)
                formats.append(sound.native)
            except AudioError as error:
                bad.append(BadFile.of(clip.name, error, unit.key))
                continue
            flagged += _flagged(clip, sound.flags, unit.key)
        found = _with_formats(counter.measurement(), formats)
        return Measured(unit.key, len(unit.clips), found, tuple(bad), tuple(flagged), tuple(stamps))

    def _held(self, unit: Unit) -> Measured:
        counter, formats = LevelCounter(self.front_end, workspace_of_thread()), list[NativeFormat | None]()
        bad: list[BadFile] = []
        flagged: list[BadFile] = []
        stamps: list[bytes] = []
        parts: list[Measurement] = []
        reading_each = self.reader.read_each(
            unit.clips,
            self.front_end.sample_rate,
            duration=self.duration,
            resampler=self.front_end.resampler,
            with_stamp=self.with_stamps,
        )
        with closing(reading_each) as each:
            for clips in self._read_ahead(unit, each, bad, stamps):
                for one in clips:
                    try:
                        if len(one.samples) > _SAMPLES_AT_ONCE and streams(self.front_end):
                            part = count_stream(self.front_end, _pieces(one.samples))
                            parts.append(as_flat(part) if one.flat else part)
                        else:
                            counter.add(one.samples, flat=one.flat)
                        formats.append(one.native)
                    except AudioError as error:
                        bad.append(BadFile.of(one.clip.name, error, unit.key))
                        continue
                    if one.flags:
                        flagged += _flagged(one.clip, one.flags, unit.key)
        found = counter.measurement()
        if parts:
            found = Measurement.sum(parts if found is None else [found, *parts])
        found = _with_formats(found, formats)
        return Measured(unit.key, len(unit.clips), found, tuple(bad), tuple(flagged), tuple(stamps))

    def _read_ahead(
        self, unit: Unit, each: Iterator[Stamped], bad: list[BadFile], stamps: list[bytes]
    ) -> Iterator[list[_Waiting]]:
        """Yield the unit's clips, a few seconds of audio at a time; clips that cannot be read are added to `bad`.

        Decoding and measuring evict each other's code and data from the cache: alternating after every clip costs 8 %
        more than alternating after every few clips. The clips wait in one buffer, because arrays that outlive the next
        decoding would fragment the heap.
        """
        clips: list[_Waiting] = []
        waiting = workspace_of_thread().array("samples", (_SAMPLES_AHEAD,), np.float32)
        used = 0
        for clip, read in zip(unit.clips, each, strict=True):
            stamps.append(read.stamp)
            if isinstance(read.result, AudioError):
                bad.append(BadFile.of(clip.name, read.result, unit.key))
                continue
            sound = read.result
            samples = sound.at_least(self.front_end.min_samples)
            length, flat, flags = len(samples), sound.flat is not None, sound.flags
            if used + length > len(waiting):
                yield clips
                clips, used = [], 0
            if length > len(waiting):
                yield [_Waiting(clip, samples, flat, flags, sound.native)]
                continue
            place = waiting[used : used + length]
            place[:] = samples
            clips.append(_Waiting(clip, place, flat, flags, sound.native))
            used += length
        yield clips


def _pieces(samples: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
    """Cut a clip's samples into pieces of a few megabytes."""
    return [samples[start : start + _SAMPLES_AHEAD] for start in range(0, len(samples), _SAMPLES_AHEAD)]


def _joined(unit: Unit, held: Measured, streamed: Sequence[Streamed[Measurement] | None]) -> Measured:
    """Combine the held and the streamed clips of a unit, with the stamps in the order of its clips."""
    parts = [] if held.measurement is None else [held.measurement]
    bad, flagged = list(held.bad), list(held.flagged)
    stamps = iter(held.stamps)
    for clip, found in zip(unit.clips, streamed, strict=True):
        if found is None:
            continue
        if isinstance(found.result, AudioError):
            bad.append(BadFile.of(clip.name, found.result, unit.key))
            continue
        flagged += _flagged(clip, found.flags, unit.key)
        counted = found.result if found.flat is None else as_flat(found.result)
        parts.append(replace(counted, formats=FormatCounts.of([found.native])))
    whole = Measurement.sum(parts) if parts else None
    in_order = tuple(next(stamps) if found is None else found.stamp for found in streamed)
    return Measured(unit.key, len(unit.clips), whole, tuple(bad), tuple(flagged), in_order)


def _with_formats(found: Measurement | None, formats: Sequence[NativeFormat | None]) -> Measurement | None:
    return None if found is None else replace(found, formats=FormatCounts.of(formats))


def _flagged(clip: ClipReference, flags: Sequence[Remark], key: GroupKey) -> list[BadFile]:
    return [BadFile(clip.name, flag.reason, flag.detail, key) for flag in flags]
