"""MP3 without a tag, made recognizable: libsndfile detects it only by file name, but files are opened by descriptor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from spectronorm.audio.decoding.memory_file import fill, unnamed_file

_EMPTY_TAG = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
"""An ID3v2.4 tag of ten bytes of padding, after which libsndfile looks for MPEG audio."""
_BLOCK = 1 << 20


@contextmanager
def recognizable(descriptor: int) -> Iterator[int]:
    """Yield a descriptor that libsndfile recognizes: the given one, or a copy with an empty tag for bare MPEG audio."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    if not _is_mpeg_frame(os.read(descriptor, 4)):
        yield descriptor
        return
    copy = unnamed_file()
    try:
        fill(copy, _EMPTY_TAG)
        os.lseek(descriptor, 0, os.SEEK_SET)
        while block := os.read(descriptor, _BLOCK):
            fill(copy, block)
        yield copy
    finally:
        os.close(copy)


def _is_mpeg_frame(start: bytes) -> bool:
    """True if this is the header of an MPEG audio frame (ISO 11172-3, 2.4.1.3): sync, and no reserved value."""
    if len(start) < 4 or start[0] != 0xFF or start[1] & 0xE0 != 0xE0:
        return False
    version, layer, rate, sampling = start[1] >> 3 & 3, start[1] >> 1 & 3, start[2] >> 4, start[2] >> 2 & 3
    return version != 1 and layer != 0 and rate != 15 and sampling != 3
