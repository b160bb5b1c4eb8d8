"""Counts of clips by the format of their recordings: they add exactly, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from spectronorm.audio.native_format import NativeFormat

FORMAT_FIELDS = ("sample_rate", "channels", "bits")


@dataclass(frozen=True)
class FormatCounts:
    """Number of clips of each native format, as pairs in the order of the formats.

    >>> both = FormatCounts.of([NativeFormat(44100, 1, 16)]) + FormatCounts.of([NativeFormat(16000, 1)])
    >>> both.by("sample_rate"), both.clips
    ({16000: 1, 44100: 1}, 2)
    """

    pairs: tuple[tuple[NativeFormat, int], ...] = ()

    @classmethod
    def of(cls, formats: Iterable[NativeFormat | None]) -> FormatCounts:
        """Count formats, one for each clip; None is a clip of which nothing is known."""
        return cls(tuple(sorted(Counter(one for one in formats if one is not None).items())))

    @classmethod
    def sum(cls, parts: Iterable[FormatCounts]) -> FormatCounts:
        """Add counts."""
        counts: Counter[NativeFormat] = Counter()
        for part in parts:
            counts.update(dict(part.pairs))
        return cls(tuple(sorted(counts.items())))

    def __add__(self, other: FormatCounts) -> FormatCounts:
        """The clips of both."""
        return FormatCounts.sum((self, other))

    @property
    def clips(self) -> int:
        """Number of clips whose format is known."""
        return sum(count for _, count in self.pairs)

    def by(self, name: str) -> Mapping[int, int]:
        """Number of clips by one of `FORMAT_FIELDS`, in its order."""
        counts: Counter[int] = Counter()
        for one, count in self.pairs:
            counts[getattr(one, name)] += count
        return dict(sorted(counts.items()))

    def plain(self) -> list[list[int]]:
        """Rows of sample rate, channels, bits and clips."""
        return [[one.sample_rate, one.channels, one.bits, count] for one, count in self.pairs]
