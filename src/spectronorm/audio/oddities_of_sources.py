"""Oddities of a source as a whole, told before it is measured: clips that are listed twice, and mixed sample rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from spectronorm.audio.decoding.content import open_content
from spectronorm.audio.decoding.decode import header_of
from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import AudioError

MOST_HEADERS = 2000
"""Largest number of files whose headers are read: a header takes a tenth of a millisecond."""


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


def native_rates(clips: Sequence[ClipReference], most: int = MOST_HEADERS) -> Mapping[int, int]:
    """The number of clips by the sample rate of their files (Hz), of at most `most` clips, spread evenly.

    Only local files are looked at, and clips whose headers cannot be read are left out: reading them says why.
    """
    files = [clip for clip in clips if clip.part is None]
    count = min(most, len(files))
    rates: Counter[int] = Counter()
    known: dict[str, int] = {}
    for number in range(count):
        clip = files[number * len(files) // count]
        place = str(clip.location)
        if place not in known:
            known[place] = _rate_of(clip)
        rates[known[place]] += 1
    del rates[0]
    return dict(sorted(rates.items()))


def _rate_of(clip: ClipReference) -> int:
    try:
        with open_content(clip) as descriptor:
            return header_of(descriptor)[0]
    except AudioError:
        return 0
