"""Apple's Core Audio Format: chunks with sizes of 64 bits, of which -1 says that the sound goes to the file's end."""

from __future__ import annotations

import struct

from spectronorm.audio.decoding.containers.found import Found, chunks_may_follow, is_placeholder, settle
from spectronorm.audio.decoding.containers.view import FileBytes, View

_EDITS = 4
"""The sound's chunk begins with a count of edits."""
_MOST_CHUNKS = 1 << 12


def look(file: FileBytes) -> Found | None:
    """The sound of a CAF file; None when it is none, or has no chunk of sound."""
    if file.at(0, 4) != b"caff":
        return None
    position, align, per_second = 8, 1, 0.0
    for _ in range(_MOST_CHUNKS):
        chunk = file.at(position, 12)
        if len(chunk) < 12:
            return None
        name, size = chunk[:4], struct.unpack(">q", chunk[4:])[0]
        if name == b"data":
            return _sound(file, position + 12, size, align, per_second)
        if name == b"desc" and len(desc := file.at(position + 12, 32)) == 32:
            rate, _, _, in_packet, frames, _, _ = struct.unpack(">d4sIIIII", desc)
            align = max(1, in_packet)  # zero where packets differ in length, as in ALAC
            per_second = max(0.0, min(rate, 1e9)) * in_packet / max(1, frames)
        if size < 0:
            return None
        position += 12 + size
    return None


def _sound(file: FileBytes, start: int, size: int, align: int, per_second: float) -> Found:
    claimed = size if is_placeholder(size) else max(0, size - _EDITS)
    settled = settle(
        file,
        start + _EDITS,
        claimed,
        align=align,
        per_second=per_second,
        odd_rest=chunks_may_follow(file, _after, origin=start, multiple=1),
    )
    true = settled.length + _EDITS
    if true == size:
        return Found((View(),), settled.missing, settled.note)
    return Found((View.patched(start + true, {start - 8: struct.pack(">q", true)}),), settled.missing, settled.note)


def _after(file: FileBytes, position: int) -> int | None:
    chunk = file.at(position, 12)
    if len(chunk) < 12:
        return file.size
    size = struct.unpack(">q", chunk[4:])[0]
    named = all(0x20 <= byte < 0x7F for byte in chunk[:4]) and chunk[:4] != b"data"
    return position + 12 + int(size) if named and 0 <= size <= file.size - position - 12 else None
