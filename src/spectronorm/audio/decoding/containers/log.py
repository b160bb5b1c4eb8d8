"""Containers that libsndfile alone reads: it writes into its log what a header claims and what is there.

PAF, PVF, IRCAM and XI do not say how long they are, so nobody can tell.
"""

from __future__ import annotations

import re

from spectronorm.errors import AudioError, BadAudioReason

_SIZES = re.compile(r"^Data length (\d+) should be (\d+)", re.MULTILINE)  # WVE
_BYTES = re.compile(r"^\*\*\* File seems to be truncated\. (\d+) <--> (\d+)", re.MULTILINE)  # MAT4
_SAID = re.compile(r"^(?:\*\*\* File seems to be truncated|Seems to be a truncated file)", re.MULTILINE)
_FRAMES = re.compile(r"\b(?:Frames|Cols)\s*:\s*(\d+)")
_FRAMES_IN_LOG = {"AVR", "MPC2K", "MAT5"}
_SDS_BLOCK = 60
"""The most samples of a block of 120 bytes."""


def claimed_frames(log: str, kind: str, frames: int) -> int:
    """The frames that a header claims, as the log of a file of this kind says, of which libsndfile finds `frames`.

    Raises:
        AudioError: when the log says that the file is truncated, and not by how much.
    """
    if kind == "WVE" and (size := _SIZES.search(log)):
        return int(size[1])
    if size := _BYTES.search(log):
        there, claimed = int(size[1]), int(size[2])
        return max(frames + 1, frames * claimed // max(1, there))
    if _SAID.search(log):
        raise AudioError(BadAudioReason.TRUNCATED, "libsndfile finds that it ends early")
    found = [int(text) for text in _FRAMES.findall(log)]
    if kind in _FRAMES_IN_LOG and found:
        return found[-1]
    if kind == "SDS" and found:
        # Here the log says what is there, a block at a time, and libsndfile believes the header.
        return frames if 0 <= found[-1] - frames < _SDS_BLOCK else frames + (frames - found[-1])
    return frames
