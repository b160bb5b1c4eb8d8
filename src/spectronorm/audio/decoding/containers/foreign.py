"""Containers that libsndfile does not know, by their first bytes: FFmpeg's libraries decode them (extra `av`)."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.audio.decoding.containers.id3 import end_of_tags
from spectronorm.audio.decoding.containers.view import FileBytes
from spectronorm.errors import AudioError, BadAudioReason


@dataclass(frozen=True)
class Foreign:
    """A container that libsndfile cannot read.

    Attributes:
        name: Name for people.
        demuxer: FFmpeg's name of its reader, which is never left to guess: some of its formats open other files.
        exact: True if the container states its length exactly enough to tell that sound is missing.
    """

    name: str
    demuxer: str
    exact: bool = False


_ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_BY_BRAND = {b"M4A ": "MP4 (M4A)", b"M4B ": "MP4 (M4B)", b"qt  ": "QuickTime", b"3gp": "3GP", b"3g2": "3GP2"}
_BY_START = (
    (b"\x1a\x45\xdf\xa3", Foreign("Matroska or WebM", "matroska", exact=True)),
    (bytes.fromhex("3026b2758e66cf11"), Foreign("Windows Media (ASF)", "asf", exact=True)),
    (b"wvpk", Foreign("WavPack", "wv", exact=True)),
    (b"TTA1", Foreign("True Audio (TTA)", "tta", exact=True)),
    (b"MAC ", Foreign("Monkey's Audio (APE)", "ape", exact=True)),
    (b"FLV\x01", Foreign("Flash video", "flv", exact=True)),
    (b"#!AMR", Foreign("AMR", "amr")),
    (b".RMF", Foreign("RealMedia", "rm", exact=True)),
    (b"DSD ", Foreign("DSD (DSF)", "dsf")),
    (b"FRM8", Foreign("DSD (DFF)", "iff")),
    (b"MPCK", Foreign("Musepack", "mpc8")),
    (b"MP+", Foreign("Musepack", "mpc")),
    (b"\x00\x00\x01\xba", Foreign("an MPEG program stream", "mpeg")),
    (b"\x7f\xfe\x80\x01", Foreign("DTS", "dts")),
)
_UNSUPPORTED = (
    (b"RIFF", Foreign("WAV with an encoding that libsndfile does not know", "wav")),
    (b"OggS", Foreign("Ogg with an encoding that libsndfile does not know", "ogg")),
    (b"caff", Foreign("CAF with an encoding that libsndfile does not know", "caf")),
    (b"FORM", Foreign("AIFF with an encoding that libsndfile does not know", "aiff")),
    (b".snd", Foreign("AU with an encoding that libsndfile does not know", "au")),
)
_WAV_ENCODINGS = frozenset({1, 2, 3, 6, 7, 0x11, 0x31, 0x38, 0x40, 0xFFFE})
_OGG_ENCODINGS = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC")
_CAF_ENCODINGS = (b"lpcm", b"ulaw", b"alaw")
"""Encodings that libsndfile knows, as the containers name them."""
_UNKNOWN_SIZES = 0x7F000000
"""Sizes from here on are left by writers that could not go back to fill in the true one."""
_TRANSPORT_PACKET = 188


def foreign(file: FileBytes) -> Foreign | None:
    """The container, if it is one of those that libsndfile cannot read; None for all others.

    Raises:
        AudioError: if it is an AVI file that has been cut, which FFmpeg does not tell.
    """
    head = file.at(0, 16)
    if head[4:8] in _ISO_BOXES and int.from_bytes(head[:4], "big") >= 8:
        brands = (_BY_BRAND.get(head[8:12][:size]) for size in (4, 3))
        name = next((brand for brand in brands if brand), "MP4") if head[4:8] == b"ftyp" else "QuickTime"
        return Foreign(name, "mov", exact=True)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        _require_riff_whole(file, int.from_bytes(head[4:8], "little"))
        return Foreign("AVI", "avi", exact=True)
    for start, found in _BY_START:
        if head.startswith(start):
            return found
    if head[:1] == b"G" and file.at(_TRANSPORT_PACKET, 1) == file.at(2 * _TRANSPORT_PACKET, 1) == b"G":
        return Foreign("an MPEG transport stream", "mpegts")
    return _by_frames(file)


def _require_riff_whole(file: FileBytes, claimed: int) -> None:
    if file.size < claimed + 8 and claimed < _UNKNOWN_SIZES:
        raise AudioError(BadAudioReason.TRUNCATED, f"it is AVI and claims {claimed + 8} bytes, but has {file.size}")


def unsupported(file: FileBytes) -> Foreign | None:
    """A container that libsndfile knows, to be read by FFmpeg because libsndfile does not know its encoding."""
    head = file.at(0, 4)
    return next((found for start, found in _UNSUPPORTED if head == start), None)


def needs_ffmpeg(file: FileBytes) -> bool:
    """Tell if FFmpeg decodes a file, or may have to: libsndfile does not know its container or the named encoding."""
    try:
        if foreign(file) is not None:
            return True
    except AudioError:
        return False
    head = file.at(0, 64)
    if head[:4] == b"RIFF" and head[12:16] == b"fmt ":
        return int.from_bytes(head[20:22], "little") not in _WAV_ENCODINGS
    if head[:4] == b"OggS":
        return not file.at(27 + head[26], 8).startswith(_OGG_ENCODINGS)
    return head[:4] == b"caff" and head[8:12] == b"desc" and head[28:32] not in _CAF_ENCODINGS


def _by_frames(file: FileBytes) -> Foreign | None:
    """Streams without a container, by the headers of their first two frames."""
    begin = end_of_tags(file)
    head = file.at(begin, 8)
    if len(head) < 8:
        return None
    if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        following = file.at(begin + length, 2)
        if length > 7 and (not following or (following[0] == 0xFF and following[1] & 0xF6 == 0xF0)):
            return Foreign("AAC (ADTS)", "aac")
    if head[:2] == b"\x0b\x77":
        return Foreign("AC-3", "ac3") if head[5] >> 3 <= 10 else Foreign("E-AC-3", "eac3")
    if head[0] == 0x56 and head[1] & 0xE0 == 0xE0:
        length = ((head[1] & 0x1F) << 8 | head[2]) + 3
        following = file.at(begin + length, 2)
        if len(following) == 2 and following[0] == 0x56 and following[1] & 0xE0 == 0xE0:
            return Foreign("AAC (LATM)", "loas")
    return None
