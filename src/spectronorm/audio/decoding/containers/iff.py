"""IFF containers: AIFF, AIFC, and Amiga's 8SVX and 16SV."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

from spectronorm.audio.decoding.containers.found import Found, Settled, chunks_may_follow, is_placeholder, settle
from spectronorm.audio.decoding.containers.view import FileBytes, View

_AIFF, _SVX = (b"AIFF", b"AIFC"), (b"8SVX", b"16SV")
_UNCOMPRESSED = (b"NONE", b"sowt", b"twos", b"fl32", b"FL32", b"fl64", b"FL64", b"in24", b"in32", b"raw ")
_MOST_CHUNKS = 1 << 12
_MOST = 0xFFFFFFFF
_BIAS = 16383 + 63
"""Of the exponent of a float of 80 bits, whose mantissa is an integer."""
_KNOWN = frozenset(
    b"MARK INST MIDI AESD APPL COMT NAME AUTH (c)  ANNO ID3  CHAN PEAK COMM FVER cart basc trns".split(b" ")
)


def look(file: FileBytes) -> Found | None:
    """The sound of an IFF file; None when it is none, or has no chunk of sound."""
    head = file.at(0, 12)
    kind = head[8:12]
    if head[:4] != b"FORM" or kind not in (*_AIFF, *_SVX):
        return None
    position, rate, frames, width = 12, 0.0, 0, (2 if kind == b"16SV" else 1)
    for _ in range(_MOST_CHUNKS):
        chunk = file.at(position, 8)
        if len(chunk) < 8:
            return None
        name, size = chunk[:4], struct.unpack(">I", chunk[4:])[0]
        if name == b"COMM" and kind in _AIFF:
            rate, frames, width = _common(file.at(position + 8, min(size, 22)), kind)
        elif name == b"VHDR" and kind in _SVX and len(header := file.at(position + 8, 14)) == 14:
            rate = struct.unpack(">H", header[12:])[0]
        elif name == b"SSND" and kind in _AIFF:
            return _ssnd(file, position, size, frames, (width, rate))
        elif name == b"BODY" and kind in _SVX:
            follow = chunks_may_follow(file, _after, origin=position)
            settled = settle(file, position + 8, size, align=width, per_second=width * rate, odd_rest=follow)
            return _found(file, position, 8, size, settled)
        position += 8 + size + size % 2
    return None


def _common(common: bytes, kind: bytes) -> tuple[float, int, int]:
    """Rate (Hz), frames and bytes in a frame as a COMM chunk has them; no frames for compressed sound."""
    if len(common) < 18:
        return 0.0, 0, 1
    channels, frames, bits, exponent, mantissa = struct.unpack(">hIhHQ", common[:18])
    rate = math.ldexp(mantissa, exponent - _BIAS) if 0 < exponent <= _BIAS else 0.0
    if kind == b"AIFC" and common[18:22] not in _UNCOMPRESSED:
        return rate, 0, 1
    return rate, frames, max(1, channels) * max(1, (bits + 7) // 8)


def _ssnd(file: FileBytes, position: int, size: int, frames: int, per: tuple[int, float]) -> Found:
    width, rate = per
    offset = int.from_bytes(file.at(position + 8, 4), "big")
    before = 8 + 8 + offset
    claimed = size if is_placeholder(size) else max(0, size - 8 - offset)
    if is_placeholder(claimed) and frames and not is_placeholder(frames * width) and not is_placeholder(frames):
        claimed = frames * width  # the other place that says how much there is
    follow = chunks_may_follow(file, _after, origin=position)
    start = position + before
    settled = settle(file, start, claimed, align=width, per_second=width * rate, odd_rest=follow)
    if frames and not settled.missing and not settled.note and abs(settled.length - frames * width) >= width:
        there = settled.length // width
        odd = f"its header claims {frames} samples, but its chunk of sound holds {there}; they were read"
        settled = replace(settled, note="" if is_placeholder(frames) else odd)
    return _found(file, position, before, size, settled)


def _found(file: FileBytes, position: int, before: int, size: int, settled: Settled) -> Found:
    """The file with a true size of the chunk at `position`, whose sound begins `before` bytes later."""
    true = before - 8 + settled.length
    end = position + before + settled.length
    tail = end == file.size or (size == true and file.at(8, 4) in _AIFF)  # libsndfile reads 8SVX to the file's end
    if (size == true and tail) or true > _MOST:
        return Found((View(),), settled.missing, settled.note)
    sizes = {4: struct.pack(">I", min(_MOST, end - 8)), position + 4: struct.pack(">I", true)}
    return Found((View.patched(end, sizes),), settled.missing, settled.note)


def _after(file: FileBytes, position: int) -> int | None:
    chunk = file.at(position, 8)
    name, size = chunk[:4], struct.unpack(">I", chunk[4:])[0]
    if name in (b"FORM", b"RIFF") or not all(0x20 <= byte < 0x7F for byte in name):
        return None
    end = position + 8 + int(size)
    if end > file.size:
        return file.size if name in _KNOWN else None
    return end + int(size) % 2
