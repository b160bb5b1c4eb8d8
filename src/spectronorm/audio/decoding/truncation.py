"""Detection of files that end before the length in their header, which libsndfile often reads without an error.

libsndfile's log records the claimed and the actual length. A few formats are examined directly; PAF, PVF, IRCAM and XI
do not state a length, so truncation cannot be detected.
"""

from __future__ import annotations

import math
import os
import re

import soundfile

_STREAMED = {0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFF000}
"""Sizes left by programs that write to a pipe and cannot go back to fill them in: such files are complete."""
_CLAIMED = re.compile(
    r"^\s*(?:data|SSND|BODY|Data Size|riff|Riff size)\s*:\s*(\d+) \(should be (\d+)\)"  # WAV, AIFF, SVX, AU, W64, RF64
    r"|^Data length (\d+) should be (\d+)",  # WVE
    re.MULTILINE,
)
_SAID = re.compile(r"^(?:\*\*\* File seems to be truncated|Seems to be a truncated file)", re.MULTILINE)  # MAT4, VOC
_FRAMES = re.compile(r"\b(?:Frames|Cols)\s*:\s*(\d+)")
_FRAMES_IN_LOG = {"AVR", "MPC2K", "MAT5"}
_OGG_PAGE = 0x11000  # a page is at most 65307 bytes long
_NIST_FIELD = re.compile(rb"^(sample_count|channel_count|sample_n_bytes) -i (\d+)", re.MULTILINE)


def ends_early(descriptor: int, sound: soundfile.SoundFile) -> bool:
    """True if the file is shorter than its header claims; `sound` is libsndfile's view of the file."""
    if sound.format == "OGG":  # its log does not report truncation; `ogg_ends_early` detects it
        return False
    log = sound.extra_info
    for match in _CLAIMED.finditer(log):
        claimed, there = (int(text) for text in match.groups() if text is not None)
        if claimed > there and claimed not in _STREAMED:
            return True
    if _SAID.search(log):
        return True
    if sound.format in _FRAMES_IN_LOG:
        claimed_frames = [int(text) for text in _FRAMES.findall(log)]
        return bool(claimed_frames) and claimed_frames[-1] > sound.frames
    return sound.format == "NIST" and _nist_ends_early(descriptor)


def _nist_ends_early(descriptor: int) -> bool:
    """True for a truncated NIST SPHERE file.

    Such a file has a text header of a stated length, then `sample_count · channel_count · sample_n_bytes` bytes.
    """
    header = _read_at(descriptor, 0, 1024)
    fields = {name: int(value) for name, value in _NIST_FIELD.findall(header)}
    length = header.split(b"\n", 2)[1].strip()
    if len(fields) < 2 or not length.isdigit():
        return False
    fields.setdefault(b"sample_n_bytes", 1)  # left out for A-law and µ-law
    return int(length) + math.prod(fields.values()) > os.fstat(descriptor).st_size


def ogg_ends_early(descriptor: int) -> bool:
    """True for an Ogg file whose last page is cut off or not marked as the end of its stream (RFC 3533)."""
    if _read_at(descriptor, 0, 4) != b"OggS":
        return False
    size = os.fstat(descriptor).st_size
    tail = _read_at(descriptor, max(0, size - _OGG_PAGE), _OGG_PAGE)
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return True
    segments = tail[page + 26]
    body = page + 27 + segments
    return not tail[page + 5] & 4 or len(tail) < body + sum(tail[page + 27 : body])


def _read_at(descriptor: int, start: int, length: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, length)
