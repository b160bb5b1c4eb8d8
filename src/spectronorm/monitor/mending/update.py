"""Update of a profile towards new audio, with guards against updates that would do harm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats, real_number
from spectronorm.errors import ArgumentError, UpdateRefused
from spectronorm.front_end import AnyFrontEnd
from spectronorm.monitor.change.advice import Remedy
from spectronorm.monitor.change.diagnosis import Diagnosis
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.mending.guards import objections_to
from spectronorm.monitor.mending.new_audio import NewAudio
from spectronorm.monitor.mending.shifted import counted_often, fixed_floor, moved_clips, shifted
from spectronorm.monitor.monitor import Monitor
from spectronorm.profile import Measurement, Profile, Statistics
from spectronorm.profile.counting.clip_histograms import CELLS_PER_DB
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings

STATISTICS = (Remedy.MEAN.value, Remedy.MEAN_AND_STD.value)
PRIOR_CLIPS = 1.0
_MOST_WEIGHT = 0.999


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class Update:
    """An updated profile and the details of the update.

    Attributes:
        profile: The new profile.
        shift: Shift of each band's levels, in the level's unit.
        mean_shift: Resulting shift of each band's mean, silence included.
        rms_shift: Shift of the clips' RMS levels, in dB.
        peak_shift: Shift of the clips' peak levels, in dB.
        weight: Weight of the new audio, 0 … 1.
        statistics: `mean` or `mean+std`.
        diagnosis: Diagnosis of the change.
        objections: Reasons against the update; only a forced update has any.
        clips: Number of new clips.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> source = sn.open_source([(0.05 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> moved = update(profile, sn.monitor.measure_new(source, profile), weight=0.5, force=True)
    >>> moved.weight, moved.statistics, moved.profile.front_end == front_end
    (0.5, 'mean', True)
    """

    profile: Profile
    shift: Floats
    mean_shift: Floats
    rms_shift: float
    peak_shift: float
    weight: float
    statistics: str
    diagnosis: Diagnosis
    objections: tuple[str, ...]
    clips: int

    def record(self) -> dict[str, Any]:
        """Return plain JSON values, as kept in the updated file."""
        return {
            "statistics": self.statistics,
            "weight": self.weight,
            "clips": self.clips,
            "why": str(self.diagnosis),
            "kind": self.diagnosis.kind.value,
            "objections": list(self.objections),
            "shift": self.shift.tolist(),
            "mean_shift": self.mean_shift.tolist(),
            "rms_shift": self.rms_shift,
            "peak_shift": self.peak_shift,
        }


@known_keywords
def update(
    profile: Profile,
    new: NewAudio,
    *,
    statistics: str = "mean",
    prior_clips: float = PRIOR_CLIPS,
    weight: float | None = None,
    force: bool = False,
) -> Update:
    """Move a profile's statistics towards new audio.

    In each band, the mean of the levels above the floor moves by `weight` of the distance: n / (n + `prior_clips`) for
    n new clips, or the given exponential `weight`. Silence stays silence, however much of it the new audio has. Levels
    move by whole histogram cells (a sixteenth of a decibel), so all integers stay exact. With `mean`, the spread above
    the floor does not change at all; with `mean+std`, the new clips are added as a group of their own, at the new mean,
    with that weight.

    Args:
        profile: Profile to update.
        new: Result of `measure_new`.
        statistics: `mean` or `mean+std`.
        prior_clips: Weight of the existing statistics, as a number of clips.
        weight: Weight of the new audio, above 0 and at most 1; replaces `prior_clips`.
        force: Update even if a guard refuses it.

    Raises:
        UpdateRefused: if the diagnosis says that an update would do harm, or if the clips are too few or too alike,
            unless forced.
        ArgumentError: if a setting is invalid.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> source = sn.open_source([(0.05 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> moved = update(profile, sn.monitor.measure_new(source, profile), weight=1.0, force=True)
    >>> round(float(moved.shift.mean()), 1)
    -6.0
    """
    share = _weight(new.measurement.clips, prior_clips, weight)
    if statistics not in STATISTICS:
        raise ArgumentError(f"statistics={statistics!r} must be one of {', '.join(STATISTICS)}")
    objections = tuple(objections_to(new, Remedy(statistics)))
    if objections and not force:
        raise UpdateRefused(f"not updated: {' '.join(objections)} Remove the cause first, or update anyway (--force)")
    front_end, old = profile.front_end, profile.total
    grid = front_end.grid
    cells = np.rint(share * _apart(new.measurement, old, front_end) / grid.cell_width).astype(np.int64)
    rms, peak = (_moved_by(getattr(new.measurement, n), getattr(old, n), share) for n in ("rms", "peak"))
    groups = {
        key: replace(shifted(m, cells, front_end), rms=moved_clips(m.rms, rms), peak=moved_clips(m.peak, peak))
        for key, m in profile.groups.items()
    }
    if statistics == "mean+std":
        old_times, new_times = _times(profile.frames, new.measurement.frames, share)
        groups = {key: counted_often(m, old_times) for key, m in groups.items()}
        number = 1 + sum(key[0][0] == "update" for key in groups if key)
        groups[(("update", str(number)),)] = counted_often(_at_target(new.measurement, profile, cells), new_times)
    updated = replace(profile, groups=groups)
    return Update(
        updated,
        np.asarray(cells * grid.cell_width, dtype=np.float64),
        np.asarray(Statistics(updated.total, grid).mean - Statistics(old, grid).mean, dtype=np.float64),
        rms / CELLS_PER_DB,
        peak / CELLS_PER_DB,
        share,
        statistics,
        new.diagnosis,
        objections,
        new.measurement.clips,
    )


@known_keywords
def restarted(monitor: Monitor, accepted: Update) -> Monitor:
    """Start a new monitor on the updated profile, with all other settings of the given monitor.

    >>> import numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import Monitor
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> source = sn.open_source([(0.05 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> moved = update(profile, sn.monitor.measure_new(source, profile), force=True)
    >>> restarted(Monitor(profile), moved).profile == moved.profile
    True
    """
    return Monitor(
        accepted.profile,
        monitor.baseline.moved(accepted.mean_shift, accepted.rms_shift, accepted.peak_shift),
        window=monitor.window,
        false_alarms=monitor.false_alarms,
        seed=monitor.seed,
        threshold=monitor.threshold,
    )


def _weight(clips: int, prior_clips: float, weight: float | None) -> float:
    real_number(prior_clips, "prior_clips", 0, 1e9, of="clips")
    if weight is not None:
        real_number(weight, "weight", 1e-9, 1)
    return clips / (clips + prior_clips) if weight is None else weight


def _moved_by(new: NDArray[np.int64], old: NDArray[np.int64], share: float) -> int:
    """Shift of the clips' levels in cells, chosen so that their normal scores, which raise alarms, sum to zero.

    Peaks are often clipped at full scale, and behind a filter they are not, so equal means would leave them apart.
    """
    clips = old.sum()
    ranks = (np.cumsum(old) - old / 2 + 0.5) / (clips + 1)
    scores = np.array([NormalDist().inv_cdf(rank) for rank in ranks])
    cells = np.arange(len(old))
    low, high = -len(old), len(old)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if new @ scores[np.clip(cells - middle, 0, len(old) - 1)] > 0 else (low, middle)
    return round(share * high)


def _apart(new: Measurement, old: Measurement, front_end: AnyFrontEnd) -> Floats:
    """Difference between the means of the levels above the floor, by band; 0 if either is all silence."""
    floor = fixed_floor(front_end)
    means = [np.asarray(Statistics(m, front_end.grid, without_floor=floor).mean) for m in (new, old)]
    both_sound = (new.on_floor < new.count) & (old.on_floor < old.count)
    return np.where(both_sound, means[0] - means[1], 0.0)


def _at_target(new: Measurement, profile: Profile, cells: NDArray[np.int64]) -> Measurement:
    """Move the new clips to the updated mean, so that they change the std but not the mean."""
    front_end = profile.front_end
    apart = np.rint(_apart(new, profile.total, front_end) / front_end.grid.cell_width).astype(np.int64)
    return shifted(new, cells - apart, front_end)


def _times(old_frames: int, new_frames: int, share: float) -> tuple[int, int]:
    """Multiplicities of old and new cells that give the new cells nearly `share` of the total."""
    wanted = min(share, _MOST_WEIGHT) / (1.0 - min(share, _MOST_WEIGHT)) * old_frames / new_frames
    return (1, round(wanted)) if wanted >= 1.0 else (round(1.0 / wanted), 1)


@known_keywords
def moved_baseline(baseline: Baseline, record: Mapping[str, Any]) -> Baseline:
    """Move the baseline of the training clips as an update's record moved the profile.

    >>> import numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import Baseline
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> source = sn.open_source([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)])
    >>> profile = sn.fit(source, front_end)
    >>> new = sn.open_source([(0.05 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> moved = update(profile, sn.monitor.measure_new(new, profile), force=True)
    >>> moved_baseline(Baseline.of_clips(source, profile), moved.record()).rows.shape[0]
    40
    """
    return baseline.moved(np.array(record["mean_shift"]), float(record["rms_shift"]), float(record["peak_shift"]))
