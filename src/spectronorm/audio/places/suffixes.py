"""File names that are recognized as audio."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from pathlib import PurePosixPath

_SUFFIXES = """
    .aif .aifc .aiff .au .avr .caf .flac .htk .ircam .mat4 .mat5 .mp1 .mp2 .mp3 .mpc2k .nist .oga .ogg .opus .paf
    .pvf .rf64 .sd2 .sds .sf .snd .sph .svx .voc .w64 .wav .wave .wavex .wve .xi
"""
_FFMPEG_SUFFIXES = """
    .3g2 .3gp .aac .ac3 .adts .amr .ape .asf .avi .dff .dsf .dts .eac3 .flv .m4a .m4b .m4r .m4v .mka .mkv .mov .mp4
    .mpc .mpeg .mpg .ra .rm .spx .tta .webm .wma .wmv .wv
"""
FFMPEG_SUFFIXES = frozenset(_FFMPEG_SUFFIXES.split())
"""Suffixes of formats, videos among them, that FFmpeg's libraries decode (extra `av`)."""
AUDIO_SUFFIXES = frozenset(_SUFFIXES.split()) | FFMPEG_SUFFIXES
"""Suffixes that a scan of a folder recognizes as audio; a table may name any file."""

_HIDDEN = re.compile(r"(?:^|/)\.(?!/|\Z|\./|\.\Z)")
"""The beginning of a part of a name that is hidden; `.` and `..` are not."""


def is_audio(name: str) -> bool:
    """Return true if a file name is recognized as audio: it has a known suffix and is not hidden."""
    return posixpath.splitext(name.rstrip("/"))[1].lower() in AUDIO_SUFFIXES and not _is_hidden(name)


def _is_hidden(name: str) -> bool:
    return _HIDDEN.search(name) is not None


def suffix_of(name: str) -> str:
    """Return the suffix of a name in lower case, or words that say that it has none."""
    return PurePosixPath(name).suffix.lower() or "(no suffix)"


class AudioNames:
    """`is_audio` as an object that counts the names which are not.

    Attributes:
        unread: Number of names that are not audio, by suffix; hidden names are not counted.
    """

    def __init__(self) -> None:
        self.unread: Counter[str] = Counter()

    def __call__(self, name: str) -> bool:
        """Return true if a file name is recognized as audio."""
        audio = is_audio(name)
        if not audio and not _is_hidden(name):
            self.unread[suffix_of(name)] += 1
        return audio
