"""Measurement and inspection of every clip in the background: oddness, remarks, and at the end a profile."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Source
from spectronorm.engines import ThreadEngine
from spectronorm.errors import SpectronormError
from spectronorm.explore.distance import Oddness, Usual
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.passes.measure import MeasureTask
from spectronorm.passes.measure_levels import MeasureLevelsTask
from spectronorm.passes.measured import Measured, UnitTask
from spectronorm.passes.one_pass import OneClip, one_pass
from spectronorm.passes.units import Unit
from spectronorm.profile import BadFile, Measurement, Profile, RunningSum


@dataclass(frozen=True)
class Heard:
    """A clip that was measured: its number, its oddness if that is known, and remarks about it."""

    clip: int
    oddness: Oddness | None
    remarks: tuple[str, ...] = ()
    bad: bool = False


@dataclass(frozen=True)
class HeardSoFar:
    """State of the work: clips measured, then clips inspected, all clips, and why it ended early, if it did."""

    heard: int
    inspected: int
    total: int
    done: bool
    problem: str | None


@dataclass(frozen=True, eq=False)
class _Result(OneClip):
    clip: int
    measured: Measured

    @property
    def bad(self) -> Sequence[BadFile]:
        return self.measured.bad


@dataclass(frozen=True)
class _Task:
    """Measures one numbered clip, as `fit` does."""

    task: UnitTask

    def __call__(self, item: tuple[int, ClipReference]) -> _Result:
        number, clip = item
        return _Result(number, self.task(Unit((), (clip,))))


class _StoppedError(Exception):
    """The page was closed."""


class Listener:
    """Measures the clips of a source in a thread of its own, once, then inspects them, as `inspect` does.

    Any number of readers may ask what is known. With a profile, each clip's oddness is known as soon as the clip is
    measured; without, when all are. At the end `profile` is that of the source, as `fit` would have measured it, with
    the given profile's duration.
    """

    def __init__(self, source: Source, front_end: AnyFrontEnd, profile: Profile | None, workers: int) -> None:
        self._source, self._front_end, self._given = source, front_end, profile
        self._duration = None if profile is None else profile.duration
        self._engine = ThreadEngine(workers)
        self._usual = None if profile is None else Usual.of_profile(profile)
        self._lock = threading.Lock()
        self._stopped, self._begin = threading.Event(), threading.Event()
        self._heard: list[Heard] = []
        self._latest: dict[int, Heard] = {}
        self._measured = self._inspected = 0
        self._means = np.full((0 if profile is not None else len(source), front_end.n_bands), np.nan, np.float32)
        self._profile: Profile | None = None
        self._done = False
        self._problem: str | None = None
        self._head_start = 0.0
        self._thread = threading.Thread(target=self._run, name="spectronorm-listener", daemon=True)
        if profile is not None:
            self._begin_with(profile)

    def start(self, head_start: float = 0.0) -> None:
        """Begin to measure: after `begin`, or after `head_start` seconds if that comes first."""
        self._head_start = head_start
        self._thread.start()

    def begin(self) -> None:
        """End the head start: the first picture is there, and measuring no longer slows it down."""
        self._begin.set()

    @property
    def has_begun(self) -> bool:
        """True from `begin` on, or from the end of the head start."""
        return self._begin.is_set()

    def stop(self) -> None:
        """Stop measuring, and wait until the clips in hand are done."""
        self._stopped.set()
        self._begin.set()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self, seconds: float) -> bool:
        """Wait until everything is measured, at most so long; tell if it is."""
        self._thread.join(seconds)
        return self.progress().done

    def progress(self) -> HeardSoFar:
        """Return how far the measurement is."""
        with self._lock:
            return HeardSoFar(self._measured, self._inspected, len(self._source), self._done, self._problem)

    def since(self, first: int, most: int) -> list[Heard]:
        """Return at most `most` news from number `first` on; later news of a clip replace earlier ones."""
        with self._lock:
            return self._heard[first : first + most]

    def of(self, clip: int) -> Heard | None:
        """Return what is known of a clip."""
        with self._lock:
            return self._latest.get(clip)

    @property
    def profile(self) -> Profile | None:
        """Profile of the source; None until all clips are measured, or if no clip can be."""
        with self._lock:
            return self._profile

    def _begin_with(self, profile: Profile) -> None:
        """Know what the profile says of clips with these names, before any is read."""
        known = {file.path: (file, True) for file in profile.bad} | {f.path: (f, False) for f in profile.flagged}
        for number, clip in enumerate(self._source if known else ()):
            if clip.name in known:
                file, bad = known[clip.name]
                self._tell(Heard(number, None, (f"{file.reason.value}: {file.detail}",), bad))

    def _tell(self, heard: Heard) -> None:
        self._heard.append(heard)
        self._latest[heard.clip] = heard

    def _run(self) -> None:
        problem: str | None = None
        self._begin.wait(self._head_start)
        self._begin.set()
        try:
            self._measure()
            if not isinstance(self._front_end, Levels):
                self._inspect()
        except _StoppedError:
            pass
        except (SpectronormError, OSError) as error:
            problem = str(error)
        with self._lock:
            self._done, self._problem = True, problem

    def _measure(self) -> None:
        clips = list(enumerate(self._source))
        parts = RunningSum()
        bad: list[BadFile] = []
        flagged: list[BadFile] = []
        with one_pass(self._source, self._task(), clips, max_bad=None, engine=self._engine) as results:
            for result in results:
                self._require_open()
                measured = result.measured
                bad += measured.bad
                flagged += measured.flagged
                if measured.measurement is not None:
                    parts.add(measured.measurement)
                self._note(result)
        if len(bad) == len(clips):
            return
        profile = Profile(self._front_end, {(): parts.total()}, tuple(bad), self._duration, flagged=tuple(flagged))
        self._finish(profile)

    def _inspect(self) -> None:
        """Find what is odd about the files themselves, and tell it beside what is known."""
        from spectronorm.cleaning import inspect  # not needed before

        def count(done: int, _: int) -> None:
            self._require_open()
            with self._lock:
                self._inspected = done

        found = inspect(self._source, engine=self._engine, progress=count)
        remarks: dict[str, list[str]] = {}
        for one in found.found:
            remarks.setdefault(one.clip, []).append(f"{one.kind.value}: {one.detail}")
        for number, clip in enumerate(self._source if remarks else ()):
            known = self.of(number) or Heard(number, None)
            more = [text for text in remarks.get(clip.name, ()) if not _is_told(text, known.remarks)]
            if more:
                with self._lock:
                    self._tell(replace(known, remarks=(*known.remarks, *more)))

    def _require_open(self) -> None:
        if self._stopped.is_set():
            raise _StoppedError

    def _task(self) -> _Task:
        if isinstance(self._front_end, Levels):
            return _Task(MeasureLevelsTask(self._front_end, self._duration, self._source.reader, with_stamps=False))
        return _Task(MeasureTask(self._front_end, self._duration, self._source.reader, with_stamps=False))

    def _note(self, result: _Result) -> None:
        files = (*result.measured.bad, *result.measured.flagged)
        remarks = tuple(f"{file.reason.value}: {file.detail}" for file in files)
        found = result.measured.measurement
        oddness = None
        if found is not None:
            means = self._clip_means(found)
            if self._usual is None:
                self._means[result.clip] = means
            else:
                oddness = self._usual.oddness(means)
        with self._lock:
            self._measured += 1
            if self._usual is not None or remarks:
                self._tell(Heard(result.clip, oddness, remarks, bool(result.measured.bad)))

    def _clip_means(self, found: Measurement) -> NDArray[np.float64]:
        if self._given is not None and self._given.exclude_floor:
            return np.asarray(Profile(self._front_end, {(): found}, exclude_floor=True).band.mean)
        return found.total / (found.count * float(self._front_end.grid.steps))

    def _finish(self, profile: Profile) -> None:
        """Publish the profile, and without a given one each clip's oddness."""
        later: list[Heard] = []
        if self._usual is None:
            usual = Usual.of_clips(self._means)
            for number, means in enumerate(self._means):
                known = self._latest.get(number)
                if not np.isnan(means[0]):
                    later.append(Heard(number, usual.oddness(means), known.remarks if known else ()))
        with self._lock:
            for heard in later:
                self._tell(heard)
            self._profile = profile


def _is_told(remark: str, known: Sequence[str]) -> bool:
    """Tell if a remark of this kind is known already."""
    return any(one.partition(":")[0] == remark.partition(":")[0] for one in known)
