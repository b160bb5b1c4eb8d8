"""Measurement of one unit of work: a few clips of one group are read and counted; the result can go into a journal."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import Clip, ClipReference, Reader, Stamped, Streamed, stamp, stream
from spectronorm.errors import AudioError, BadAudioReason, FileFormatError
from spectronorm.front_end import FrontEnd
from spectronorm.kernels.buffers import workspace_of_thread
from spectronorm.passes.units import Unit
from spectronorm.profile import (
    BadFile,
    GroupKey,
    LevelCounter,
    Measurement,
    as_flat,
    count_stream,
    needs_all_first,
    storage,
    streams,
)
from spectronorm.runs.journal import key_of
from spectronorm.storage import canonical_json, container
from spectronorm.version import __version__

_SAMPLES_AHEAD = 1 << 19

_SAMPLES_AT_ONCE = 1 << 22

"""Longer clips are held in memory but counted in pieces: their levels would take ten times their own memory."""

_LENGTH = struct.Struct("<Q")

_FLAT_DETAIL = {
    BadAudioReason.SILENT: "all its samples are zero; it was counted, at the floor",
    BadAudioReason.CONSTANT: "all its samples are equal; it was counted",
}


@dataclass(frozen=True)
class Measured:
    """Result of a unit; `stamps` identify the contents of its clips, in order."""

    key: GroupKey
    clips: int
    measurement: Measurement | None
    bad: tuple[BadFile, ...]
    flagged: tuple[BadFile, ...]
    stamps: tuple[bytes, ...]


@dataclass(frozen=True)
class MeasureTask:
    """Measures a unit; picklable, so that any engine can run it.

    Stamps cost one more read, so only a pass with a journal has them.
    """

    front_end: FrontEnd
    duration: float | None
    reader: Reader
    with_stamps: bool

    def __call__(self, unit: Unit) -> Measured:
        """Read and count every clip of the unit; clips that are too long to be held are counted in blocks."""
        if not streams(self.front_end):
            return self._held(unit)
        streamed = [self._streamed(clip) for clip in unit.clips]
        held = tuple(clip for clip, found in zip(unit.clips, streamed, strict=True) if found is None)
        measured = self._held(Unit(unit.key, held))
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

    def _held(self, unit: Unit) -> Measured:
        counter = LevelCounter(self.front_end, workspace_of_thread())
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
                for clip, sound in clips:
                    try:
                        if len(sound.valid) > _SAMPLES_AT_ONCE and streams(self.front_end):
                            part = count_stream(self.front_end, _pieces(sound.valid))
                            parts.append(part if sound.flat is None else as_flat(part))
                        else:
                            counter.add(sound.valid, flat=sound.flat is not None)
                    except AudioError as error:
                        bad.append(BadFile.of(clip.name, error, unit.key))
                        continue
                    if sound.flat is not None:
                        flagged.append(BadFile(clip.name, sound.flat, _FLAT_DETAIL[sound.flat], unit.key))
        found = counter.measurement()
        if parts:
            found = Measurement.sum(parts if found is None else [found, *parts])
        return Measured(unit.key, len(unit.clips), found, tuple(bad), tuple(flagged), tuple(stamps))

    def _read_ahead(
        self, unit: Unit, each: Iterator[Stamped], bad: list[BadFile], stamps: list[bytes]
    ) -> Iterator[list[tuple[ClipReference, Clip]]]:
        """Yield the unit's clips, a few seconds of audio at a time; clips that cannot be read are added to `bad`.

        Decoding and measuring evict each other's code and data from the cache: alternating after every clip costs 8 %
        more than alternating after every few clips. The clips wait in one buffer, because arrays that outlive the next
        decoding would fragment the heap.
        """
        clips: list[tuple[ClipReference, Clip]] = []
        waiting = workspace_of_thread().array("samples", (_SAMPLES_AHEAD,), np.float32)
        used = 0
        for clip, read in zip(unit.clips, each, strict=True):
            stamps.append(read.stamp)
            if isinstance(read.result, AudioError):
                bad.append(BadFile.of(clip.name, read.result, unit.key))
                continue
            length = read.result.length
            if used + length > len(waiting):
                yield clips
                clips, used = [], 0
            if length > len(waiting):
                yield [(clip, read.result)]
                continue
            place = waiting[used : used + length]
            place[:] = read.result.valid
            clips.append((clip, Clip(place, read.result.sample_rate, length, read.result.flat)))
            used += length
        yield clips

    def merge(self, results: Sequence[Measured]) -> list[Measured]:
        """Merge the results of each group: less data is sent, with equal totals."""
        groups: dict[GroupKey, list[Measured]] = {}
        for result in results:
            groups.setdefault(result.key, []).append(result)
        return [_merged(key, some) for key, some in groups.items()]

    def key(self, unit: Unit) -> bytes:
        """Return a key made from the group and names; the stamps show if the contents are unchanged."""
        return key_of([unit.key, [clip.name for clip in unit.clips]])

    def pack(self, result: Measured) -> bytes:
        """Serialize stamps and lists as JSON, followed by the integers as a profile's container."""
        notes = storage.Notes(result.bad, result.flagged, self.duration, __version__, exclude_floor=False, left_out=())
        lists = {
            "stamps": [one.hex() for one in result.stamps],
            "bad": storage.plain_files(result.bad),
            "flagged": storage.plain_files(result.flagged),
        }
        text = canonical_json(lists).encode()
        found = b""
        if result.measurement is not None:
            found = container.pack(*storage.contents(self.front_end, {result.key: result.measurement}, notes))
        return _LENGTH.pack(len(text)) + text + found

    def unpack(self, unit: Unit, payload: bytes) -> Measured | None:
        """Restore a result, or None if a clip's content has changed."""
        stop = _LENGTH.size + _LENGTH.unpack_from(payload)[0]
        lists = json.loads(payload[_LENGTH.size : stop])
        stamps = tuple(bytes.fromhex(text) for text in lists["stamps"])
        if stamps != tuple(stamp(clip) for clip in unit.clips):
            return None
        measurement = None
        if len(payload) > stop:
            try:
                _, groups, _ = storage.parse(*container.unpack(payload[stop:], "the journal"), "the journal")
            except FileFormatError:
                return None
            measurement = groups[unit.key]
        bad, flagged = storage.parse_files(lists["bad"]), storage.parse_files(lists["flagged"])
        return Measured(unit.key, len(unit.clips), measurement, bad, flagged, stamps)


def _merged(key: GroupKey, some: Sequence[Measured]) -> Measured:
    parts = [one.measurement for one in some if one.measurement is not None]
    return Measured(
        key,
        sum(one.clips for one in some),
        Measurement.sum(parts) if parts else None,
        tuple(bad for one in some for bad in one.bad),
        tuple(flagged for one in some for flagged in one.flagged),
        tuple(stamp for one in some for stamp in one.stamps),
    )


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
        elif found.flat is not None:
            flagged.append(BadFile(clip.name, found.flat, _FLAT_DETAIL[found.flat], unit.key))
            parts.append(as_flat(found.result))
        else:
            parts.append(found.result)
    whole = Measurement.sum(parts) if parts else None
    in_order = tuple(next(stamps) if found is None else found.stamp for found in streamed)
    return Measured(unit.key, len(unit.clips), whole, tuple(bad), tuple(flagged), in_order)
