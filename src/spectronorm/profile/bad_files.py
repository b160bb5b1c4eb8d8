"""Files that a pass left out or flagged, each with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.printable import printable
from spectronorm.profile.groups import GroupKey
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True, order=True)
class BadFile:
    """A file that was left out (or flagged), the reason, and the group that it belongs to.

    >>> from spectronorm.errors import BadAudioReason
    >>> print(BadFile("a.wav", BadAudioReason.TRUNCATED, "ends after 1.2 of 5 s", group=()))
    a.wav: truncated: ends after 1.2 of 5 s
    """

    path: str
    reason: BadAudioReason
    detail: str
    group: GroupKey

    @classmethod
    def of(cls, name: str, error: AudioError, group: GroupKey = ()) -> BadFile:
        """Build the record of a file that was left out because of an error."""
        return cls(name, error.reason, error.detail, group)

    def __str__(self) -> str:
        return printable(f"{self.path}: {self.reason.value}: {self.detail}")

    def to_dict(self) -> dict[str, str]:
        """Return name, reason and detail as plain JSON values, without the group."""
        return {"path": self.path, "reason": self.reason.value, "detail": self.detail}
