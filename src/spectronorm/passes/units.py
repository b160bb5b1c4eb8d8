"""Units of work: a few clips of one group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from spectronorm.audio import ClipReference, Source, decoded_in_order, reading_place
from spectronorm.profile import (
    GroupKey,
)

CLIPS_IN_UNIT = 48

_LAST_UNITS, _PARTS_OF_LAST = 3, 8

"""The last units are cut into parts, so that all workers finish together."""

MAX_UNITS = 4096
"""Larger sources get larger units, which bounds the journal to a few gigabytes."""


@dataclass(frozen=True)
class Unit:
    """Clips of one group that are measured together."""

    key: GroupKey
    clips: tuple[ClipReference, ...]


def units(groups: dict[GroupKey, list[ClipReference]]) -> list[Unit]:
    """Cut each group's clips into units, a few clips at a time; equal sources give equal units."""
    size = max(CLIPS_IN_UNIT, -(-sum(len(clips) for clips in groups.values()) // MAX_UNITS))
    found = []
    for key, clips in groups.items():
        found += _cut(Unit(key, tuple(sorted(clips, key=reading_place))), -(-len(clips) // size))
    found.sort(key=lambda unit: reading_place(unit.clips[0]))
    if len(found) < 2 * _LAST_UNITS:
        return found
    small = (part for unit in found[-_LAST_UNITS:] for part in _cut(unit, _PARTS_OF_LAST))
    return [*found[:-_LAST_UNITS], *small]


def _cut(unit: Unit, parts: int) -> list[Unit]:
    """Cut the unit into `parts` parts, or fewer if it has fewer clips, or pieces that share a decoding."""
    parts = min(parts, len(unit.clips))
    bounds = [_behind_pieces(unit.clips, len(unit.clips) * part // parts) for part in range(parts + 1)]
    bounds = list(dict.fromkeys(bounds))
    return [Unit(unit.key, unit.clips[a:b]) for a, b in pairwise(bounds)]


def _behind_pieces(clips: Sequence[ClipReference], bound: int) -> int:
    """Move a bound behind all pieces of a recording that would have to be decoded twice."""
    while 0 < bound < len(clips):
        recording = decoded_in_order(clips[bound - 1])
        if recording is None or recording != decoded_in_order(clips[bound]):
            break
        bound += 1
    return bound


def by_group(source: Source, columns: Sequence[str]) -> dict[GroupKey, list[ClipReference]]:
    """Group the source's clips by the values of these columns."""
    groups: dict[GroupKey, list[ClipReference]] = {}
    for clip in source:
        key = tuple((column, clip.columns.get(column, "")) for column in columns)
        groups.setdefault(key, []).append(clip)
    return groups
