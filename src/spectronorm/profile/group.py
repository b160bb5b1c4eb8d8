"""Groups of clips, and the files that were left out of them."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.errors import BadAudioReason

GroupKey = tuple[tuple[str, str], ...]
"""The columns and values that a group's clips share, such as `(("fold", "1"),)`."""


@dataclass(frozen=True, order=True)
class BadFile:
    """A file that was left out (or flagged), why, and the group that it would have been in (or is)."""

    path: str
    reason: BadAudioReason
    detail: str
    group: GroupKey
