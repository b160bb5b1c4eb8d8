"""Sources of deployed audio: the clips of a source, a growing folder, or a list of names."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import whole_number
from spectronorm.audio import ClipReference, Reader, Source, Windows, release
from spectronorm.audio.places.suffixes import AUDIO_SUFFIXES
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason, SourceError
from spectronorm.features import open_for, read_level
from spectronorm.front_end import AnyFrontEnd, Levels, require_front_end
from spectronorm.monitor.feed.folder import FoundFile, look
from spectronorm.monitor.seen_files import Mark, SeenFiles
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class Incoming:
    """One clip as it comes: its samples or level, or why there is neither; when it came, and how far that brings us.

    >>> import numpy as np
    >>> clip = Incoming("a.wav", np.zeros(8000, np.float32), None, at=12.5)
    >>> clip.name, clip.problem
    ('a.wav', None)
    """

    name: str
    samples: NDArray[np.floating[Any]] | None
    problem: AudioError | None
    at: float
    mark: Mark | None = None


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Reading:
    """Settings for reading clips: at the front end's rate, cropped or cut into windows as the training clips were.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.wav"
    ...     soundfile.write(path, np.full(8000, 0.1), 8000)
    ...     clip = Reading(sn.FrontEnd(16_000))(path, "a.wav", at=0.0)
    >>> clip.samples.shape
    (16000,)
    """

    front_end: AnyFrontEnd
    duration: float | None = None
    reader: Reader = Reader()  # noqa: RUF009  (it is frozen)
    windows: Windows | None = None

    def __post_init__(self) -> None:
        if self.windows is not None and isinstance(self.front_end, Levels):
            raise ArgumentError(f"window={self.windows.seconds} s: windows are cut from audio, not from levels")

    @property
    def suffixes(self) -> Container[str]:
        """The suffixes of files that are taken for clips."""
        return (".npy",) if isinstance(self.front_end, Levels) else AUDIO_SUFFIXES

    def cut(self, source: Source) -> Source:
        """The source's recordings in windows, if there are any; a bad file stays whole, and reading it says why.

        Raises:
            SourceError: if nothing is left, or there would be too many windows.
        """
        if self.windows is None:
            return source
        front_end = require_front_end(self.front_end, "cutting windows")
        return self.windows.cut(source, shortest=front_end.min_samples / front_end.sample_rate)

    def each(self, path: Path, name: str, at: float, mark: Mark | None = None) -> Iterator[Incoming]:
        """Read a file: as one clip, or each of its windows; the mark comes with the last."""
        if self.windows is None:
            yield self(path, name, at, mark)
            return
        try:
            clips = self.cut(Source.of([ClipReference(name, path)], self.reader)).clips
        except SourceError as error:
            yield Incoming(name, None, AudioError(BadAudioReason.TOO_SHORT, str(error)), at, mark)
            return
        for number, clip in enumerate(clips, start=1):
            yield self(clip, clip.name, at, mark if number == len(clips) else None)

    def __call__(self, what: Path | ClipReference, name: str, at: float, mark: Mark | None = None) -> Incoming:
        """Read one clip; a bad clip is returned with its problem."""
        reference = what if isinstance(what, ClipReference) else ClipReference(what.name, what)
        try:
            if isinstance(self.front_end, Levels):
                level = read_level(reference, self.front_end, duration=self.duration)
                return Incoming(name, level.reshape(*self.front_end.level_shape, -1), None, at, mark)
            clip = self.reader.read(
                what, self.front_end.sample_rate, duration=self.duration, resampler=self.front_end.resampler
            )
        except AudioError as error:
            return Incoming(name, None, error, at, mark)
        return Incoming(name, clip.valid, None, at, mark)


@known_keywords
def existing(
    source: str | Path | Source, reading: Reading, seed: int = 0, *, seen: SeenFiles | None = None
) -> Iterator[Incoming]:
    """Yield every clip that a source holds now, each with the modification time of its file.

    The order is random: neighbours in a folder are often pieces of one recording, and a few pieces of one recording are
    not like a training set, whatever the device. The last clip carries the folder's mark, so that a later call yields
    only new files; all files of the folder are then added to `seen`.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a.wav", "b.wav"):
    ...         soundfile.write(pathlib.Path(folder) / name, np.full(8000, 0.1), 8000)
    ...     print(sorted(clip.name for clip in existing(folder, Reading(sn.FrontEnd(8000)))))
    ['a.wav', 'b.wav']
    """
    found = [one.mark for one in look(Path(source), reading.suffixes)] if isinstance(source, str | Path) else []
    opened = reading.cut(open_for(source, reading.front_end))
    for place, index in enumerate(
        np.random.default_rng(whole_number(seed, "seed", 0)).permutation(len(opened)), start=1
    ):
        clip = opened.clips[index]
        last = place == len(opened)
        if last and seen is not None:
            seen.add(*found)
        at = time.time() if clip.part is not None else _changed(clip.path)
        mark = max(found, default=None) if last else None
        yield replace(reading, reader=opened.reader)(clip, clip.name, at, mark)
    release()


def _changed(path: Path) -> float:
    """When a file was changed last, or now for anything else."""
    try:
        status = path.stat()
    except OSError:  # its reading says why
        return time.time()
    return status.st_mtime if stat.S_ISREG(status.st_mode) else time.time()


@known_keywords
def growing_folder(
    folder: Path,
    reading: Reading,
    *,
    after: Mark | None = None,
    seen: SeenFiles | None = None,
    poll: float = 2.0,
    once: bool = False,
    go_on: Callable[[], bool] = lambda: True,
) -> Iterator[Incoming | None]:
    """Yield the audio files in and below a folder in the order of their appearance, and then new ones as they come.

    A file is read after it has not changed for `poll` seconds, so a file that is still being written is left alone.
    A clock that is set back hides no file. A name that cannot be looked at comes once, with its problem.

    Args:
        folder: The folder to watch.
        reading: Settings for reading clips.
        after: Skip the files up to this mark, if `seen` is empty.
        seen: Files to skip; each file that is read is added.
        poll: Seconds between two looks, and until a file counts as complete.
        once: End when there is nothing new.
        go_on: Return false to stop.

    Yields:
        A clip, or None when there is nothing new.

    Raises:
        SourceError: if there is no such folder.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(pathlib.Path(folder) / "a.wav", np.full(8000, 0.1), 8000)
    ...     clips = list(growing_folder(pathlib.Path(folder), Reading(sn.FrontEnd(8000)), once=True))
    >>> [clip.name for clip in clips if clip is not None]
    ['a.wav']
    """
    if not folder.is_dir():
        raise SourceError(f"{folder}: there is no such folder; check the path")
    mark, seen = after or (0, ""), SeenFiles() if seen is None else seen
    if after is not None and not seen:
        seen.add(*(found.mark for found in look(folder, reading.suffixes) if found.mark[0] > 0 and found.mark <= after))
    since: dict[Mark, float] = {}
    while go_on():
        found = list(look(folder, reading.suffixes))
        seen.forget_others(one.mark for one in found)
        new = sorted((one for one in found if one.mark not in seen), key=lambda one: one.mark)
        since = {one.mark: since.get(one.mark, time.monotonic()) for one in new}
        settled = [one for one in new if once or _is_settled(one, since[one.mark], poll)]
        for one in settled:
            mark = max(mark, one.mark)
            for incoming in _read(folder, one, reading, mark):
                if incoming.mark is not None:  # of its windows, the last
                    seen.add(one.mark)
                yield incoming
        if not settled:
            yield None
            if once:
                return
            time.sleep(poll)


def _is_settled(found: FoundFile, since: float, poll: float) -> bool:
    """Tell if a file has not changed for `poll` seconds, by its change time or by when it was first found."""
    return found.mark[0] <= (time.time() - poll) * 1e9 or since <= time.monotonic() - poll


def _read(folder: Path, found: FoundFile, reading: Reading, mark: Mark) -> Iterator[Incoming]:
    changed, name = found.mark
    if found.problem is not None:
        yield Incoming(name, None, found.problem, time.time(), mark)
        return
    yield from reading.each(folder / name, name, changed / 1e9, mark)


@known_keywords
def listed(lines: Iterable[str], reading: Reading) -> Iterator[Incoming]:
    r"""Yield the files named by lines as the lines come: one clip for each, or each of its windows.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.wav"
    ...     soundfile.write(path, np.full(8000, 0.1), 8000)
    ...     clips = list(listed([f"{path}\n", "missing.wav\n"], Reading(sn.FrontEnd(8000))))
    >>> [None if clip.problem is None else clip.problem.reason.value for clip in clips]
    [None, 'missing']
    """
    for line in lines:
        if name := line.rstrip("\r\n"):
            yield from reading.each(Path(name), name, time.time())
