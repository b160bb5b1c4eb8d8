"""Creative Voice: blocks of sound, of which libsndfile reads the first, up to the end of the file."""

from __future__ import annotations

import struct

from spectronorm.audio.decoding.containers.found import Found, odd_bytes, settle
from spectronorm.audio.decoding.containers.view import FileBytes, View

_MAGIC = b"Creative Voice File\x1a"
_SOUND, _EXTRA, _SOUND_16 = 1, 8, 9
_MOST_BLOCKS = 1 << 12


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
        if block[0] in (_SOUND, _SOUND_16):
            return _sound(file, position + 4, size, block)
        position += 4 + size
    return None


def _sound(file: FileBytes, body: int, size: int, block: bytes) -> Found:
    before, align, rate = 2, 1, 1_000_000 / (256 - block[4])
    if block[0] == _SOUND_16 and len(block) == 16:
        rate, bits, channels = struct.unpack("<IBB", block[4:10])
        before, align = 12, max(1, bits // 8 * channels)

    def odd_rest(position: int) -> str | None:
        """A block of type zero ends the file; whatever else follows, libsndfile takes for sound."""
        if file.at(position, 1) in (b"", b"\0"):
            return odd_bytes(file, position + 1)
        return f"another block follows at byte {position}, which cannot be read"

    claimed = max(0, size - before)
    settled = settle(file, body + before, claimed, align=align, per_second=align * rate, odd_rest=odd_rest)
    end = body + before + settled.length
    # libsndfile takes one byte for the end, and all before it for sound.
    return Found((View() if end + 1 == file.size else View(((0, end), b"\0")),), settled.missing, settled.note)
