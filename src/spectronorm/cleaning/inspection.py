"""Inspection of a source: one pass over its clips, and all that is odd about them, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from spectronorm.audio import ClipReference, Openable, Reader, Source, open_source
from spectronorm.audio.native import with_native_blocks
from spectronorm.cleaning.copies import exact_copies, listed_again
from spectronorm.cleaning.facts import SoundFacts, facts_of
from spectronorm.cleaning.limits import InspectionLimits, chosen_kinds
from spectronorm.cleaning.near_copies import NearCopies, find_near_copies, oddities_of_near_copies
from spectronorm.cleaning.oddity import ORDER, FoundOddity, Oddity
from spectronorm.cleaning.one_clip import oddities_of_clip
from spectronorm.cleaning.usual import oddities_beside_others
from spectronorm.counted import counted
from spectronorm.engines import Engine
from spectronorm.errors import AudioError
from spectronorm.passes.one_pass import OneClip, one_pass
from spectronorm.profile import BadFile
from spectronorm.runs.progress import Progress
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@dataclass(frozen=True, repr=False)
class Inspected:
    """Result of `inspect`.

    Attributes:
        source: The source that was inspected.
        found: All oddities, the clips with the worst first, each clip's worst first.
        facts: Facts of each clip that can be read, by its name.
        bad: Clips that cannot be read; each is an oddity too.
        near_copies: Pairs of clips that hold one sound, if near copies were looked for.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> items = [(0.1 * rng.standard_normal(16_000).astype(np.float32), 16_000) for _ in range(5)]
    >>> inspected = sn.cleaning.inspect([*items, (np.zeros(16_000, np.float32), 16_000)], kinds=["silent"])
    >>> len(inspected.source.clips), len(inspected.clean)
    (6, 5)
    """

    source: Source
    found: tuple[FoundOddity, ...]
    facts: Mapping[str, SoundFacts] = field(compare=False)
    bad: tuple[BadFile, ...] = ()
    near_copies: tuple[NearCopies, ...] = ()

    def __repr__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        return f"Inspected({counted(len(self.source), 'clip')}, {len(self.odd)} odd{f': {kinds}' if kinds else ''})"

    @property
    def odd(self) -> tuple[str, ...]:
        """Names of the odd clips, worst first."""
        return tuple(dict.fromkeys(one.clip for one in self.found))

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of clips of each kind that was found, worst kinds first."""
        counts = Counter(one.kind for one in self.found)
        return {kind.value: counts[kind] for kind in Oddity if counts[kind]}

    @property
    def formats(self) -> Mapping[str, Mapping[int, int]]:
        """Number of readable clips by `sample_rate` (Hz), by `channels`, and by used `bits` (16 at most)."""
        return {
            name: dict(sorted(Counter(int(getattr(one, name)) for one in self.facts.values()).items()))
            for name in ("sample_rate", "channels", "bits")
        }

    @property
    def clean(self) -> tuple[ClipReference, ...]:
        """The clips that nothing is odd about, in the order of the source; of copies, the first by name."""
        twice = {one.clip for one in self.found if one.like == one.clip}
        odd = {one.clip for one in self.found if one.like != one.clip}
        kept = [clip for clip in self.source if clip.name not in odd]
        first = {clip.name: clip for clip in reversed(kept)}
        return tuple(clip for clip in kept if clip.name not in twice or first[clip.name] is clip)


@dataclass(frozen=True)
class _Heard(OneClip):
    name: str
    facts: SoundFacts | None
    bad: tuple[BadFile, ...] = ()


@dataclass(frozen=True)
class _Task:
    """Measures the facts of a clip; picklable."""

    reader: Reader
    with_fingerprint: bool

    def __call__(self, clip: ClipReference) -> _Heard:
        try:
            work = partial(facts_of, with_fingerprint=self.with_fingerprint)
            return _Heard(clip.name, with_native_blocks(self.reader, clip, work))
        except AudioError as error:
            return _Heard(clip.name, None, (BadFile.of(clip.name, error),))


@known_keywords
def inspect(
    source: Openable,
    *,
    limits: InspectionLimits | None = None,
    kinds: Collection[str] | None = None,
    reader: Reader | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Inspected:
    """Look for clips that are odd: broken, or unlike the others of their data set.

    Each clip is read once, with all its channels and at its own sample rate. Clips that cannot be read are listed, and
    never end the inspection.

    Args:
        source: Anything that `open_source` takes.
        limits: Limits beyond which a figure is odd.
        kinds: Names of the kinds to look for (see `Oddity`); by default all.
        reader: Settings for reading clips.
        engine: Engine that runs the work.
        progress: Called with the number of clips done and the total number of clips.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        ArgumentError: if a kind is unknown.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> items = [(0.1 * rng.standard_normal(16_000).astype(np.float32), 16_000) for _ in range(5)]
    >>> inspected = inspect([*items, (np.zeros(16_000, np.float32), 16_000)])
    >>> inspected.counts
    {'silent': 1}
    """
    limits, wanted = limits or InspectionLimits(), chosen_kinds(kinds)
    opened = open_source(source, reader)
    near = Oddity.NEAR_COPY in wanted
    task = _Task(opened.reader, near)
    with one_pass(opened, task, opened.clips, max_bad=None, engine=engine, progress=progress) as results:
        measured = {one.name: one.facts for one in results if one.facts is not None}
    facts = {name: measured[name] for name in sorted(measured)}
    copies = find_near_copies(opened, facts, limits.near_correlation, engine) if near else []
    everything = chain(
        _all_oddities(facts, results.bad, limits), listed_again(opened.clips), oddities_of_near_copies(copies)
    )
    found = [one for one in everything if one.kind in wanted]
    return Inspected(opened, tuple(_worst_first(found)), facts, results.bad, tuple(copies))


def _all_oddities(
    facts: Mapping[str, SoundFacts], bad: tuple[BadFile, ...], limits: InspectionLimits
) -> Iterator[FoundOddity]:
    for file in bad:
        yield FoundOddity(file.path, Oddity.UNREADABLE, f"{file.reason.value}: {file.detail}")
    yield from chain.from_iterable(oddities_of_clip(name, one, limits) for name, one in facts.items())
    yield from oddities_beside_others(facts, limits)
    yield from exact_copies(facts)


def _worst_first(found: list[FoundOddity]) -> list[FoundOddity]:
    """Sort clips by their worst oddity, then by the number of oddities, and each clip's own likewise."""
    of_clip: dict[str, list[FoundOddity]] = {}
    for one in sorted(found, key=lambda one: one.place):
        of_clip.setdefault(one.clip, []).append(one)

    def rank(some: Sequence[FoundOddity]) -> tuple[int, int, float, str]:
        worst = some[0]
        return ORDER[worst.kind], -len(some), -worst.excess, worst.clip

    clips: list[list[FoundOddity]] = sorted(of_clip.values(), key=rank)
    return list(chain.from_iterable(clips))
