"""Whether a file ends before what its own header promises: libsndfile reads many such files without a word.

It does write into its log what a header claims and what is there. A few formats are looked at directly; PAF, PVF,
IRCAM and XI do not say how long they are, so nobody can tell.
"""

from __future__ import annotations

import math
import os
import re
import struct

import soundfile

_STREAMED = {0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFF000}
"""What programs that write to a pipe leave as size, since they cannot go back to fill it in: such files are whole."""
_CLAIMED = re.compile(
    r"^\s*(?:data|SSND|BODY|Data Size|riff|Riff size)\s*:\s*(\d+) \(should be (\d+)\)"  # WAV, AIFF, SVX, AU, W64, RF64
    r"|^Data length (\d+) should be (\d+)",  # WVE
    re.MULTILINE,
)
_SAID = re.compile(r"^(?:\*\*\* File seems to be truncated|Seems to be a truncated file)", re.MULTILINE)  # MAT4, VOC
_FRAMES = re.compile(r"\b(?:Frames|Cols)\s*:\s*(\d+)")
_FRAMES_IN_LOG = {"AVR", "MPC2K", "MAT5"}
_MOST_CHUNKS = 1000
_OGG_PAGE = 0x11000  # a page is at most 65307 bytes long
_NIST_FIELD = re.compile(rb"^(sample_count|channel_count|sample_n_bytes) -i (\d+)", re.MULTILINE)


def ends_early(descriptor: int, sound: soundfile.SoundFile) -> bool:
    """Whether the file is shorter than it claims; `sound` is libsndfile's view of the same file."""
    if sound.format == "OGG":  # its log says nothing of the kind; `ogg_ends_early` is for it
        return False
    if sound.format in ("WAV", "WAVEX") and (early := _riff_ends_early(descriptor)) is not None:
        return early
    log = _without_texts(sound)
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


def _riff_ends_early(descriptor: int) -> bool | None:
    """The claim of the chunk `data` itself; None where no such chunk is found.

    libsndfile's log would say it too, but also prints titles and comments, which may look like anything.
    """
    order = {b"RIFF": "<", b"RIFX": ">"}.get(_read_at(descriptor, 0, 4))
    size, position = os.fstat(descriptor).st_size, 12
    for _ in range(_MOST_CHUNKS):
        head = _read_at(descriptor, position, 8)
        if order is None or len(head) < 8:
            return None
        (length,) = struct.unpack(f"{order}I", head[4:])
        if head[:4] == b"data":
            return length > size - position - 8 and length not in _STREAMED
        position += 8 + length + length % 2
    return None


def _without_texts(sound: soundfile.SoundFile) -> str:
    """Libsndfile's log without the titles, comments and so on that stand in the file."""
    log: str = sound.extra_info
    for text in sound.copy_metadata().values():
        log = log.replace(text, "")
    return log


def _nist_ends_early(descriptor: int) -> bool:
    """NIST SPHERE: a text header of a stated length, then `sample_count · channel_count · sample_n_bytes` bytes."""
    header = _read_at(descriptor, 0, 1024)
    fields = {name: int(value) for name, value in _NIST_FIELD.findall(header)}
    length = header.split(b"\n", 2)[1].strip()
    if len(fields) < 2 or not length.isdigit():
        return False
    fields.setdefault(b"sample_n_bytes", 1)  # left out for A-law and µ-law
    return int(length) + math.prod(fields.values()) > os.fstat(descriptor).st_size


def ogg_ends_early(descriptor: int) -> bool:
    """Whether this is an Ogg file whose last page is cut off or not marked as the end of its stream (RFC 3533)."""
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
