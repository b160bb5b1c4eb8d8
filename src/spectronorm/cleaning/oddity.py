"""Kinds of oddity that an inspection looks for, and one thing found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from spectronorm.printable import printable
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings


class Oddity(StrEnum):
    """One kind of fault of a clip: a closed vocabulary, worst first.

    >>> [kind.value for kind in Oddity][:4]
    ['unreadable', 'silent', 'constant', 'wrong-rate']
    """

    UNREADABLE = "unreadable"
    SILENT = "silent"
    CONSTANT = "constant"
    WRONG_RATE = "wrong-rate"
    CHANNELS_CANCEL = "channels-cancel"
    CLIPPED = "clipped"
    NEARLY_SILENT = "nearly-silent"
    DEAD_CHANNEL = "dead-channel"
    COPY = "copy"
    NEAR_COPY = "near-copy"
    LOW_BIT_DEPTH = "low-bit-depth"
    UPSAMPLED = "upsampled"
    DC_OFFSET = "dc-offset"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    OUTLIER = "outlier"


ORDER = {kind: place for place, kind in enumerate(Oddity)}
"""Place of each kind, worst first."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class FoundOddity:
    """One oddity of one clip.

    Attributes:
        clip: Name of the clip.
        kind: The kind.
        detail: Description with the measured figure.
        excess: Distance beyond the limit, to sort findings of one kind: larger is worse.
        like: Name of the clip that it is a copy of; empty for other kinds.

    >>> found = FoundOddity("a.wav", Oddity.CLIPPED, "3.1 % of the samples are at full scale")
    >>> print(found)
    a.wav: clipped: 3.1 % of the samples are at full scale
    """

    clip: str
    kind: Oddity
    detail: str
    excess: float = 0.0
    like: str = ""

    @property
    def place(self) -> tuple[int, float, str]:
        """Sort key, with the worst first."""
        return ORDER[self.kind], -self.excess, self.clip

    def __str__(self) -> str:
        return printable(f"{self.clip}: {self.kind.value}: {self.detail}")

    def to_dict(self) -> dict[str, str | float]:
        """Return the oddity as plain JSON values."""
        plain: dict[str, str | float] = {"clip": self.clip, "kind": self.kind.value, "detail": self.detail}
        return plain | ({"like": self.like} if self.like else {})
