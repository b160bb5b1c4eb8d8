"""Clips of a source as levels of one size, with an explicit rule for longer and shorter clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Source
from spectronorm.engines import Engine, ThreadEngine
from spectronorm.errors import ArgumentError, AudioError, SourceError
from spectronorm.features import read_as_one
from spectronorm.front_end import FrontEnd, frames_of, shortest_length
from spectronorm.passes.one_pass import MAX_BAD, OneClip, one_pass
from spectronorm.profile import BadFile
from spectronorm.runs.progress import Progress

FIX_LENGTH = ("crop", "pad", "crop-or-pad")
"""Values of `--fix-length`: cut longer clips at their end, lengthen shorter ones at their end with zeros, or both."""


@dataclass(frozen=True)
class ImageWindow:
    """Stretch of sound shown by a square image.

    Attributes:
        front_end: Front end with one band for each row of the image.
        frames: Number of frames, equal to the number of bands.
        fix_length: One of `FIX_LENGTH`, or None if every clip must have the exact length.

    Raises:
        ArgumentError: if the numbers of bands and frames differ, or the rule is unknown.
    """

    front_end: FrontEnd
    frames: int
    fix_length: str | None = None

    def __post_init__(self) -> None:
        if self.front_end.n_bands != self.frames:
            raise ArgumentError(
                f"the front end has {self.front_end.n_bands} bands, but images of size {self.frames} need as many "
                f"bands as frames; use --n-mels {self.frames}, or another --size"
            )
        if self.fix_length is not None and self.fix_length not in FIX_LENGTH:
            raise ArgumentError(f"fix_length={self.fix_length!r} must be one of {', '.join(FIX_LENGTH)}")

    @property
    def samples(self) -> int:
        """Smallest number of samples that gives the number of frames."""
        return shortest_length(self.front_end, self.frames)

    @property
    def seconds(self) -> float:
        """Length of the window in seconds."""
        return self.samples / self.front_end.sample_rate

    def fixed(self, wave: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        """Return a waveform of `samples` samples.

        Raises:
            ArgumentError: if the waveform has another length and the rule does not cover it.
        """
        if frames_of(self.front_end, len(wave)) == self.frames:
            return wave[: self.samples]
        longer = len(wave) > self.samples
        if (self.fix_length or "") not in (("crop", "crop-or-pad") if longer else ("pad", "crop-or-pad")):
            raise ArgumentError(
                f"{name}: has {len(wave)} samples, but images of {self.frames} frames show {self.samples} "
                f"({self.seconds:.3f} s at {self.front_end.sample_rate} Hz); give a rule for "
                f"{'longer' if longer else 'shorter'} clips: --fix-length {'crop' if longer else 'pad'}, or crop-or-pad"
            )
        fixed = np.zeros(self.samples, dtype=np.float32)
        fixed[: len(wave)] = wave[: self.samples]
        return fixed


@dataclass(frozen=True, eq=False)
class LevelClips:
    """Levels of a source's usable clips, in the source's order.

    Attributes:
        levels: Levels `(clip, band, frame)`.
        labels: The class index of each clip; all 0 if classes were not asked for.
        classes: The names of the classes, in order.
        names: The names of the clips.
        bad: Files that were left out.
    """

    levels: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    names: tuple[str, ...]
    bad: tuple[BadFile, ...] = ()


@dataclass(frozen=True)
class _Read(OneClip):
    index: int
    level: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    bad: tuple[BadFile, ...] = ()


def read_levels(
    source: Source,
    window: ImageWindow,
    *,
    classes: Sequence[str] | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> LevelClips:
    """Decode every clip, bring it to the window's length, and compute its level.

    Args:
        source: The clips.
        window: Window of an image.
        classes: The names of the classes, in the order of their indices; None if labels are not needed.
        max_bad: Largest accepted share of bad files.
        engine: Engine that runs the work.
        progress: Called with the number of clips done and the total number of clips.

    Raises:
        TooManyBad: if the share of bad files exceeds `max_bad`, or if all files are bad.
        ArgumentError: if a clip's length does not fit and there is no rule for it.
        SourceError: if a clip has no label or an unknown one.
    """
    front_end = window.front_end
    source = read_as_one(source, front_end)
    number = None if classes is None else _numbers(source, classes)

    def read(item: tuple[int, ClipReference]) -> _Read:
        index, clip = item
        try:
            wave = source.reader.read(clip, front_end.sample_rate, resampler=front_end.resampler).valid
            return _Read(index, front_end.clip_level(window.fixed(wave, clip.name)).astype(np.float32))
        except AudioError as error:
            return _Read(index, bad=(BadFile.of(clip.name, error),))

    items = list(enumerate(source))
    with one_pass(source, read, items, max_bad=max_bad, engine=engine or ThreadEngine(), progress=progress) as results:
        good = sorted((one for one in results if not one.bad), key=lambda one: one.index)
    return LevelClips(
        np.stack([one.level for one in good]),
        np.array([0 if number is None else number[one.index] for one in good], dtype=np.int64),
        tuple(classes or ()),
        tuple(source.clips[one.index].name for one in good),
        results.bad,
    )


def classes_of(source: Source, label: str = "label") -> tuple[str, ...]:
    """Return the names of the classes in order; numbers are sorted as numbers.

    Raises:
        SourceError: if a clip has no label.
    """
    missing = [clip.name for clip in source if label not in clip.columns]
    if missing:
        raise SourceError(
            f"{len(missing)} of {len(source)} clips have no {label} ({missing[0]} is the first); put each class into a "
            "folder of its name, or list the clips in a table with a column label"
        )
    names = {clip.columns[label] for clip in source}
    return tuple(sorted(names, key=lambda name: (0, int(name), name) if name.isdecimal() else (1, 0, name)))


def _numbers(source: Source, classes: Sequence[str]) -> list[int]:
    number = {name: i for i, name in enumerate(classes)}
    unknown = set(classes_of(source)) - set(classes)
    if unknown:
        raise SourceError(f"the source has a class {min(unknown)!r}, which is not among {', '.join(classes)}")
    return [number[clip.columns["label"]] for clip in source]
