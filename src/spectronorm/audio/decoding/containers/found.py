"""The result of a look at a container, and the rules by which claimed and present lengths are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spectronorm.audio.decoding.containers.foreign import Foreign
from spectronorm.audio.decoding.containers.view import FileBytes, View
from spectronorm.errors import AudioError, BadAudioReason

_MAGICS = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"BW64",
    b"riff",
    b"FORM",
    b"fLaC",
    b"OggS",
    b".snd",
    b"dns.",
    b"caff",
    b"NIST_1A",
)
_TAGS = (b"TAG", b"ID3", b"3DI", b"APETAGEX", b"LYRICSBEGIN")
"""The beginnings of tags that programs put behind any kind of sound."""
_MOST_CHUNKS = 1 << 16
_MOST_HEADER = 1 << 14
_FEW_BYTES = 8
"""Fewer bytes than any chunk has: padding that the writing program got wrong."""


@dataclass(frozen=True)
class Found:
    """Result of examining a container.

    Attributes:
        views: Views that libsndfile decodes in order: one view, or one for each link of a chained stream.
        missing: Seconds of sound that the container claims and that are not there.
        note: Description of an oddity of a container whose sound can all be read; empty for most.
        frames: Number of samples if libsndfile only estimates the number; None if libsndfile knows the number.
        examined: True if the container's length was compared with the file, so that libsndfile's log adds nothing.
        foreign: The container, if libsndfile does not know it.
    """

    views: tuple[View, ...] = (View(),)
    missing: float = 0.0
    note: str = ""
    frames: int | None = None
    examined: bool = True
    foreign: Foreign | None = None


@dataclass(frozen=True)
class Settled:
    """The sound that is there: `length` bytes, `missing` seconds fewer than claimed, with a `note` if that is odd."""

    length: int
    missing: float = 0.0
    note: str = ""


def is_placeholder(size: int) -> bool:
    """Return true if a size is a placeholder, left by a program that writes to a pipe and cannot go back to fill it in.

    Placeholders are zero, all bits set, or a little below (or at) 2^31 or 2^32 (2^63 or 2^64 where sizes have 64
    bits): SoX leaves 0x7FFFF000 in WAV and 0x7F000000 in AIFF (less what makes no whole frame), arecord 0x80000000,
    FFmpeg 0xFFFFFFFF.
    """
    return (
        size == 0 or 0x7EFFF000 <= size <= 0x80010000 or 0xFF000000 <= size <= 0xFFFFFFFF or size >= 1 << 62 or size < 0
    )


def settle(
    file: FileBytes,
    start: int,
    claimed: int,
    *,
    align: int,
    per_second: float,
    odd_rest: Callable[[int], str | None],
) -> Settled:
    """Compare the `claimed` number of bytes from `start` on with what the file holds there, in both directions.

    `align` and `per_second` are the bytes of one frame and of one second. `odd_rest` says what is wrong with the bytes
    from a position on, None for nothing.

    Raises:
        AudioError: when bytes follow the claimed ones that the container has no place for.
    """
    there = max(0, file.size - start)
    whole = there // max(1, align) * max(1, align)
    if is_placeholder(claimed):
        if claimed == 0 or 0 < claimed < there:
            odd = odd_rest(start + claimed)
            if odd is None:
                return Settled(claimed)
        if (again := _header_again(file, start)) is not None:
            note = f"its header is repeated after its sound; the last {file.size - again} bytes were left out"
            return Settled((again - start) // max(1, align) * max(1, align), note=note)
        zero = f"its header claims 0 bytes of sound, but {there} bytes follow; they were read" if claimed == 0 else ""
        return Settled(whole, note=zero)
    if claimed > there:
        return Settled(whole, missing=(claimed - there) / max(per_second, 1e-3))
    if (odd := odd_rest(start + claimed)) is not None:
        raise AudioError(
            BadAudioReason.HEADER_LIES,
            f"its header claims {claimed} bytes of sound, but {odd}; correct the header, or cut the file there",
        )
    return Settled(claimed)


def _header_again(file: FileBytes, start: int) -> int | None:
    """Return the position behind `start` at which the file's own beginning stands once more, but for a size in it.

    A program that cannot go back in a pipe may write its header again at the end.

    Raises:
        AudioError: if more follows than a header: another file.
    """
    head, before = file.at(0, 16), b""
    position = start
    for block in file.blocks(start, file.size):
        data = before + block
        at = data.find(head[:4])
        while at >= 0:
            found = position - len(before) + at
            if file.at(found + 8, 8) == head[8:]:
                if file.size - found > _MOST_HEADER:
                    raise AudioError(BadAudioReason.HEADER_LIES, _another_file(found))
                return found
            at = data.find(head[:4], at + 1)
        position += len(block)
        before = data[-3:]
    return None


def _another_file(position: int) -> str:
    return f"another file begins at byte {position}: it is several files in one; split it"


def nothing_may_follow(file: FileBytes) -> Callable[[int], str | None]:
    """The rule of containers that end with their sound."""
    return lambda position: odd_bytes(file, position)


def chunks_may_follow(
    file: FileBytes, after: Callable[[FileBytes, int], int | None], *, origin: int, multiple: int = 2
) -> Callable[[int], str | None]:
    """The rule of containers whose chunks may stand behind the sound.

    `after` gives the end of the chunk at a position, None when there is none. The first one begins a `multiple` of
    bytes behind `origin`, or, in files of writers that forget to pad, at once.
    """

    def odd(position: int) -> str | None:
        found = _odd_chunks(file, after, position + (origin - position) % multiple)
        return found and _odd_chunks(file, after, position)

    return odd


def _odd_chunks(file: FileBytes, after: Callable[[FileBytes, int], int | None], position: int) -> str | None:
    for _ in range(_MOST_CHUNKS):
        if position + _FEW_BYTES > file.size:
            return None
        end = after(file, position)
        if end is None:
            return odd_bytes(file, position)
        position = end
    return f"more than {_MOST_CHUNKS} chunks follow"


def odd_bytes(file: FileBytes, position: int) -> str | None:
    """Describe the fault of bytes that belong to no chunk; None for tags, zeros and a few stray bytes."""
    if position + _FEW_BYTES > file.size:
        return None
    start = file.at(position, 16)
    if start.startswith(_TAGS) or not any(any(block) for block in file.blocks(position, file.size)):
        return None
    if start.startswith(_MAGICS):
        return f"another file begins at byte {position}: it is several files in one"
    return f"{file.size - position} more bytes follow that belong to nothing it names"
