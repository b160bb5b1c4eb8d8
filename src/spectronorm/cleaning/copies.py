"""Exact copies: clips with equal samples, under any name and in any lossless format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spectronorm.audio import ClipReference
from spectronorm.cleaning.facts import SoundFacts
from spectronorm.cleaning.oddity import FoundOddity, Oddity


def exact_copies(facts: Mapping[str, SoundFacts]) -> Iterator[FoundOddity]:
    """Yield every clip whose samples, rate and number of channels an earlier clip has; flat clips do not count."""
    first: dict[bytes, str] = {}
    for name, one in facts.items():
        if one.flat:
            continue
        if one.digest in first:
            detail = f"its samples are those of {first[one.digest]}"
            yield FoundOddity(name, Oddity.COPY, detail, like=first[one.digest])
        else:
            first[one.digest] = name


def listed_again(clips: Sequence[ClipReference]) -> Iterator[FoundOddity]:
    """Yield the clips whose names a source lists more than once, each name once; `like` is the name itself."""
    seen: set[str] = set()
    told: set[str] = set()
    for clip in clips:
        if clip.name in seen and clip.name not in told:
            told.add(clip.name)
            yield FoundOddity(clip.name, Oddity.COPY, "the source lists it more than once", like=clip.name)
        seen.add(clip.name)
