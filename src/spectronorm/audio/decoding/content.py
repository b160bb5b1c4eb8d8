"""Content of a clip as an open descriptor, wherever it is stored, and the digest that identifies it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import xxhash

from spectronorm.audio.decoding.decode import open_regular
from spectronorm.audio.decoding.memory_file import fill, unnamed_file
from spectronorm.audio.places.bytes_of import pieces_of
from spectronorm.audio.places.place import state
from spectronorm.audio.places.reference import ClipReference, Part, Span
from spectronorm.errors import AudioError, BadAudioReason

ATTEMPTS = 3
"""Number of attempts to read a file that is being written."""
_BLOCK = 1 << 20
MOST_IN_MEMORY = 1 << 28
"""Number of bytes from which a member of an archive is held in an unnamed temporary file."""

Unpack = Callable[[Part], Iterator[bytes]]
"""Function that yields the bytes of a member of an archive, or of a remote object, in pieces."""


@contextmanager
def open_content(clip: ClipReference, unpack: Unpack = pieces_of) -> Iterator[int]:
    """Open a descriptor of a regular, non-empty file with the clip's bytes.

    A member of an archive or a remote object is held in memory, or in a temporary file without a name if it is large.
    `unpack` yields its bytes in pieces.

    Raises:
        AudioError: if there is no such file, or if it is not regular or is empty.
    """
    descriptor = open_regular(clip.location) if clip.part is None else _in_memory(unpack(clip.part))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _in_memory(pieces: Iterator[bytes]) -> int:
    descriptor, filled = unnamed_file(), 0
    try:
        for piece in pieces:
            filled += len(piece)
            if filled > MOST_IN_MEMORY >= filled - len(piece):
                descriptor = _moved_to_disk(descriptor)
            fill(descriptor, piece)
        if not filled:
            raise AudioError(BadAudioReason.EMPTY, "it holds 0 bytes")  # noqa: TRY301
    except OSError as error:
        os.close(descriptor)
        raise AudioError(BadAudioReason.TOO_LARGE, f"there is no room for its bytes ({error.strerror})") from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _moved_to_disk(descriptor: int) -> int:
    """Return a file on disk with the same content, and close the one in memory."""
    moved = unnamed_file(in_memory=False)
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        while block := os.read(descriptor, _BLOCK):
            fill(moved, block)
    except BaseException:
        os.close(moved)
        raise
    os.close(descriptor)
    return moved


def content_digest(descriptor: int) -> bytes:
    """Return the 128-bit XXH3 of a file's bytes."""
    digest = xxhash.xxh3_128()
    os.lseek(descriptor, 0, os.SEEK_SET)
    while block := os.read(descriptor, _BLOCK):
        digest.update(block)
    return digest.digest()


def content_state(descriptor: int) -> tuple[int, ...]:
    """Return values that change when the file is written to."""
    return state(os.fstat(descriptor))


def always_changing() -> AudioError:
    """Return the error for a file that was written to during each attempt."""
    return AudioError(BadAudioReason.CHANGING, f"it was written to during each of {ATTEMPTS} attempts to read it")


def stamp_of_piece(digest: bytes, clip: ClipReference) -> bytes:
    """The digest of a file, and for a piece of it also of the section and the channel."""
    if not clip.is_piece:
        return digest
    span = clip.span or Span()
    return xxhash.xxh3_128_digest(digest + f"{span.start!r} {span.end!r} {clip.channel}".encode())


def stamp_of_error(error: AudioError) -> bytes:
    """Return the stamp of a clip that could not be opened."""
    return xxhash.xxh3_128_digest(f"{error.reason.value}: {error.detail}".encode(errors="surrogateescape"))
