"""Reference to a clip that has not been read yet: a file, a part of an archive, a remote object, or a piece of one."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from spectronorm.audio.places.held import HeldContent
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings

_EXACT_SUFFIXES = frozenset(
    (".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".rf64", ".snd", ".w64", ".wav", ".wave", ".wavex")
)
"""Suffixes of files in which most decoders find every sample without decoding those before it."""
RECORDING = "recording"
"""Column of a piece with the name of the file that it is cut from."""


@known_settings
@dataclass(frozen=True, slots=True)
class Span:
    """Section of a recording, in seconds from its beginning; without an `end` it ends with the recording.

    A span that cannot be (reversed, negative, NaN) is found when the clip is read, which counts the clip as bad: one
    wrong row of a table does not stop a pass.

    >>> Span(1.0, 2.5).frames(16_000)
    (16000, 40000)
    >>> Span(2.0, 1.0).problem
    'its span 0002.000-0001.000 is reversed'
    """

    start: float = 0.0
    end: float | None = None

    @property
    def problem(self) -> str | None:
        """Reason why no recording has such a section; None for a possible span."""
        end = self.start + 1 if self.end is None else self.end
        if not (math.isfinite(self.start) and math.isfinite(end)):
            return f"its span {self} is not made of finite numbers"
        if self.start < 0:
            return f"its span {self} begins before the recording"
        if end < self.start or end == self.start == self.end:
            return f"its span {self} is {'empty' if end == self.start else 'reversed'}"
        return None

    def frames(self, sample_rate: int) -> tuple[int, int | None]:
        """The first sample and the one behind the last, at a recording's own rate (Hz), each rounded.

        Raises:
            AudioError: if the span is empty, reversed, negative, or not finite.
        """
        if self.problem is not None:
            raise AudioError(BadAudioReason.SPAN, self.problem)
        start, stop = self.rounded(sample_rate)
        if stop is not None and stop <= start:
            raise AudioError(BadAudioReason.SPAN, f"its span {self} is shorter than a sample at {sample_rate} Hz")
        return start, stop

    def rounded(self, sample_rate: int) -> tuple[int, int | None]:
        """The result of `frames`, unchecked but for a `problem`."""
        return round(self.start * sample_rate), None if self.end is None else round(self.end * sample_rate)

    def __str__(self) -> str:
        return f"{_seconds(self.start)}-{'end' if self.end is None else _seconds(self.end)}"


@dataclass(frozen=True, slots=True)
class SampleSpan(Span):
    """Section of a recording whose `start` and `end` count samples at the recording's own rate, from 0."""

    def rounded(self, sample_rate: int) -> tuple[int, int | None]:
        """Return the samples themselves, whatever the rate."""
        del sample_rate
        return round(self.start), None if self.end is None else round(self.end)

    def __str__(self) -> str:
        return f"{self.start:09.0f}-{'end' if self.end is None else f'{self.end:09.0f}'}"


def _seconds(value: float) -> str:
    """Seconds with three decimals, or up to seven if the number needs them: spans that differ have other names."""
    if not abs(value) < 1e9:  # also NaN
        return str(value)
    value = round(value, 7)
    short = f"{value:08.3f}"
    return short if float(short) == value else f"{value:012.7f}".rstrip("0")


@dataclass(frozen=True, slots=True)
class Part:
    """Location of a clip that is not a file of its own.

    Attributes:
        place: The archive or object: a local path, or an fsspec URL.
        start: Offset of its first byte.
        stored: Number of bytes stored; None for the whole object.
        size: Number of bytes when unpacked; None if unknown.
        method: `stored`, `deflate` (a zip member), or `gz`, `bz2`, `xz` (a member of a compressed tar; `start` then
            counts unpacked bytes).
        crc: CRC-32 of the unpacked bytes, or None.
        problem: Description of why it cannot be read, found when the archive was listed; None if it can be read.
        reason: Reason that belongs to the problem.
        array: Type and shape of a tensor, or the name of a data set or column, if the bytes do not contain it.
        held: Content of a clip that lies in no file.
    """

    place: str
    start: int = 0
    stored: int | None = None
    size: int | None = None
    method: str = "stored"
    crc: int | None = None
    problem: str | None = None
    array: str | None = None
    held: HeldContent | None = None
    reason: BadAudioReason = BadAudioReason.UNREADABLE


@known_settings
@with_short_repr
@dataclass(frozen=True, slots=True)
class ClipReference:
    """One clip that has not been read yet: its name within the source, its location, and its columns (label, fold, …).

    A member of an archive or a remote object also has a `part`, and its location then only serves for display. The
    location is stored as text, which takes a quarter of the memory of a path: there may be millions of clips.

    A piece of a recording has a `span`, or is one `channel` (from 0), or both; make it with `piece`, which names it.

    >>> clip = ClipReference("dog/a.wav", "/sounds/dog/a.wav", {"label": "dog"})
    >>> piece = clip.piece(Span(1.0, 2.5), channel=None)
    >>> piece.name, piece.recording, piece.is_piece
    ('dog/a/0001.000-0002.500.wav', 'dog/a.wav', True)
    """

    name: str
    location: str | Path
    columns: Mapping[str, str] = field(default_factory=dict)
    part: Part | None = None
    span: Span | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "location", os.fspath(self.location))

    @property
    def path(self) -> Path:
        """The location as a path."""
        return Path(self.location)

    @property
    def is_piece(self) -> bool:
        """True unless the clip is a whole file with its channels."""
        return self.span is not None or self.channel is not None

    @property
    def recording(self) -> str:
        """Name of the recording that the clip is, or is cut from."""
        return self.columns.get(RECORDING, self.name)

    def piece(self, span: Span | None, channel: int | None = None, *, name: str | None = None) -> ClipReference:
        """This clip's section, or one of its channels, as a clip of its own, with a column `recording`.

        Args:
            span: Seconds from the beginning of the file, not of this clip; None for this clip's own span.
            channel: Index of the channel, from 0; None for this clip's own.
            name: Name of the piece, by default `FOLDER/STEM/0001.000-0003.500.wav` for a span of `FOLDER/STEM.wav`,
                and `NAME#1` for a channel.
        """
        kept = self.span if span is None else span
        named = self.name if span is None else piece_name(self.name, span)
        if channel is not None:
            named = f"{named}#{channel}"
        columns = {**self.columns, RECORDING: self.recording}
        if channel is not None:
            columns["channel"] = str(channel)
        one = self.channel if channel is None else channel
        return ClipReference(name or named, self.location, columns, self.part, kept, one)


def piece_name(recording: str, span: Span) -> str:
    """Name of a section of a recording: a file with the recording's suffix in a folder of the recording's name.

    >>> piece_name("night/owls.flac", Span(1, 3.5)), piece_name("a", Span(0.0000625))
    ('night/owls/0001.000-0003.500.flac', 'a/0000.0000625-end')
    """
    stem, suffix = _stem_and_suffix(recording)
    return f"{stem}/{span}{suffix}"


@lru_cache(maxsize=1 << 12)
def _stem_and_suffix(recording: str) -> tuple[str, str]:
    path = PurePosixPath(recording)
    suffix = path.suffix if path.suffix.lower() != path.name.lower() else ""
    return recording[: len(recording) - len(suffix)], suffix


def decoded_in_order(clip: ClipReference) -> tuple[str, Part | None] | None:
    """Return the file of a piece that must be decoded from its beginning, by its suffix; None for any other clip."""
    if clip.span is None or PurePosixPath(clip.location).suffix.lower() in _EXACT_SUFFIXES:
        return None
    return str(clip.location), clip.part


def label_columns(name: str) -> Mapping[str, str]:
    """Return the columns of a clip known only by name: its folder is its label."""
    label, inside, _ = name.partition("/")
    return _label(label if inside else "")


@lru_cache(maxsize=1 << 12)
def _label(label: str) -> Mapping[str, str]:
    """Return one mapping shared by all clips of a label: there may be millions."""
    return {"label": label} if label else {}


def reading_place(clip: ClipReference) -> tuple[str, int, str, float]:
    """Return a sort key by the position in an archive, for sequential reading; files keep their order.

    In a compressed tar, every step back means unpacking again from the beginning. Pieces are sorted by recording and
    start, since a step back in a lossy file means decoding it again.
    """
    file, start = ("", 0) if clip.part is None else (clip.part.place, clip.part.start)
    if clip.span is None:
        return file, start, "", 0.0
    return file, start, str(clip.location), 0.0 if math.isnan(clip.span.start) else clip.span.start
