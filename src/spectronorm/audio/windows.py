"""Windows: pieces of equal length that long recordings are cut into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from spectronorm.arrays import real_number, require_choice
from spectronorm.audio.decoding.length import Length, length_of
from spectronorm.audio.duration import MAX_SECONDS, MIN_SECONDS
from spectronorm.audio.places.reference import ClipReference, Part, Span
from spectronorm.audio.read import Reader
from spectronorm.audio.sources import Source
from spectronorm.errors import ArgumentError, AudioError, SourceError
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

LAST_WINDOW = ("pad", "keep", "drop")
"""Rules for the rest of a recording that is shorter than a window."""
MOST_WINDOWS = 10_000_000
"""The most windows of a source: their names alone take gigabytes."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Windows:
    """Windows of `seconds`, of which neighbours share `overlap` seconds; `last` is the rule for a recording's rest.

    A rest is what is left behind the last whole window, or a recording that is shorter than one window. It is made if
    it holds sound that no other window has. With `pad` it counts as long as it is, and outputs of a fixed size are
    filled with zeros behind it, as for `duration`; with `keep` it stays a shorter clip, unless it is shorter than one
    frame and follows another window; with `drop` it is left out.

    Raises:
        ArgumentError: if the overlap is not shorter than the window, or a setting is out of range.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(pathlib.Path(folder) / "a.wav", np.full(80_000, 0.1), 8000)
    ...     cut = Windows(4.0, overlap=1.0).cut(sn.open_source(folder))
    >>> [clip.name for clip in cut.clips]
    ['a/0000.000-0004.000.wav', 'a/0003.000-0007.000.wav', 'a/0006.000-0010.000.wav']
    """

    seconds: float
    overlap: float = 0.0
    last: str = "pad"

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", real_number(self.seconds, "window", MIN_SECONDS, MAX_SECONDS, of="s"))
        object.__setattr__(self, "overlap", real_number(self.overlap, "overlap", 0.0, MAX_SECONDS, of="s"))
        require_choice(self.last, "last", LAST_WINDOW)
        if self.overlap >= self.seconds:
            raise ArgumentError(
                f"overlap={self.overlap} s must be shorter than window={self.seconds} s: each window begins "
                "window - overlap after the one before"
            )

    def cut(self, source: Source, *, shortest: float = 0.0) -> Source:
        """Cut every clip of a source; clips whose length cannot be told stay whole, and reading them says why.

        Args:
            source: The recordings, or pieces of recordings.
            shortest: Length of one frame in seconds, for `keep`.

        Raises:
            SourceError: if nothing is left, or there would be too many windows.
        """
        lengths: dict[tuple[str, Part | None], Length | None] = {}
        pieces: list[ClipReference] = []
        for clip in source:
            file = str(clip.location), clip.part
            if file not in lengths:
                lengths[file] = _length(clip, source.reader)
            pieces.extend(self._of_clip(clip, lengths[file], shortest))
            if len(pieces) > MOST_WINDOWS:
                raise SourceError(f"window={self.seconds} s makes more than {MOST_WINDOWS} windows; take longer ones")
        if not pieces:
            raise SourceError(f"no recording is as long as a window of {self.seconds:g} s; pad or keep the last ones")
        return replace(source, clips=tuple(pieces))

    def duration(self, given: float | None) -> float | None:
        """Length in seconds that each window is read with: a window for `pad`; None is as long as it is.

        Raises:
            ArgumentError: if another duration is given.
        """
        if given is not None:
            raise ArgumentError(f"window={self.seconds} and duration={given} both say how long clips are; give one")
        return self.seconds if self.last == "pad" else None

    def _of_clip(self, clip: ClipReference, length: Length | None, shortest: float) -> Iterator[ClipReference]:
        if length is None or (clip.span is not None and clip.span.problem is not None):
            yield clip
            return
        rate, frames = length.sample_rate, length.samples
        first, end = (0, None) if clip.span is None else clip.span.rounded(rate)
        there = frames if end is None else min(end, frames)
        if first >= there:  # reading it says why
            yield clip
            return
        begin, held = 0.0 if clip.span is None else clip.span.start, 0
        for number in range(MOST_WINDOWS + 1):
            start = begin + number * (self.seconds - self.overlap)
            span = Span(round(start, 9), round(start + self.seconds, 9))
            here, stop = span.frames(rate)
            if number and held >= there:
                return  # the window before holds all that is left
            held = there if stop is None else stop
            if stop is not None and stop <= there:
                yield clip.piece(span)
            elif self._is_made(number, (there - here) / rate, shortest):
                yield clip.piece(Span(span.start, None if clip.span is None else clip.span.end))

    def _is_made(self, number: int, rest: float, shortest: float) -> bool:
        return self.last == "pad" or (self.last == "keep" and (number == 0 or rest >= shortest))


def windows_of(window: float | Windows | None, overlap: float) -> Windows | None:
    """The windows that these arguments of a call describe; None without a window.

    Raises:
        ArgumentError: if there is an overlap without a window, or in both places.
    """
    if window is None and overlap:
        raise ArgumentError(f"overlap={overlap} needs a window: seconds that recordings are cut into")
    if isinstance(window, Windows) and overlap:
        raise ArgumentError(f"overlap={overlap} and {window} both say how windows overlap; give one")
    return window if window is None or isinstance(window, Windows) else Windows(window, overlap)


def _length(clip: ClipReference, reader: Reader) -> Length | None:
    try:
        return length_of(clip, reader.untrusted)
    except AudioError:
        return None
