"""One clip as the page shows it: level, sound and remarks, of a long clip its first minute."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Reader, Span
from spectronorm.audio.decoding.length import length_of
from spectronorm.audio.long_clip import is_large
from spectronorm.audio.places.reference import SampleSpan
from spectronorm.display import Player
from spectronorm.features import read_level
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels

_MOST_SECONDS = 60.0
"""Longer clips are shown up to here."""
_MOST_CELLS = 1 << 22
"""Largest number of cells of a level: 16 MB in the browser."""


@dataclass(frozen=True, eq=False)
class ClipView:
    """A clip as it is shown.

    Attributes:
        level: Level `(row, frame)`.
        samples: Samples `(sample,)` or `(channel, sample)` that the level was made of; None for files of levels.
        wav: The samples as a WAV file of 16 bits, at the front end's rate; None for files of levels.
        seconds: Length that is shown; None if levels have no frame rate.
        remarks: Everything odd about the clip, and that it is cut, if it is.
    """

    level: NDArray[np.float32]
    samples: NDArray[np.float32] | None
    wav: bytes | None
    seconds: float | None
    remarks: tuple[str, ...]


def view_clip(clip: ClipReference, front_end: AnyFrontEnd, reader: Reader) -> ClipView:
    """Read a clip and compute its level.

    Raises:
        AudioError: if the clip cannot be read, or is shorter than one window.
    """
    if isinstance(front_end, Levels):
        return _of_file(clip, front_end)
    beginning, remarks = _beginning(clip, reader)
    sound = reader.read(beginning, front_end.sample_rate, resampler=front_end.resampler)
    samples = sound.at_least(front_end.min_samples)
    most = round(_most_seconds(front_end) * front_end.sample_rate)
    if samples.shape[-1] > most:
        remarks = (*remarks, _only(most / front_end.sample_rate, samples.shape[-1] / front_end.sample_rate))
        samples = samples[..., :most]
    level = np.ascontiguousarray(front_end.clip_level(samples), dtype=np.float32)
    loudest = float(np.abs(samples).max())
    player = Player(np.atleast_2d(samples) / np.float32(max(1.0, loudest)), front_end.sample_rate)
    said = tuple(f"{remark.reason.value}: {remark.detail}" for remark in sound.flags)
    return ClipView(level, samples, player.wav(), samples.shape[-1] / front_end.sample_rate, (*remarks, *said))


def _of_file(clip: ClipReference, levels: Levels) -> ClipView:
    level = read_level(clip, levels)
    most = _MOST_CELLS // len(level)
    remarks = (f"the first {most} of {level.shape[1]} frames are shown",) if level.shape[1] > most else ()
    shown = np.ascontiguousarray(level[:, :most], dtype=np.float32)
    seconds = None if levels.frame_rate is None else shown.shape[1] / levels.frame_rate
    return ClipView(shown, None, None, seconds, remarks)


def _most_seconds(front_end: FrontEnd) -> float:
    frames = _MOST_CELLS // front_end.n_bands
    return min(_MOST_SECONDS, frames * front_end.stft.hop / front_end.sample_rate)


def _beginning(clip: ClipReference, reader: Reader) -> tuple[ClipReference, tuple[str, ...]]:
    """Return the clip's first minute as a clip of its own, if it is a long one: recordings of hours are not held."""
    if not is_large(clip):
        return clip, ()
    length = length_of(clip, reader.untrusted)
    start, stop = (Span() if clip.span is None else clip.span).frames(length.sample_rate)
    stop = length.samples if stop is None else min(stop, length.samples)
    most = round(_MOST_SECONDS * length.sample_rate)
    if stop - start <= most:
        return clip, ()
    span = SampleSpan(float(start), float(start + most))
    return replace(clip, span=span), (_only(_MOST_SECONDS, (stop - start) / length.sample_rate),)


def _only(shown: float, seconds: float) -> str:
    return f"the first {shown:.3g} of {seconds:,.1f} s are shown, as a clip of their own"


@dataclass(frozen=True)
class TimeAxis:
    """Times of frames in seconds: `first` is the centre of the first frame; None if levels have no frame rate."""

    step: float | None
    first: float

    @classmethod
    def of(cls, front_end: AnyFrontEnd) -> TimeAxis:
        """Find the centres of frames in the waveform."""
        if isinstance(front_end, Levels):
            return cls(None if front_end.frame_rate is None else 1.0 / front_end.frame_rate, 0.0)
        stft = front_end.stft
        first = stft.frame_samples / 2 - stft.padding
        rate = front_end.sample_rate
        return cls(stft.hop / rate, (first + front_end.level.shortens) / rate)
