"""Unpacking of members of archives in a separate process within limits."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from typing import cast

from spectronorm.audio.decoding.decode import open_regular
from spectronorm.audio.decoding.fork_server import Confined, Gone, Limits
from spectronorm.audio.decoding.pool import ending, give_back, not_started, reported_error, take
from spectronorm.audio.decoding.worker import DATA, DONE, FAILED, PIECE, UNPACKER
from spectronorm.audio.places.bytes_of import pieces_of
from spectronorm.audio.places.member_limits import check_member, check_position
from spectronorm.audio.places.place import is_url, state
from spectronorm.audio.places.reference import Part
from spectronorm.errors import AudioError, BadAudioReason

_MAX_PIECE = 1 << 21
_PACKED = ("deflate", "gz", "bz2", "xz")


class _Unpacker(Confined):
    """A process that unpacks members of archives.

    Attributes:
        reached: Archive that was read last, and the position behind the last member: a compressed tar is read onwards.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(UNPACKER, limits, [])
        self.reached = ("", 0)

    def pieces(self, archive: int, part: Part) -> Generator[bytes]:
        """Yield the bytes of a member of an open archive.

        Raises:
            AudioError: if it cannot be unpacked.
            Gone: if there is no answer in time, or an impossible one.
        """
        self.reached = (part.place, part.start + (part.stored or 0))
        self.send(_described(part), [archive])
        deadline = self.deadline()
        try:
            while True:
                kind, length = PIECE.unpack(self.receive(PIECE.size, deadline))
                if length > _MAX_PIECE or kind not in (DATA, DONE, FAILED):
                    raise Gone("it gave an impossible answer")
                data = self.receive(length, deadline)
                if kind == DONE:
                    return
                if kind == FAILED:
                    raise reported_error(data)
                yield data
        except OSError as error:
            raise Gone(str(error)) from None


def unpack_untrusted(part: Part, limits: Limits) -> Generator[bytes]:
    """Yield the pieces of `pieces_of`; a confined process unpacks a member of a local archive.

    A member larger than the limit of memory is an error. An object at a URL, and a member that is stored as it is, need
    no unpacking, and are read here; so is a member of a compressed tar at a URL.

    Raises:
        AudioError: as `pieces_of`, or with the reasons `timeout` or `crashed`.
    """
    most, read = limits.megabytes << 20, 0
    here = part.method not in _PACKED or is_url(part.place)
    if not here:
        check_member(part)
    if (part.size or part.stored or 0) > most:
        raise _too_large(most)
    for piece in pieces_of(part) if here else _unpacked(part, limits):
        read += len(piece)
        if read > most:
            raise _too_large(most)
        yield piece


def _too_large(most: int) -> AudioError:
    return AudioError(BadAudioReason.TOO_LARGE, f"it unpacks to more than {most} bytes, which is the limit")


def _unpacked(part: Part, limits: Limits) -> Generator[bytes]:
    archive = open_regular(part.place)
    try:
        before = state(os.fstat(archive))
        if part.crc is None:
            check_position(part.start + (part.stored or 0), os.fstat(archive).st_size)
        try:
            unpacker = _take_unpacker(part, limits)
        except Gone as error:
            raise not_started(error) from None
        done, started = False, time.monotonic()
        try:
            yield from unpacker.pieces(archive, part)
            done = True
        except AudioError:
            done = True
            raise
        except Gone as error:
            raise ending(unpacker.kill(), time.monotonic() - started, limits, str(error), "unpack") from None
        finally:
            give_back(unpacker, usable=done)
        if state(os.fstat(archive)) != before:
            raise AudioError(BadAudioReason.CHANGING, f"{part.place} changed while it was read")
    finally:
        os.close(archive)


def _described(part: Part) -> bytes:
    plain = {"start": part.start, "stored": part.stored, "size": part.size, "method": part.method, "crc": part.crc}
    return json.dumps({"place": part.place, **plain}).encode()


def _take_unpacker(part: Part, limits: Limits) -> _Unpacker:
    """Return an unpacker: the one that has least to read; raises `Gone` if none can be started.

    That is the one which is furthest in a compressed tar without being past the member.
    """

    def usable(process: Confined) -> bool:
        return isinstance(process, _Unpacker) and process.limits == limits

    def read_before(process: Confined) -> int:
        place, position = cast("_Unpacker", process).reached
        return position if place == part.place and position <= part.start else -1

    return cast("_Unpacker", take(usable, lambda: _Unpacker(limits), read_before))
