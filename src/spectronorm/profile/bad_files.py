"""Files that a pass left out or flagged, each with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.errors import BadAudioReason
from spectronorm.profile.groups import GroupKey


@dataclass(frozen=True, order=True)
class BadFile:
    """A file that was left out (or flagged), the reason, and the group that it belongs to."""

    path: str
    reason: BadAudioReason
    detail: str
    group: GroupKey
