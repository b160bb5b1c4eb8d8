"""Sony Wave64: WAV with names of 16 bytes and sizes of 64 bits, which count themselves and are padded to 8 bytes."""

from __future__ import annotations

import struct

from spectronorm.audio.decoding.containers.found import Found, chunks_may_follow, is_placeholder, settle
from spectronorm.audio.decoding.containers.view import FileBytes, View

_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
"""The end of the name of every chunk but `riff` and `list`."""
_LIST = bytes.fromhex("6c6973742f91cf11a5d628db04c10000")
_HEAD = 24
_MOST_CHUNKS = 1 << 12


def look(file: FileBytes) -> Found | None:
    """The sound of a W64 file; None when it is none, or has no chunk of sound."""
    if file.at(0, 16) != _RIFF:
        return None
    position, align, per_second = 40, 1, 0
    for _ in range(_MOST_CHUNKS):
        chunk = file.at(position, _HEAD)
        if len(chunk) < _HEAD:
            return None
        size = struct.unpack("<q", chunk[16:])[0]
        if chunk[:16] == b"data" + _TAIL:
            return _sound(file, position + _HEAD, size, align, per_second)
        if chunk[:16] == b"fmt " + _TAIL:
            fmt = file.at(position + _HEAD, 16)
            if len(fmt) == 16:
                _, _, _, per_second, align, _ = struct.unpack("<HHIIHH", fmt)
        if size < _HEAD:
            return None
        position += (size + 7) // 8 * 8
    return None


def _sound(file: FileBytes, start: int, size: int, align: int, per_second: int) -> Found:
    claimed = size if is_placeholder(size) else max(0, size - _HEAD)
    follow = chunks_may_follow(file, _after, origin=start, multiple=8)
    settled = settle(file, start, claimed, align=align, per_second=per_second, odd_rest=follow)
    end = start + settled.length
    sizes = {16: struct.pack("<q", end), start - 8: struct.pack("<q", settled.length + _HEAD)}
    right = settled.length == claimed and end == file.size
    return Found((View() if right else View.patched(end, sizes),), settled.missing, settled.note)


def _after(file: FileBytes, position: int) -> int | None:
    chunk = file.at(position, _HEAD)
    if len(chunk) < _HEAD:
        return file.size
    size = struct.unpack("<q", chunk[16:])[0]
    named = chunk[4:16] == _TAIL or chunk[:16] == _LIST
    return position + (size + 7) // 8 * 8 if named and _HEAD <= size <= file.size - position else None
