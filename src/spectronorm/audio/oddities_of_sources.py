"""Oddities of a source as a whole, told before it is measured: clips that are listed twice."""

from __future__ import annotations

from collections.abc import Sequence

from spectronorm.audio.places.reference import ClipReference


def listed_twice(clips: Sequence[ClipReference]) -> list[ClipReference]:
    """The clips whose sound (file, section and channel) an earlier clip has already, in their order.

    They are counted like all others: whether a list means to repeat them, it alone knows.
    """
    seen: set[int] = set()  # hashes, which take a fifth of the memory
    found = []
    for clip in clips:
        part = None if clip.part is None else (clip.part.place, clip.part.start, clip.part.array)
        key = hash((clip.location, part, clip.span, clip.channel))
        if key in seen and (clip.part is None or clip.part.held is None):
            found.append(clip)
        seen.add(key)
    return found
