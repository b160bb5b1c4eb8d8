"""Ogg (RFC 3533): pages with checksums and numbers, in one stream or in several, one behind the other."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from spectronorm.audio.decoding.containers.found import Found
from spectronorm.audio.decoding.containers.id3 import end_of_tags
from spectronorm.audio.decoding.containers.view import BLOCK, FileBytes, View
from spectronorm.errors import AudioError, BadAudioReason

_MAGIC = b"OggS"
_HEAD = struct.Struct("<4sBBqIIIB")
_MOST_PAGE = 27 + 255 + 255 * 255
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_NO_GRANULE = -1
_AUDIO = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class _Page(NamedTuple):
    """One page: its place in the file, and what its header says."""

    start: int
    end: int
    flags: int
    granule: int
    serial: int
    number: int
    audio: bool


def look(file: FileBytes) -> Found | None:
    """The sound of an Ogg file, link by link; None when it is none.

    Raises:
        AudioError: when a page is damaged, missing or cut off, or several sounds go side by side.
    """
    begin = end_of_tags(file)
    if file.at(begin, 4) != _MAGIC:
        return None
    links = [(begin, begin)]
    streams = _Link()
    for page in _pages(file, begin):
        if page.flags & _FIRST and streams.running and not streams.open:
            links.append((page.start, page.start))
            streams = _Link()
        streams.add(page)
        links[-1] = (links[-1][0], page.end)
    if streams.open or not streams.running:
        raise AudioError(
            BadAudioReason.TRUNCATED, "it ends early: its last page is not marked as the end of its stream"
        )
    if len(links) == 1 and begin == 0:
        return Found()
    return Found(tuple(View((link,)) for link in links))


class _Link:
    """Streams that begin together: what each one's next page must say.

    Attributes:
        open: Serial numbers of the streams that have not ended.
        running: Whether their first pages are over.
    """

    def __init__(self) -> None:
        self._last: dict[int, _Page] = {}
        self.open: set[int] = set()
        self.running = False
        self._sounds = 0

    def add(self, page: _Page) -> None:
        """Take the next page; raises `AudioError` when it does not belong here."""
        before = self._last.get(page.serial)
        if page.flags & _FIRST:
            if before is not None or self.running:
                raise _damaged(page, "a stream begins before another one has ended")
            self.open.add(page.serial)
            self._sounds += page.audio
            if self._sounds > 1:
                raise AudioError(BadAudioReason.HEADER_LIES, "it holds several sounds side by side; split it")
        else:
            self.running = True
            if before is None or page.serial not in self.open:
                raise _damaged(page, "the first page of its stream is missing")
            if page.number != (before.number + 1) & 0xFFFFFFFF:
                raise _damaged(page, f"it should have number {before.number + 1}, and has {page.number}")
            if page.granule != _NO_GRANULE and page.granule < max(0, before.granule):
                raise _damaged(page, f"its position goes back to {page.granule}")
        if page.granule == _NO_GRANULE and before is not None:
            page = page._replace(granule=before.granule)
        self._last[page.serial] = page
        if page.flags & _LAST:
            self.open.discard(page.serial)
            self.running = True


def _damaged(page: _Page, why: str) -> AudioError:
    return AudioError(BadAudioReason.UNREADABLE, f"it is damaged: the page at byte {page.start}: {why}")


def _pages(file: FileBytes, position: int) -> Iterator[_Page]:
    """All pages, checked; what follows the last one of a stream that has ended, and is not a page, is left alone."""
    ended = False
    buffer, at = b"", 0
    while position < file.size:
        if len(buffer) - at < _MOST_PAGE and position + len(buffer) - at < file.size:
            buffer, at = file.at(position, BLOCK), 0
        page = _page(buffer, at, position)
        if page is None:
            if ended and not _another(file, position):
                return
            why = "its last page is cut off" if _is_tail(buffer[at:]) else f"at byte {position} there is no page"
            reason = BadAudioReason.TRUNCATED if "cut off" in why else BadAudioReason.UNREADABLE
            raise AudioError(
                reason, f"it is damaged: {why}" if reason is BadAudioReason.UNREADABLE else f"it ends early: {why}"
            )
        yield page
        ended = bool(page.flags & _LAST)
        at += page.end - page.start
        position = page.end


def _page(buffer: bytes, at: int, position: int) -> _Page | None:
    """The page at an index of a buffer; None when there is none; raises `AudioError` when its checksum is wrong."""
    if len(buffer) < at + _HEAD.size:
        return None
    magic, version, flags, granule, serial, number, crc, segments = _HEAD.unpack_from(buffer, at)
    body = at + _HEAD.size + segments
    end = body + sum(buffer[at + _HEAD.size : body])
    if magic != _MAGIC or version != 0 or len(buffer) < end or body > len(buffer):
        return None
    page = _Page(position, position + end - at, flags, granule, serial, number, buffer.startswith(_AUDIO, body))
    if _checksum(buffer[at : at + 22] + bytes(4) + buffer[at + 26 : end]) != crc:
        raise _damaged(page, "its checksum is wrong")
    return page


def _checksum(page: bytes) -> int:
    """The CRC-32 of Ogg, whose bits go the other way than zlib's, without inverting beginning or end."""
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")


def _is_tail(rest: bytes) -> bool:
    """Return true if these are the first bytes of a page that is longer."""
    return len(rest) < _MOST_PAGE and rest[:4] == _MAGIC[: len(rest)]


def _another(file: FileBytes, position: int) -> bool:
    """Return true if another page follows."""
    kept = b""
    for block in file.blocks(position, file.size):
        if _MAGIC in kept + block:
            return True
        kept = block[-3:]
    return False
