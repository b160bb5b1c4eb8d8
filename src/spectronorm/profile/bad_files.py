"""Files that a pass left out or flagged, each with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.printable import printable
from spectronorm.profile.groups import GroupKey


@dataclass(frozen=True, order=True)
class BadFile:
    """A file that was left out (or flagged), why, and the group that it would have been in (or is)."""

    path: str
    reason: BadAudioReason
    detail: str
    group: GroupKey

    @classmethod
    def of(cls, name: str, error: AudioError, group: GroupKey = ()) -> BadFile:
        """The file of this name, left out because of an error."""
        return cls(name, error.reason, error.detail, group)

    def __str__(self) -> str:
        return printable(f"{self.path}: {self.reason.value}: {self.detail}")

    def to_dict(self) -> dict[str, str]:
        """Name, reason and detail as plain JSON values; the group is left out."""
        return {"path": self.path, "reason": self.reason.value, "detail": self.detail}
