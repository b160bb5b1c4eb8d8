"""Creative Voice: blocks of sound, which libsndfile takes for one block up to the end of the file."""

from __future__ import annotations

import struct

from spectronorm.audio.decoding.containers.found import Found, odd_bytes, settle
from spectronorm.audio.decoding.containers.view import FileBytes, View

_MAGIC = b"Creative Voice File\x1a"
_SOUND, _SOUND_16 = 1, 9
_CONTINUED = b"\2"
"""Type of a block that holds more sound of the kind of the block before it."""
_SOX_LESS = 8
"""Number of bytes that SoX forgets when it counts those of a block of 16-bit sound."""
_MOST_BLOCKS = 1 << 20


def look(file: FileBytes) -> Found | None:
    """The sound of a VOC file; None when it is none, or has no block of sound."""
    head = file.at(0, 26)
    if not head.startswith(_MAGIC) or len(head) < 26:
        return None
    position = struct.unpack("<H", head[20:22])[0]
    for _ in range(_MOST_BLOCKS):
        block = file.at(position, 16)
        if len(block) < 4 or block[0] == 0:
            return None
        size = int.from_bytes(block[1:4], "little")
        if block[0] in (_SOUND, _SOUND_16) and len(block) > 4:
            return _sound(file, position + 4, size, block)
        position += 4 + size
    return None


def _sound(file: FileBytes, body: int, size: int, block: bytes) -> Found:
    before, align, rate = 2, 1, 1_000_000 / (256 - block[4])
    if block[0] == _SOUND_16 and len(block) == 16:
        rate, bits, channels = struct.unpack("<IBB", block[4:10])
        before, align = 12, max(1, bits // 8 * channels)
    stretches, claimed = _stretches(file, body, size, block[: 4 + before])
    begin, end = stretches[-1]
    settled = settle(
        file, begin, claimed, align=align, per_second=align * rate, odd_rest=lambda position: _odd_rest(file, position)
    )
    end = begin + settled.length
    if len(stretches) == 1 and end + 1 == file.size:
        return Found((View(),), settled.missing, settled.note)
    # libsndfile takes one byte for the end, and all before it for sound.
    pieces = (*stretches[:-1], (begin, end))
    return Found((View(((0, body + before), *pieces, b"\0")),), settled.missing, settled.note)


def _stretches(file: FileBytes, body: int, size: int, first: bytes) -> tuple[list[tuple[int, int]], int]:
    """Return the stretches of sound in blocks that follow each other, and the number of bytes that the last claims."""
    start, claimed = body + len(first) - 4, max(0, size - len(first) + 4)
    stretches = [(start, start + claimed)]
    for _ in range(_MOST_BLOCKS):
        start, end = stretches[-1]
        if file.size - end - 1 == _SOX_LESS and first[0] == _SOUND_16 and file.at(file.size - 1, 1) == b"\0":
            stretches[-1] = (start, end + _SOX_LESS)
            break
        block = file.at(end, 16)
        size = int.from_bytes(block[1:4], "little")
        more = 4 if block[:1] == _CONTINUED else len(first)
        alike = block[:1] == first[:1] and block[4:more] == first[4:]
        if len(block) < 4 or not (block[:1] == _CONTINUED or alike):
            break
        stretches.append((end + more, end + 4 + size))
    start, end = stretches[-1]
    return stretches, end - start


def _odd_rest(file: FileBytes, position: int) -> str | None:
    """A block of type zero ends the file."""
    if file.at(position, 1) in (b"", b"\0"):
        return odd_bytes(file, position + 1)
    return f"another block follows at byte {position}, which cannot be read"
