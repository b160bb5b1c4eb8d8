"""Monitor: takes clips, and reports if the training set's statistics still hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats, Samples
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason, FrontEndMismatch, ShapeError
from spectronorm.front_end import Levels, require_front_end
from spectronorm.monitor import storage
from spectronorm.monitor.change.diagnosis import Diagnosis, diagnose
from spectronorm.monitor.change.distribution import Distribution, decayed
from spectronorm.monitor.change.drift import drift
from spectronorm.monitor.change.evidence import Reference, evidence
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.monitor.clips.recorded import as_recorded
from spectronorm.monitor.false_alarms import FalseAlarms
from spectronorm.monitor.history import History
from spectronorm.monitor.recent import Pane, Panes, SeenClip
from spectronorm.monitor.seen_files import Mark, SeenFiles
from spectronorm.monitor.threshold import WindowReading, calibrate
from spectronorm.monitor.verdict import Report, Verdict, unalarmed
from spectronorm.monitor.watchable import LevelShapes, checked_samples, require_watchable
from spectronorm.monitor.window import Window
from spectronorm.normalize.normalizer import require_level
from spectronorm.profile import LevelClip, Measurement, Profile, Statistics
from spectronorm.profile.counting.counter import Recorded
from spectronorm.storage.replacement import overwriting
from spectronorm.suggestion import known_settings


@known_settings
class Monitor:
    """Compares incoming clips with a training profile, and raises an alarm when they no longer match.

    Args:
        profile: Profile of the training set, without held-out clips.
        baseline: Features of the training clips; by default drawn from the profile, which calibrates less sharply.
        window: The window of recent clips.
        false_alarms: Accepted rate of false alarms while nothing is wrong.
        seed: Random seed for threshold calibration.
        serial: Calibrate for a stream in order, with the training clips in the order of their names (see `calibrate`).

    Raises:
        ArgumentError: if `profile` is not a profile but, for example, a saved pipeline, which holds no histograms.
        FrontEndMismatch: if the baseline belongs to another front end.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], sn.FrontEnd(bands=sn.Mel(24)))
    >>> monitor = Monitor(profile)
    >>> quiet = [monitor.add(0.001 * rng.standard_normal(8000)).alarm for _ in range(32)]
    >>> any(quiet), monitor.diagnosis().kind.value
    (True, 'level-change')
    """

    def __init__(
        self,
        profile: Profile,
        baseline: Baseline | None = None,
        *,
        window: Window | None = None,
        false_alarms: FalseAlarms | None = None,
        seed: int = 0,
        threshold: float | None = None,
        serial: bool = False,
    ) -> None:
        require_watchable(profile)
        self.profile = profile
        self.baseline = Baseline.of_profile(profile, seed=seed) if baseline is None else baseline
        profile.front_end.require_same(self.baseline.front_end, "the baseline")
        self.window = window or Window()
        self.false_alarms = false_alarms or FalseAlarms()
        self.seed = seed
        if threshold is None:
            rate = self.false_alarms.per_clip
            panes = self.window.pane_clips, self.window.panes
            threshold = calibrate(self.baseline, *panes, rate, seed=seed, serial=serial)
        self.threshold, self.serial = threshold, serial
        self.history = History(profile.front_end.n_bands)
        self._panes = Panes(profile.front_end, self.window, self.baseline)
        self._names = self.baseline.names()
        self._known = Reference(profile, self.baseline)
        self._grid = profile.front_end.grid
        self._shapes = LevelShapes(profile.front_end)
        then = Statistics(profile.total, profile.front_end.grid)
        self._then_mean, self._then_std = np.asarray(then.mean), np.where(then.std > 0, then.std, 1.0)
        self.features: Floats | None = None
        """Those of the newest clip."""
        self.clips = 0
        self.bad = 0
        self.alarms = 0
        self.mark: Mark | None = None
        self.seen = SeenFiles()
        self._last_alarm: int | None = None
        self._alarm_pane: int | None = None
        self._newest = 0
        self._statistic = 0.0

    def add(self, samples: Samples, *, level: NDArray[Any] | None = None, at: float | None = None) -> Verdict:
        """Add one clip.

        Args:
            samples: Mono samples `(sample,)` at the front end's rate, as recorded and without padding.
            level: The front end's output for the samples, `(band, frame)`, if already computed.
            at: Time of recording in seconds, needed by windows of seconds.

        Returns:
            The verdict after this clip.

        Raises:
            AudioError: if the clip is not finite, too short, or leaves the grid; nothing is counted then.
            FrontEndMismatch: if the level was not made by this front end.
            ShapeError: if the samples are not a one-dimensional float array.
        """
        samples = checked_samples(samples)
        recorded = as_recorded(samples)
        if not recorded.peak < math.inf:
            raise AudioError(BadAudioReason.NOT_FINITE, "it holds NaN or infinite samples")
        if level is None:
            level = require_front_end(self.profile.front_end, "watching samples").clip_level(samples)
        else:
            level = self._shapes.checked(level, samples)
        return self._take(level, recorded, at)

    def add_level(self, level: NDArray[Any], *, at: float | None = None) -> Verdict:
        """Take in one clip of levels that were made elsewhere.

        Args:
            level: `(band, frame)`, or `(channel, band, frame)`, without padding.
            at: When it was recorded, in seconds; windows of seconds need it.

        Raises:
            AudioError: if the level is not finite or leaves its range; nothing is counted then.
            ArgumentError: if the profile is one of audio, which is watched by its samples.
            ShapeError: if the level has other bands or channels.
        """
        levels = self.profile.front_end
        if not isinstance(levels, Levels):
            raise ArgumentError("this profile is one of audio: watch its samples with add, which looks at them too")
        require_level(level, levels)
        rows = np.ascontiguousarray(level, dtype=np.float64).reshape(levels.n_bands, -1)
        return self._take(rows, LevelClip.of(rows, levels).recorded(levels), at)

    def _take(self, level: NDArray[np.floating[Any]], recorded: Recorded, at: float | None) -> Verdict:
        number = self.window.pane_of(self.clips, at)
        clip, features = SeenClip.of(self.profile.front_end, self._grid, level, recorded)
        finished = self._panes.open(number)
        if finished is not None:
            self._remember(finished)
        reading = self._panes.add(clip, features)
        self._newest = max(self._newest, number)
        self.features = features
        self.clips += 1
        return self._judge(reading, raised=True)

    def add_batch(self, waves: NDArray[Any], lengths: Sequence[int] | None = None) -> list[Verdict]:
        """Add clips `(clip, sample)`, each with its number of samples without padding."""
        if waves.ndim != 2:
            raise ShapeError(f"a batch of shape {waves.shape} is not (clip, sample)")
        used = [waves.shape[1]] * len(waves) if lengths is None else lengths
        return [self.add(wave[:n]) for wave, n in zip(waves, used, strict=True)]

    def skip(self) -> None:
        """Count one clip that could not be used."""
        self.bad += 1

    def verdict(self) -> Verdict:
        """Return the verdict on the clips so far."""
        return self._judge(self._panes.reading(), raised=False)

    def report(self) -> Report:
        """Return the verdict, drift figures and diagnosis of the window.

        Raises:
            ArgumentError: if no clip has come yet.
        """
        verdict = self.verdict()
        figures = drift(self.profile, self.measurement(), self._distributions())
        return Report(verdict, figures, self.diagnosis(), self.alarms, self.bad)

    def diagnosis(self) -> Diagnosis:
        """Diagnose the change from the clips since the alarm began; `nothing` without an alarm."""
        panes, verdict = self._panes.newest_first(), self.verdict()
        if not panes or not verdict.alarm:
            return unalarmed(replace(verdict, clip=sum(pane.clips for _, pane in panes)))
        since = [pane for number, pane in panes if number >= (self._alarm_pane or 0)] or [panes[0][1]]
        moments = FeatureMoments.sum(pane.moments for pane in since)
        return diagnose(evidence(self._known, Measurement.sum(pane.measurement for pane in since), moments))

    def measurement(self) -> Measurement:
        """Return the measurement of the window's clips.

        Raises:
            ArgumentError: if no clip has come yet.
        """
        return Measurement.sum(pane.measurement for _, pane in self._filled())

    def distribution(self, *, pooled: bool = False) -> Distribution:
        """Return the distribution of the window's levels, for a figure."""
        return self._distributions()[int(pooled)]

    def history_so_far(self) -> History:
        """Return the history, with the pane that is being filled as its last row."""
        history = History.from_tensors(len(self._then_mean), self.history.to_tensors())
        pane = self._panes.filling()
        if pane is not None:
            history.add(self._shift(pane), pane.clips, self._statistic)
        return history

    @classmethod
    def sum(cls, monitors: Iterable[Monitor]) -> Monitor:
        """Combine several monitors: equally long windows, and an unchanged number of alarms per time.

        Panes are added number by number, so monitors with windows of seconds should share a clock.

        Raises:
            ArgumentError: if there is no monitor, or if windows, baselines or rates of false alarms differ.
            FrontEndMismatch: if the monitors watch by different profiles.
        """
        parts = list(monitors)
        if not parts:
            raise ArgumentError("there is no monitor to add up; give at least one")
        first = parts[0]
        for part in parts[1:]:
            _require_alike(first, part)
        window = replace(first.window, clips=first.window.clips * len(parts))
        rate = FalseAlarms(max(first.false_alarms.per_clip / len(parts), 1e-9))
        total = cls(
            first.profile, first.baseline, window=window, false_alarms=rate, seed=first.seed, serial=first.serial
        )
        for part in parts:
            for number, pane in part._panes.newest_first():
                total._panes.take(number, pane)
                total._newest = max(total._newest, number)
            total.clips += part.clips
            total.bad += part.bad
            total.alarms += part.alarms
        if total.verdict().alarm:
            total._alarm_pane = total._newest - total._panes.reading().panes + 1
        return total

    @cached_property
    def reference(self) -> str:
        """16 hexadecimal digits that identify the profile's numbers."""
        return storage.reference_of(self.profile)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the whole state, or nothing: after a kill the file is the last one that was complete.

        Raises:
            OutputRefused: if a file would be replaced that is not ours, unless `overwrite` is set.
        """
        state = {
            "clips": self.clips,
            "bad": self.bad,
            "alarms": self.alarms,
            "last_alarm": self._last_alarm,
            "alarm_pane": self._alarm_pane,
            "newest": self._newest,
            "mark": None if self.mark is None else list(self.mark),
            "threshold": self.threshold,
            "per_clip": self.false_alarms.per_clip,
            "seed": self.seed,
            "window": vars(self.window),
            "measured": self.baseline.measured,
            "reference": self.reference,
        }
        with overwriting(overwrite):
            panes = self._panes.newest_first()
            storage.save_state(Path(path), self.profile.front_end, state, self.baseline, panes, self.history, self.seen)

    @classmethod
    def load(cls, path: str | Path, profile: Profile) -> Monitor:
        """Restore a saved monitor.

        Raises:
            FileFormatError: if the file is not a valid monitor state.
            FrontEndMismatch: if the monitor was saved with another profile.
        """
        saved = storage.load_state(Path(path), profile)
        state = saved.state
        monitor = cls(
            profile,
            saved.baseline,
            window=saved.window,
            false_alarms=FalseAlarms(state["per_clip"]),
            seed=state["seed"],
            threshold=state["threshold"],
        )
        for number, pane in saved.panes:
            monitor._panes.take(number, pane)
        monitor.history, monitor.seen = saved.history, saved.seen
        monitor.clips, monitor.bad, monitor.alarms = state["clips"], state["bad"], state["alarms"]
        monitor._last_alarm, monitor._alarm_pane = state["last_alarm"], state["alarm_pane"]
        monitor._newest = state["newest"]
        monitor.mark = None if state["mark"] is None else (state["mark"][0], state["mark"][1])
        return monitor

    def _filled(self) -> list[tuple[int, Pane]]:
        panes = self._panes.newest_first()
        if not panes:
            raise ArgumentError("the stream is empty: no clip has come yet, so there is nothing to report")
        return panes

    def _judge(self, reading: WindowReading, *, raised: bool) -> Verdict:
        self._statistic = reading.statistic
        alarm = reading.statistic > self.threshold
        onset = False
        if raised and alarm:
            onset = self._last_alarm is None or self.clips - self._last_alarm > self.window.clips
            if onset:
                self.alarms += 1
                self._alarm_pane = self._newest - reading.panes + 1
            self._last_alarm = self.clips
        feature = self._names[reading.feature] if reading.panes else "none yet"
        return Verdict(self.clips, reading.statistic, self.threshold, feature, alarm, onset)

    def _distributions(self) -> tuple[Distribution, Distribution]:
        panes = [(number, pane.measurement) for number, pane in self._filled()]
        return decayed(panes, self.profile.front_end, self.window.decay)

    def _remember(self, pane: Pane) -> None:
        """Append a pane's shift of the mean to the history, for the figure of bands over time."""
        self.history.add(self._shift(pane), pane.clips, self._statistic)

    def _shift(self, pane: Pane) -> Floats:
        shift = pane.band_mean()
        shift -= self._then_mean
        shift /= self._then_std
        return shift


def _require_alike(first: Monitor, other: Monitor) -> None:
    """Refuse monitors that cannot be added up."""
    if other.profile.front_end != first.profile.front_end or other.reference != first.reference:
        raise FrontEndMismatch("monitors of different profiles cannot be added up; start them from one profile")
    settings = [(m.window, m.false_alarms, m.baseline.measured) for m in (first, other)]
    same_rows = np.array_equal(other.baseline.rows, first.baseline.rows, equal_nan=True)
    if settings[0] != settings[1] or not same_rows:
        raise ArgumentError("monitors differ in window, baseline or false alarms; start them with equal settings")
