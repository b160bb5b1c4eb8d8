"""Members of tar and zip archives as clips: listed once, read by byte range, never extracted.

Names are untrusted: they are cleaned of anything that leads elsewhere, and never become paths to write.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO

from spectronorm.audio.places.compressed_tar import STREAMS, method_of, unpacked
from spectronorm.audio.places.member_limits import check_member
from spectronorm.audio.places.place import open_place, read_pieces, read_range
from spectronorm.audio.places.reference import ClipReference, Part, label_columns
from spectronorm.audio.places.sidecars import Sidecars
from spectronorm.counted import counted
from spectronorm.errors import AudioError, BadAudioReason, SourceError

ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
MAX_NAME_BYTES = 1 << 16
"""Largest number of bytes of one member's name and attributes; a header that claims more is hostile."""
_ENCRYPTED = 1
_LOCAL_HEADER = 30
_PIECE = 1 << 20


def is_archive(place: str) -> bool:
    """True if the name is the name of an archive."""
    return place.lower().endswith(ARCHIVE_SUFFIXES)


def list_archive(
    place: str, wanted: Callable[[str], bool], *, zipped: bool = False, unread: Tally[str] | None = None
) -> list[ClipReference]:
    """The members whose names are `wanted`, in the archive's own order; `zipped` says that it is a zip archive.

    Small `.json`, `.cls` and `.txt` members beside a clip, as WebDataset has them, become its columns; they are taken
    from `unread`, the counts by suffix of names that are not wanted. Links, devices and encrypted members are listed
    with the problem that reading them will report. An archive that breaks off gives the members before the break, and
    one more that says so.

    Raises:
        SourceError: if it cannot be opened or is no such archive.
    """
    listing = _zip_parts if zipped or place.lower().endswith(".zip") else _tar_parts
    clips: list[ClipReference] = []
    beside = Sidecars()
    with open_place(place) as file:
        try:
            for name, part, read in listing(file, place):
                if wanted(name):
                    clips.append(_reference(name, part))
                else:
                    beside.add(name, part.size or 0, read)
        except Exception as error:  # The standard library's parsers raise exceptions of any kind.
            if not clips:
                raise SourceError(f"{place}: is not an intact archive ({error}); make or fetch it again") from None
            reason = error.reason if isinstance(error, AudioError) else BadAudioReason.UNREADABLE
            problem = f"the archive breaks off after {counted(len(clips), 'clip')} ({error})"
            broken = Part(place, problem=problem, reason=reason)
            clips.append(_reference("(the rest of the archive)", broken))
    return beside.joined(clips, unread)


def list_shard(place: str, wanted: Callable[[str], bool], unread: Tally[str] | None = None) -> list[ClipReference]:
    """List one of several archives that form a source: each member's name begins with its shard's name.

    A shard that cannot be opened becomes one clip that cannot be read; the others still count.
    """
    shard = clean_name(PurePosixPath(place.replace("\\", "/")).name)
    try:
        clips = list_archive(place, wanted, unread=unread)
    except SourceError as error:
        return [ClipReference(shard, Path(place), part=Part(place, problem=str(error)))]
    return [replace(clip, name=f"{shard}/{clip.name}") for clip in clips]


def _reference(name: str, part: Part) -> ClipReference:
    cleaned = clean_name(name)
    return ClipReference(cleaned, Path(part.place) / cleaned, label_columns(cleaned), part)


@lru_cache(maxsize=1 << 12)
def clean_name(name: str) -> str:
    """Clean a clip's name within the source: never absolute, never upwards, so that outputs can mirror it safely."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "//", "..", ".")]
    return "/".join(part.replace("\0", "") for part in parts) or "clip"


class _Metadata:
    """File that is read only in small pieces, because tarfile would allocate any size that a header claims."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Read at most `MAX_NAME_BYTES`."""
        if not 0 <= size <= MAX_NAME_BYTES:
            raise tarfile.ReadError(f"a header claims {size} bytes of names")
        return self._file.read(size)


_Member = tuple[str, Part, Callable[[int], bytes]]
"""Name, place, and a function that reads at most some number of bytes, called before the next member is asked for."""


def _tar_parts(file: IO[bytes], place: str) -> Iterator[_Member]:
    method = method_of(place)
    with unpacked(file, method) as plain, tarfile.open(fileobj=_Metadata(plain), mode="r:") as archive:  # type: ignore[call-overload]
        while (member := archive.next()) is not None:
            archive.members.clear()  # tarfile would keep every header that it has seen.
            if member.isdir():
                continue
            problem = None if member.isreg() and not member.issparse() else "it is a link or device inside an archive"
            part = Part(place, member.offset_data, member.size, member.size, method, problem=problem)
            yield member.name, part, partial(_read_at, plain, member.offset_data)


def _read_at(file: IO[bytes], start: int, most: int) -> bytes:
    file.seek(start)
    return file.read(most)


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(member) as file:
        return file.read(most)


def _zip_parts(file: IO[bytes], place: str) -> Iterator[_Member]:
    methods = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate"}
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        shared = _sharing(members)
        for index, member in enumerate(members):
            if member.filename.endswith("/"):
                continue
            reason = BadAudioReason.UNREADABLE
            problem = "it is encrypted" if member.flag_bits & _ENCRYPTED else None
            if member.compress_type not in methods:
                problem = "it is compressed by a method other than deflate"
            if (member.external_attr >> 28) == 0xA:
                problem = "it is a link inside an archive"
            if index in shared:
                problem, reason = "it shares bytes in the archive with another member", BadAudioReason.HEADER_LIES
            yield (
                member.filename,
                Part(
                    place,
                    member.header_offset,
                    member.compress_size,
                    member.file_size,
                    methods.get(member.compress_type, ""),
                    member.CRC,
                    problem,
                    reason=reason,
                ),
                partial(_read_member, archive, member),
            )


def _sharing(members: Sequence[zipfile.ZipInfo]) -> set[int]:
    """Return the positions of members whose bytes begin before those of another member end."""
    shared, end = set(), 0
    for index in sorted(range(len(members)), key=lambda index: members[index].header_offset):
        member = members[index]
        if member.header_offset < end:
            shared.add(index)
        end = max(end, member.header_offset + _LOCAL_HEADER + member.compress_size)
    return shared


def read_part(part: Part) -> bytes:
    """Return the bytes of a member, or of a whole remote object.

    Raises:
        AudioError: as `part_pieces`.
    """
    return b"".join(part_pieces(part))


def part_pieces(part: Part) -> Iterator[bytes]:
    """Yield the bytes of a member in pieces of at most a megabyte, or those of a whole remote object.

    Raises:
        AudioError: if it cannot be read, is truncated, differs from the archive's description, or is larger than its
            stored bytes can justify; in some cases only after the last piece.
    """
    check_member(part)
    if part.crc is not None:
        yield from _zip_pieces(part)
        return
    read, stored = 0, part.stored
    for piece in read_pieces(part.place, part.start, stored) if part.method == "stored" else STREAMS.pieces(part):
        read += len(piece)
        yield piece
    if stored is not None and read < stored:
        raise AudioError(BadAudioReason.TRUNCATED, f"the archive ends after {read} of its {stored} bytes")


def _zip_pieces(part: Part) -> Iterator[bytes]:
    header = read_range(part.place, part.start, _LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
        raise AudioError(BadAudioReason.HEADER_LIES, "the archive's directory points to something else")
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    packed = read_pieces(part.place, part.start + _LOCAL_HEADER + names, part.stored)
    read, size, crc = 0, part.size or 0, 0
    for piece in _inflated(packed) if part.method == "deflate" else packed:
        read += len(piece)
        crc = zlib.crc32(piece, crc)
        if read > size:
            raise AudioError(BadAudioReason.HEADER_LIES, f"it unpacks to more than the {size} bytes it claims")
        yield piece
    if read < size:
        raise AudioError(BadAudioReason.TRUNCATED, f"it unpacks to {read} of {size} bytes")
    if crc != part.crc:
        raise AudioError(BadAudioReason.UNREADABLE, "its checksum (CRC-32) is wrong")


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            left = piece
            while left and not unpacker.eof:
                yield unpacker.decompress(left, _PIECE)
                left = unpacker.unconsumed_tail
        while not unpacker.eof and (rest := unpacker.decompress(unpacker.unconsumed_tail, _PIECE)):
            yield rest
    except zlib.error as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"it cannot be unpacked ({error})") from None
