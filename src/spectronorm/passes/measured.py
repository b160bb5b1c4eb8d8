"""The result of measuring a unit of clips, how such results add up, and how a journal holds them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spectronorm.audio import ClipReference, Reader
from spectronorm.errors import FileFormatError
from spectronorm.front_end import AnyFrontEnd
from spectronorm.passes.units import Unit
from spectronorm.profile import BadFile, GroupKey, ListedFile, Measurement, storage
from spectronorm.runs.journal import key_of
from spectronorm.storage import canonical_json, container
from spectronorm.storage.field_values import text
from spectronorm.version import __version__

_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Measured:
    """Result of a unit; `stamps` identify the contents of its clips, in order."""

    key: GroupKey
    clips: int
    measurement: Measurement | None
    bad: tuple[BadFile, ...]
    flagged: tuple[BadFile, ...]
    stamps: tuple[bytes, ...]
    unconfirmed: str | None = None
    """Reason why the shape of no level confirms the declared layout; None if one does, or none was declared."""
    files: tuple[ListedFile, ...] = ()


@dataclass(frozen=True)
class UnitTask:
    """Measures a unit of clips. Stamps cost one more read: only a journal has them."""

    front_end: AnyFrontEnd
    duration: float | None
    reader: Reader
    with_stamps: bool

    def __call__(self, unit: Unit) -> Measured:
        """Read and count every clip of the unit."""
        raise NotImplementedError

    def stamp(self, clip: ClipReference) -> bytes:
        """Return the identity of the clip's current content."""
        return self.reader.stamp(clip)

    def merge(self, results: Sequence[Measured]) -> list[Measured]:
        """One result a group: what travels is smaller, and adds up to the same."""
        groups: dict[GroupKey, list[Measured]] = {}
        for result in results:
            groups.setdefault(result.key, []).append(result)
        return [_merged(key, some) for key, some in groups.items()]

    def key(self, unit: Unit) -> bytes:
        """By group and names; whether the contents are still the same, the stamps say."""
        return key_of([unit.key, [clip.name for clip in unit.clips]])

    def pack(self, result: Measured) -> bytes:
        """Stamps and lists as JSON, then the integers as a profile's container."""
        notes = storage.Notes(result.bad, result.flagged, self.duration, __version__, exclude_floor=False, left_out=())
        lists = {
            "stamps": [one.hex() for one in result.stamps],
            "bad": storage.plain_files(result.bad),
            "flagged": storage.plain_files(result.flagged),
            "unconfirmed": result.unconfirmed,
        }
        text = canonical_json(lists).encode()
        found = b""
        if result.measurement is not None:
            found = container.pack(*storage.contents(self.front_end, {result.key: result.measurement}, notes))
        return _LENGTH.pack(len(text)) + text + found

    def unpack(self, unit: Unit, payload: bytes) -> Measured | None:
        """The result again, when every clip's content is what it was."""
        stop = _LENGTH.size + _LENGTH.unpack_from(payload)[0]
        lists = json.loads(payload[_LENGTH.size : stop])
        stamps = tuple(bytes.fromhex(text) for text in lists["stamps"])
        if stamps != tuple(self.stamp(clip) for clip in unit.clips):
            return None
        measurement = None
        if len(payload) > stop:
            try:
                _, groups, _ = storage.parse(*container.unpack(payload[stop:], "the journal"), "the journal")
            except FileFormatError:
                return None
            measurement = groups[unit.key]
        unconfirmed = None if lists["unconfirmed"] is None else text(lists["unconfirmed"])
        bad, flagged = storage.parse_files(lists["bad"]), storage.parse_files(lists["flagged"])
        return Measured(unit.key, len(unit.clips), measurement, bad, flagged, stamps, unconfirmed)


def _merged(key: GroupKey, some: Sequence[Measured]) -> Measured:
    parts = [one.measurement for one in some if one.measurement is not None]
    return Measured(
        key,
        sum(one.clips for one in some),
        Measurement.sum(parts) if parts else None,
        tuple(bad for one in some for bad in one.bad),
        tuple(flagged for one in some for flagged in one.flagged),
        tuple(stamp for one in some for stamp in one.stamps),
        unconfirmed_by_all(some),
        tuple(file for one in some for file in one.files),
    )


def unconfirmed_by_all(some: Iterable[Measured]) -> str | None:
    """Reason why no level of these results confirms the layout; None if one does, or if there is no level."""
    reasons = [one.unconfirmed for one in some if one.measurement is not None]
    return None if None in reasons else next(iter(reasons), None)
