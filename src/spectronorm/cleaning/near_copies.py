"""Near copies: clips with one sound at another volume, time, rate, or after a lossy encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from spectronorm.audio import ClipReference, Reader, Source
from spectronorm.cleaning.facts import SoundFacts
from spectronorm.cleaning.fingerprint import FRAME_SECONDS
from spectronorm.cleaning.oddity import FoundOddity, Oddity
from spectronorm.cleaning.same_sound import Likeness, likeness
from spectronorm.cleaning.word_index import SharedWords, shared_words
from spectronorm.engines import Engine
from spectronorm.passes.one_pass import OneClip, one_pass
from spectronorm.profile import BadFile
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

_LEAST_OVERLAP = 0.5
"""Share of the shorter clip that both must have."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class NearCopies:
    """Two clips that hold one sound: their names, and how alike they are.

    >>> from spectronorm.cleaning import Likeness
    >>> print(NearCopies("a.wav", "b.wav", Likeness(0.98, -6.0, 0.1, 4.0)).detail)
    correlation 0.980, -6.0 dB, 0.100 s later
    """

    first: str
    second: str
    likeness: Likeness

    @property
    def detail(self) -> str:
        """Description of the second clip beside the first one."""
        gain, lag = self.likeness.gain_db, self.likeness.lag
        told = [f"correlation {self.likeness.correlation:.3f}"]
        if abs(gain) >= 0.1:
            told.append(f"{gain:+.1f} dB")
        if abs(lag) >= 5e-4:
            told.append(f"{abs(lag):.3f} s {'later' if lag > 0 else 'earlier'}")
        return ", ".join(told)


@dataclass(frozen=True)
class _Compared(OneClip):
    found: NearCopies | None
    bad: tuple[BadFile, ...] = ()


@dataclass(frozen=True)
class CandidatePair:
    """Two clips to compare, with their lengths in seconds, of which the second may have a sound `lag` s later."""

    first: ClipReference
    second: ClipReference
    seconds: tuple[float, float]
    lag: float


@dataclass(frozen=True)
class _Task:
    """Compares the waveforms of two clips; picklable."""

    reader: Reader
    correlation: float

    def __call__(self, pair: CandidatePair) -> _Compared:
        found = likeness(self.reader, (pair.first, pair.seconds[0]), (pair.second, pair.seconds[1]), pair.lag)
        if found is None or found.correlation < self.correlation or found.seconds < _LEAST_OVERLAP * min(pair.seconds):
            return _Compared(None)
        return _Compared(NearCopies(pair.first.name, pair.second.name, found))


def find_near_copies(
    source: Source, facts: Mapping[str, SoundFacts], correlation: float, engine: Engine | None = None
) -> list[NearCopies]:
    """Find the pairs of clips that hold one sound, by their fingerprints, and then by their waveforms.

    Exact copies stand for one clip; sections of one recording are not compared, since windows may overlap.

    Args:
        source: The clips.
        facts: Facts of clips with fingerprints, by name.
        correlation: Least correlation of the waveforms.
        engine: Engine that runs the comparisons.
    """
    clips = {clip.name: clip for clip in reversed(source.clips)}
    distinct: dict[bytes, str] = {}
    for name, one in facts.items():
        if not one.flat and one.fingerprint is not None:
            distinct.setdefault(one.digest, name)
    names = list(distinct.values())
    shared = shared_words([fingerprint for name in names if (fingerprint := facts[name].fingerprint) is not None])
    pairs = [
        pair
        for pair in candidate_pairs(shared, [clips[name] for name in names], [facts[name].seconds for name in names])
        if pair.first.span is None or pair.second.span is None or pair.first.recording != pair.second.recording
    ]
    return compare_pairs(source, pairs, correlation, engine)


def candidate_pairs(
    shared: Iterable[SharedWords], clips: Sequence[ClipReference], seconds: Sequence[float]
) -> Iterator[CandidatePair]:
    """Yield the clips of recordings that share words, with the lag that the words tell."""
    for one in shared:
        lengths = seconds[one.first], seconds[one.second]
        yield CandidatePair(clips[one.first], clips[one.second], lengths, one.offset * FRAME_SECONDS)


def compare_pairs(
    source: Source, pairs: Sequence[CandidatePair], correlation: float, engine: Engine | None
) -> list[NearCopies]:
    """Compare the waveforms of pairs, and return those that hold one sound, in a stable order."""
    if not pairs:
        return []
    with one_pass(source, _Task(source.reader, correlation), pairs, max_bad=None, engine=engine) as results:
        found = [one.found for one in results if one.found is not None]
    return sorted(found, key=lambda one: (one.first, one.second))


def oddities_of_near_copies(pairs: Sequence[NearCopies]) -> Iterator[FoundOddity]:
    """Yield every clip with the sound of an earlier one (by name) that stays itself, and the one it is most like."""
    earlier: dict[str, list[NearCopies]] = {}
    for pair in pairs:
        ordered = pair if pair.first < pair.second else _turned(pair)
        earlier.setdefault(ordered.second, []).append(ordered)
    copies: set[str] = set()
    for name, several in sorted(earlier.items()):
        originals = [pair for pair in several if pair.first not in copies]
        if originals:
            copies.add(name)
            best = max(originals, key=lambda pair: pair.likeness.correlation)
            detail = f"holds the sound of {best.first}: {best.detail}"
            yield FoundOddity(name, Oddity.NEAR_COPY, detail, best.likeness.correlation, like=best.first)


def _turned(pair: NearCopies) -> NearCopies:
    turned = replace(pair.likeness, gain_db=-pair.likeness.gain_db, lag=-pair.likeness.lag)
    return NearCopies(pair.second, pair.first, turned)
