"""Limits of what an archive may unpack to, known before anything is unpacked."""

from __future__ import annotations

import os
from typing import IO

from spectronorm.audio.places.reference import Part
from spectronorm.errors import AudioError, BadAudioReason

MAX_MEMBER_BYTES = 1 << 32
FREE_MEMBER_BYTES = 1 << 26
"""Number of bytes that a member may unpack to, however few of them are stored."""
FREE_TAR_BYTES = 1 << 30
"""Number of bytes that a compressed tar archive may unpack to, however small it is."""
MAX_UNPACKED_RATIO = 200
"""Largest number of unpacked bytes for each stored byte beyond the free ones; recordings reach 20."""


def check_member(part: Part) -> None:
    """Check what the archive says of a member before the member is unpacked.

    Raises:
        AudioError: if the member cannot be read, or is larger than its stored bytes can justify.
    """
    if part.problem is not None:
        raise AudioError(part.reason, part.problem)
    size = max(part.size or 0, part.stored or 0)
    if size > MAX_MEMBER_BYTES:
        raise AudioError(BadAudioReason.TOO_LARGE, f"the archive claims {size} bytes for it, above {MAX_MEMBER_BYTES}")
    if part.method == "deflate" and size > max(FREE_MEMBER_BYTES, MAX_UNPACKED_RATIO * (part.stored or 0)):
        raise AudioError(
            BadAudioReason.TOO_LARGE,
            f"it would unpack from {part.stored} to {size} bytes, more than {MAX_UNPACKED_RATIO} for each stored byte",
        )


def check_position(position: int, stored: int) -> None:
    """Check that a compressed tar archive of `stored` bytes may be unpacked up to a position.

    Raises:
        AudioError: if the position is farther than the archive's size can justify.
    """
    most = max(FREE_TAR_BYTES, MAX_UNPACKED_RATIO * stored)
    if position > most:
        raise AudioError(
            BadAudioReason.TOO_LARGE,
            f"the archive would unpack to more than {most} bytes, which its size cannot justify",
        )


class BoundedTar:
    """Unpacked content of a compressed tar archive: no position beyond what the archive's size can justify.

    Reads are as small as their callers ask for; only seeking forward unpacks without a bound.
    """

    def __init__(self, plain: IO[bytes], stored: int) -> None:
        self._plain, self._stored = plain, stored
        self.read, self.tell, self.close = plain.read, plain.tell, plain.close

    def require(self, position: int) -> None:
        """Check that a position is one that the archive's size can justify.

        Raises:
            AudioError: if it is too far.
        """
        check_position(position, self._stored)

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position from the beginning or from here; raises `AudioError` if it is too far."""
        target = position + (self._plain.tell() if whence == os.SEEK_CUR else 0)
        self.require(target)
        return self._plain.seek(target)
