"""One clip's level, whether a front end computes it from audio or a file holds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Reader
from spectronorm.audio.native_format import NativeFormat
from spectronorm.errors import AudioError
from spectronorm.features import read_stamped_level
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels
from spectronorm.profile import LevelClip, digest


@dataclass(frozen=True, eq=False)
class ClipLevel:
    """A clip's level in float64 `(row, frame)`, its samples if there are any, and what a profile knows it by.

    Attributes:
        level: The level, without padding.
        samples: The samples without padding; None where the level comes from a file.
        digest: The digest under which a profile counts the clip.
        flat: All samples, or else all values of the level, are equal.
        frames: Number of frames with the padding that a fixed duration brings.
        native: Format of the recording; None where the level comes from a file.
    """

    level: NDArray[np.float64]
    samples: NDArray[np.float32] | None
    digest: bytes
    flat: bool
    frames: int
    native: NativeFormat | None = None

    def shaped(self, front_end: AnyFrontEnd) -> NDArray[np.float64]:
        """The level as normalizers take it: `(band, frame)`, or `(channel, band, frame)`."""
        return self.level.reshape(*front_end.level_shape, self.level.shape[-1])


def read_clip_level(
    clip: ClipReference,
    front_end: AnyFrontEnd,
    reader: Reader,
    *,
    duration: float | None = None,
    with_stamp: bool = False,
) -> tuple[bytes, ClipLevel | AudioError]:
    """The stamp of the bytes that a clip was read from (or nothing), and its level or the error that it has none."""
    if isinstance(front_end, Levels):
        return _from_file(clip, front_end, duration, with_stamp=with_stamp)
    return _from_audio(clip, front_end, reader, duration, with_stamp=with_stamp)


def _from_file(
    clip: ClipReference, levels: Levels, duration: float | None, *, with_stamp: bool
) -> tuple[bytes, ClipLevel | AudioError]:
    read = read_stamped_level(clip, levels, duration=duration, with_stamp=with_stamp)
    try:
        level = read.level_or_raise()
        counted = LevelClip.of(level, levels)
    except AudioError as error:
        return read.stamp, error
    frames = counted.frames
    if duration is not None and levels.frame_rate is not None:
        frames = max(frames, round(duration * levels.frame_rate))
    return read.stamp, ClipLevel(level.astype(np.float64), None, counted.digest, counted.flat, frames)


def _from_audio(
    clip: ClipReference, front_end: FrontEnd, reader: Reader, duration: float | None, *, with_stamp: bool
) -> tuple[bytes, ClipLevel | AudioError]:
    read = reader.read_stamped(
        clip, front_end.sample_rate, duration=duration, resampler=front_end.resampler, with_stamp=with_stamp
    )
    try:
        sound = read.clip_or_raise()
        samples = sound.at_least(front_end.min_samples)
        level = front_end.clip_level(samples)
    except AudioError as error:
        return read.stamp, error
    frames = front_end.frames(sound.samples.shape[-1])
    return read.stamp, ClipLevel(level, samples, digest(samples), sound.flat is not None, frames, sound.native)
