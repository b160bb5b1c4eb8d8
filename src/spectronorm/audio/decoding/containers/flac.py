"""FLAC (RFC 9639): the number of samples that its header states, and the one at which its last frame ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spectronorm.audio.decoding.containers.found import Found
from spectronorm.audio.decoding.containers.id3 import end_of_tags, without_trailing_tags
from spectronorm.audio.decoding.containers.view import FileBytes, View
from spectronorm.errors import AudioError, BadAudioReason

_MAGIC = b"fLaC"
_INFO = b"\0\0\0\x22"
"""The header of a STREAMINFO block of 34 bytes; the first bit is set when no other block follows."""
_BEGIN = 8
_MOST_TAIL = 1 << 24
_MOST_BLOCKS = 1 << 10
_SIZES = {
    1: 192,
    **{code: 576 << (code - 2) for code in range(2, 6)},
    **{code: 256 << (code - 8) for code in range(8, 16)},
}


@dataclass(frozen=True)
class _Stream:
    """Header of a stream: the longest block (samples) and frame (bytes), and the total of samples (0: unknown)."""

    begin: int
    block: int
    frame: int
    total: int
    audio: int


def look(file: FileBytes) -> Found | None:
    """The sound of a FLAC file; None when it is none, or its header is damaged, which libsndfile says best."""
    begin = end_of_tags(file)
    head = file.at(begin, 42)
    if head[:4] != _MAGIC or len(head) < 42 or head[4] & 0x7F or head[5:8] != _INFO[1:]:
        return None
    audio = _first_frame(file, begin + 4)
    if audio is None:
        return None
    total = int.from_bytes(head[18:26], "big") & ((1 << 36) - 1)
    block, frame = int.from_bytes(head[10:12], "big"), int.from_bytes(head[15:18], "big")
    stream = _Stream(begin, block, frame or block * 8 * 5 + 64, total, audio)
    end = without_trailing_tags(file)
    _refuse_second(file, audio, end)
    there = _last_sample(file, stream, end)
    if there is None:
        if total == 0 and end > audio:
            raise AudioError(BadAudioReason.TRUNCATED, "it does not say how long it is, and ends within a frame")
        return Found()
    if there == total or there < total:  # what is missing shows when it is decoded
        return Found()
    field = (int.from_bytes(head[18:26], "big") >> 36 << 36 | there).to_bytes(8, "big")
    note = f"its header claims {total} samples, but {there} are there; they were read" if total else ""
    return Found((View.patched(file.size, {begin + 18: field}),), note=note)


def _first_frame(file: FileBytes, position: int) -> int | None:
    for _ in range(_MOST_BLOCKS):
        head = file.at(position, 4)
        if len(head) < 4:
            return None
        position += 4 + int.from_bytes(head[1:4], "big")
        if head[0] & 0x80:
            return position
    return None


def _refuse_second(file: FileBytes, start: int, end: int) -> None:
    """Raise `AudioError` when another stream begins within the file: decoders read the first alone."""
    kept = b""
    for block in file.blocks(start, end):
        seam = kept[-_BEGIN:] + block[:_BEGIN]
        if any(_begins(seam, at) for at in range(len(seam))) or any(_begins(block, at) for at in _places(block)):
            raise AudioError(BadAudioReason.HEADER_LIES, "it is several FLAC files in one; split it")
        kept = block


def _begins(data: bytes, at: int) -> bool:
    """Return true if a stream's marker and the header of its first block begin at this position."""
    return data[at : at + 4] == _MAGIC and data[at + 5 : at + _BEGIN] == _INFO[1:]


def _places(block: bytes) -> Iterator[int]:
    """Positions of a stream's marker; NumPy finds four bytes in a sixth of the time that `bytes.find` takes."""
    for offset in range(min(4, len(block))):
        words = np.frombuffer(block, "<u4", (len(block) - offset) // 4, offset)
        for index in np.flatnonzero(words == int.from_bytes(_MAGIC, "little")):
            yield offset + 4 * int(index)


def _last_sample(file: FileBytes, stream: _Stream, end: int) -> int | None:
    """The number of samples up to the end of the last frame; None when no frame ends with the file."""
    length = min(end - stream.audio, max(stream.frame, 64), _MOST_TAIL)
    tail = file.at(max(stream.audio, end - length), length) if length > 0 else b""
    sync = file.at(stream.audio, 2)  # the same for all frames of a stream
    for _, last in _frames(tail, sync, stream.block):
        if last == stream.total:
            return last
    return next((last for at, last in _frames(tail, sync, stream.block) if _crc(tail[at:], 16, 0x8005) == 0), None)


def _frames(tail: bytes, sync: bytes, block: int) -> Iterator[tuple[int, int]]:
    """Positions at which frames may begin, from behind, and the number of samples up to the end of each frame."""
    at = tail.rfind(sync) if len(sync) == 2 else -1
    while at >= 0:
        last = _end_of_frame(tail[at : at + 16], block)
        if last is not None:
            yield at, last
        at = tail.rfind(sync, 0, at + 1)


def _end_of_frame(head: bytes, block: int) -> int | None:
    """The number of samples up to the end of a frame with this header; None when it is not a header."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 15
    if size_code == 0 or rate_code == 15 or head[3] >> 4 > 10:
        return None
    extra = 0 if head[4] < 0x80 else bin(head[4])[2:].find("0") - 1
    at = 5 + extra
    if extra < 0 or (head[4] >= 0x80 and not 1 <= extra <= 6) or len(head) < at + 5:
        return None
    number = head[4] if head[4] < 0x80 else head[4] & ((1 << (6 - extra)) - 1) if extra < 6 else 0
    for byte in head[5:at]:
        if byte & 0xC0 != 0x80:
            return None
        number = number << 6 | byte & 0x3F
    size = _SIZES.get(size_code, 0)
    if size_code in (6, 7):
        width = size_code - 5
        size = int.from_bytes(head[at : at + width], "big") + 1
        at += width
    at += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if len(head) <= at or _crc(head[: at + 1], 8, 0x07):
        return None
    return (number if head[1] & 1 else number * block) + size


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    """A cyclic redundancy check of `bits` bits; zero for data that ends with its own."""
    table = _table(bits, polynomial)
    value, mask = 0, (1 << bits) - 1
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> (bits - 8) ^ byte]
    return value


_TABLES: dict[tuple[int, int], list[int]] = {}


def _table(bits: int, polynomial: int) -> list[int]:
    if (bits, polynomial) not in _TABLES:
        table = []
        for byte in range(256):
            value = byte << (bits - 8)
            for _ in range(8):
                value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
                value &= (1 << bits) - 1
            table.append(value)
        _TABLES[bits, polynomial] = table
    return _TABLES[bits, polynomial]
