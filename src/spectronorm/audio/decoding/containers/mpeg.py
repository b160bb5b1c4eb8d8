"""MPEG audio, layers I to III (ISO 11172-3): a row of frames, whose number is counted.

libsndfile takes the number from a tag in the first frame (`Xing` or `Info`), or estimates it from the first frame's bit
rate and the file's size, and stops there. A tag with the counted number in front of the frames lets it read all.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from spectronorm.audio.decoding.containers.found import Found
from spectronorm.audio.decoding.containers.id3 import EMPTY_TAG, end_of_tag, end_of_tags, without_trailing_tags
from spectronorm.audio.decoding.containers.view import BLOCK, FileBytes, Piece, View
from spectronorm.errors import AudioError, BadAudioReason

_RATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates (kbit/s) by version (1, or 2 and 2.5) and layer; layer III of version 2 has those of layer II."""
_SAMPLING = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""Sample rates (Hz) by the two bits of the version."""
_MONO = 3
_JUNK = 1 << 12
"""The most bytes before the first frame: what is left of the frame in which a recording of a stream began."""
_SURE = 4
"""Frames in a row that make MPEG audio of bytes that begin otherwise."""
_TAG_RATE = 8
"""The index of a bit rate at which a frame has room for a tag, whatever the version."""


@dataclass(frozen=True)
class _Kind:
    """Properties that all frames of a stream have in common."""

    version: int
    layer: int
    sampling: int
    mono: bool

    @property
    def samples(self) -> int:
        """Samples of a frame."""
        if self.layer == 1:
            return 384
        return 1152 if self.layer == 2 or self.version == 3 else 576

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return _SAMPLING[self.version][self.sampling]

    @property
    def side(self) -> int:
        """Bytes of side information of a frame of layer III, behind which a tag stands."""
        if self.version == 3:
            return 17 if self.mono else 32
        return 9 if self.mono else 17


@lru_cache(maxsize=256)
def _lengths(kind: _Kind) -> dict[bytes, int]:
    """Bytes of a frame, by the first three bytes of its header."""
    generation = 1 if kind.version == 3 else 2
    rates = _RATES[generation, 2 if generation == 2 and kind.layer == 3 else kind.layer]
    lengths = {}
    for index, rate in enumerate(rates, start=1):
        for low in range(4):  # padding, and a bit for private use
            unit, slots = (4, 12) if kind.layer == 1 else (1, kind.samples // 8)
            length = (slots * rate * 1000 // kind.sample_rate + (low >> 1)) * unit
            for unprotected in range(2):
                second = 0xE0 | kind.version << 3 | (4 - kind.layer) << 1 | unprotected
                lengths[bytes([0xFF, second, index << 4 | kind.sampling << 2 | low])] = length
    return lengths


def _kind(head: bytes) -> _Kind | None:
    """The kind of the frame with this header; None when it is not a header."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, rate, sampling = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or rate == 15 or sampling == 3:
        return None
    return _Kind(version, 4 - layer, sampling, head[3] >> 6 == _MONO)


def look(file: FileBytes) -> Found | None:
    """The sound of MPEG audio; None when it is none.

    Raises:
        AudioError: when there are other bytes between its frames, or frames of two kinds.
    """
    begin = end_of_tags(file)
    first = _first_frame(file, begin)
    if first is None:
        return None
    head = file.at(first, 4)
    kind = _kind(head)
    if kind is None:
        return None
    if head[2] >> 4 == 0:  # free format, of one rate: only a decoder can tell where a frame ends, so none is missed
        return Found((View((EMPTY_TAG, (first, file.size))),), frames=0)
    row = _count(file, first, without_trailing_tags(file), kind)
    return _found(file, begin, first, kind, row)


def _first_frame(file: FileBytes, begin: int) -> int | None:
    head = file.at(begin, _JUNK + 4)
    if _kind(head[:4]) is not None:
        return begin
    if begin and not any(head[:16]):  # padding behind a tag
        begin += next((i for i, byte in enumerate(head) if byte), 0)
        head = file.at(begin, _JUNK + 4)
    at = head.find(b"\xff")
    while 0 <= at < _JUNK:
        kind = _kind(head[at : at + 4])
        if kind is not None and head[at + 2] >> 4 and _in_a_row(file, begin + at, kind):
            return begin + at
        at = head.find(b"\xff", at + 1)
    return None


def _in_a_row(file: FileBytes, position: int, kind: _Kind) -> bool:
    """Return true if several frames of this kind follow each other."""
    lengths = _lengths(kind)
    for _ in range(_SURE):
        length = lengths.get(file.at(position, 3))
        if length is None:
            return False
        position += length
    return position <= file.size


@dataclass(frozen=True)
class _Row:
    """Frames: the stretches of the file that they fill, their number, and whether the last one is cut off."""

    stretches: tuple[tuple[int, int], ...]
    count: int
    cut: bool
    junk: int


def _count(file: FileBytes, first: int, end: int, kind: _Kind) -> _Row:
    stretches: list[tuple[int, int]] = []
    count, position = 0, first
    while True:
        more, stop = _walk(file, position, end, kind)
        count += more
        if stop > end:
            stretches.append((position, end))
            return _Row(tuple(stretches), count - 1, cut=True, junk=0)
        stretches.append((position, stop))
        position = end_of_tag(file, stop)
        if position == stop or position >= end:
            break
    junk = max(0, end - position)
    if junk and not any(any(block) for block in file.blocks(position, end)):
        junk = 0
    if junk:
        _refuse(file, position, end, kind, count)
    return _Row(tuple(stretches), count, cut=False, junk=junk)


def _walk(file: FileBytes, position: int, end: int, kind: _Kind) -> tuple[int, int]:
    """The number of frames from `position` on, and the position behind them."""
    get, mono, count = _lengths(kind).get, kind.mono, 0
    while position < end:
        block = file.at(position, min(BLOCK, end - position))
        at, last = 0, len(block) - 3
        while at < last:
            length = get(block[at : at + 3])
            if length is None or (block[at + 3] >= 0xC0) is not mono:
                return count, position + at
            count += 1
            at += length
        if not at:  # fewer bytes than a header has
            return count, position
        position += at
    return count, position


def _refuse(file: FileBytes, position: int, end: int, kind: _Kind, count: int) -> None:
    """Raise `AudioError` for bytes followed by more MPEG audio: of another kind, or after a gap."""
    other = _kind(file.at(position, 4))
    if other is not None and other != kind and _in_a_row(file, position, other):
        raise AudioError(
            BadAudioReason.HEADER_LIES,
            f"after {count} frames its rate, layer or channels change: it is several files in one; split it",
        )
    for start in range(position, end, BLOCK):
        block = file.at(start, min(BLOCK, end - start))
        at = block.find(b"\xff")
        while at >= 0:
            if _lengths(kind).get(block[at : at + 3]) and _in_a_row(file, start + at, kind):
                raise AudioError(
                    BadAudioReason.UNREADABLE,
                    f"it is damaged: after {count} frames, {start + at - position} bytes are no MPEG audio",
                )
            at = block.find(b"\xff", at + 1)


@dataclass(frozen=True)
class _Tag:
    """A first frame that holds no sound, and says how many frames follow.

    Attributes:
        length: Its bytes.
        frames: What it says; None when it does not.
        place: The position in the file at which it says so; 0 when that cannot be changed.
        sized: Whether a number of bytes stands behind the number of frames.
    """

    length: int
    frames: int | None
    place: int
    sized: bool = False


def _tag(file: FileBytes, first: int, kind: _Kind) -> _Tag | None:
    frame = file.at(first, 64)
    length = _lengths(kind).get(frame[:3], 0)
    for at in (4 + kind.side, 6 + kind.side):  # 2 bytes later behind a checksum
        if frame[at : at + 4] in (b"Xing", b"Info") and len(frame) >= at + 12:
            known, sized = frame[at + 7] & 1, bool(frame[at + 7] & 2)
            frames = int.from_bytes(frame[at + 8 : at + 12], "big") if known else None
            return _Tag(length, frames, first + at + 8, sized)
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        return _Tag(length, int.from_bytes(frame[50:54], "big"), 0)
    return None


def _found(file: FileBytes, begin: int, first: int, kind: _Kind, row: _Row) -> Found:
    tag = _tag(file, first, kind) if kind.layer == 3 else None
    count = max(0, row.count - (tag is not None))
    if not count:
        claims = f"its header claims {tag.frames} frames, but" if tag is not None and tag.frames else "it ends early:"
        raise AudioError(BadAudioReason.TRUNCATED, f"{claims} not one whole frame is there")
    claimed = None if tag is None else tag.frames
    if claimed is None and row.junk:
        raise AudioError(
            BadAudioReason.HEADER_LIES, f"after {count} frames, {row.junk} bytes follow that are no MPEG audio"
        )
    seconds = kind.samples / kind.sample_rate
    missing, note = float(row.cut and claimed is None), ""
    if claimed is not None and tag is not None:
        # Some writers count the frame of the tag, or all that a stream would ever have.
        missing = 0.0 if claimed in (count, count + 1) and not row.cut else float(max(0, claimed - count))
        if claimed < count:
            note = f"its header claims {claimed} frames, but {count} are there; they were read"
        if claimed == count and tag.place and row.stretches[0][0] == first:
            bare = first != begin or begin == 0
            return Found((View((EMPTY_TAG, (first, file.size))) if bare else View(),), missing * seconds)
    frames = None if kind.layer == 3 else count * kind.samples
    return Found((_view(file, kind, tag, count, row),), missing * seconds, note, frames)


def _view(file: FileBytes, kind: _Kind, tag: _Tag | None, count: int, row: _Row) -> View:
    """The frames alone, behind a tag with their number."""
    pieces: list[Piece] = list(row.stretches)
    (start, stop), rest = row.stretches[0], row.stretches[1:]
    if tag is not None and tag.frames is not None and tag.place:
        # The other fields of the tag stay: by them, decoders leave out what the encoder put before and behind.
        size = sum(stop - start for start, stop in row.stretches)
        number = struct.pack(">II", count, size)[: 8 if tag.sized else 4]
        pieces = [(start, tag.place), number, (tag.place + len(number), stop), *rest]
    elif kind.layer == 3:
        sound = start + (0 if tag is None else tag.length)
        size = sum(stop - start for start, stop in row.stretches)
        pieces = [_counted(file.at(sound, 4), kind, count, size), (sound, stop), *rest]
    return View((EMPTY_TAG, *pieces))


def _counted(head: bytes, kind: _Kind, count: int, size: int) -> bytes:
    """A frame without sound that says how many frames, and about how many bytes, follow."""
    header = bytes([0xFF, head[1] | 1, _TAG_RATE << 4 | head[2] & 0x0C, head[3]])
    length = _lengths(kind)[header[:3]]
    tag = b"Xing" + struct.pack(">III", 3, count, size + length)
    return (header + bytes(kind.side) + tag).ljust(length, b"\0")
