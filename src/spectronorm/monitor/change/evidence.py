"""Evidence for a diagnosis: the movement of low, middle and high quantiles of the levels in each range of bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels
from spectronorm.front_end.waveform.as_recorded import AsRecorded
from spectronorm.monitor.change.distribution import dbfs_mean
from spectronorm.monitor.change.within import KnownClips, Within
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.clips.features import band_ranges
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.profile import Measurement, Profile, Statistics
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings

RANGES = 16
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
_ENOUGH_ABOVE = 0.1
"""A range with a smaller share above the floor is silent: its quantiles are taken over all cells, and are the floor."""


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class Evidence:
    """Differences between a window and the training set, in decibels.

    Attributes:
        clips: Number of clips in the window.
        hz: Centre frequency of each range of bands, in Hz.
        then: Quantiles `(range, quantile)` of the training set's levels above the floor, in dB; None if levels cannot
            be converted to decibels.
        now: Those of the window.
        floor: The floor in dB; minus infinity if each clip has its own.
        gain_reaches: True if a gain reaches the levels, which it does not where waveforms are normalized.
        rms_shift: Change of the clips' mean RMS, in dB.
        rms_se: Standard error of `rms_shift` over clips.
        rms: The clips' mean RMS, in dBFS.
        crest_shift: Change of the mean ratio of peak to RMS, in dB.
        same_peak: Largest share of clips whose peaks lie within half a decibel, minus the training set's share there.
        flat: Share of silent or constant clips.
        spread_ratio: Spread between clips in each range, divided by the training set's.
        level_se: Standard error over clips of a range's level, in dB.
        shape_se: Standard error over clips of a range's level minus the level of all ranges, which a filter moves.
        tail_se: Standard error of the change of the lowest quantile against the highest for this number of clips when
            nothing has changed, in dB.
        floor_rise: Share of the cells that lie on the floor, minus the training set's.
        within: How features of clips moved that no histogram holds; None without the training clips.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> found = sn.monitor.evidence(profile, profile.total)
    >>> found.clips, len(found.hz), found.flat
    (40, 16, 0.0)
    """

    clips: int
    hz: Floats
    then: Floats | None
    now: Floats | None
    floor: float
    gain_reaches: bool
    rms_shift: float
    rms_se: float
    rms: float
    crest_shift: float
    same_peak: float
    flat: float
    spread_ratio: Floats
    level_se: float
    shape_se: float
    tail_se: float
    floor_rise: float = 0.0
    within: Within | None = None


@known_settings
class Reference:
    """Properties of a training set that every window is compared with, computed once.

    Args:
        profile: Profile of the training set.
        baseline: Features of the training clips; without them, changes within clips are not seen.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> reference = Reference(profile)
    >>> windows = [sn.fit([(0.1 * rng.standard_normal(8000), 16_000)], front_end).total for _ in range(3)]
    >>> [sn.monitor.evidence(reference, window).clips for window in windows]
    [1, 1, 1]
    """

    def __init__(self, profile: Profile, baseline: Baseline | None = None) -> None:
        self.profile = profile
        self.baseline = baseline if baseline is not None and baseline.measured else None
        self.front_end, self.total = profile.front_end, profile.total

    @cached_property
    def clips(self) -> KnownClips | None:
        """The training clips; None if only their profile is known."""
        return None if self.baseline is None else KnownClips.of(self.baseline, _decibels_per_unit(self.front_end))

    @cached_property
    def quantiles(self) -> Floats | None:
        """Quantiles `(range, quantile)` in dB."""
        return _quantiles(self.front_end, self.total)

    @cached_property
    def deviation(self) -> Floats:
        """Standard deviation between clips in each range, in the level's unit."""
        return _clip_deviation(self.front_end, self.total)

    @cached_property
    def shape_deviation(self) -> float:
        """Standard deviation between clips in one band, beyond the part common to all bands."""
        return _shape_deviation(self.front_end, self.total)

    @cached_property
    def tail_deviation(self) -> float | None:
        """Deviation of the groups' lower tails from the pooled tail, scaled to one clip; None for one group."""
        parts = list(self.profile.groups.values())
        if len(parts) < 2 or self.quantiles is None:
            return None
        total = 0.0
        for part in parts:
            now = _quantiles(self.front_end, part)
            if now is not None:
                shift = now - self.quantiles
                total += float(np.median(shift[:, 0] - shift[:, -1])) ** 2 * part.clips
        return math.sqrt(total / len(parts))


@known_keywords
def evidence(profile: Profile | Reference, window: Measurement, moments: FeatureMoments | None = None) -> Evidence:
    """Compare a window's clips with a profile of an identical front end.

    Args:
        profile: The training set.
        window: Measurement of the window.
        moments: Sums of the features of the window's clips.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> quieter = sn.fit([(0.01 * rng.standard_normal(8000), 16_000) for _ in range(20)], front_end)
    >>> round(evidence(profile, quieter.total).rms_shift)
    -20
    """
    known = profile if isinstance(profile, Reference) else Reference(profile)
    front_end, reference = known.front_end, known.total
    rms, peak = dbfs_mean(window.rms / window.clips), dbfs_mean(window.peak / window.clips)
    then_rms, then_peak = dbfs_mean(reference.rms / reference.clips), dbfs_mean(reference.peak / reference.clips)
    root, decibels = math.sqrt(window.clips), _decibels_per_unit(front_end)
    within = None
    if moments is not None and known.clips is not None and known.baseline is not None:
        within = Within.of(known.clips, known.baseline.rows.mean(axis=0), moments)
    return Evidence(
        clips=window.clips,
        hz=np.array([float(front_end.band_hz()[r].mean()) for r in band_ranges(front_end.n_bands, RANGES)]),
        then=known.quantiles,
        now=_quantiles(front_end, window, _silent(reference)),
        floor=_floor(front_end),
        gain_reaches=isinstance(front_end, Levels) or isinstance(front_end.level, AsRecorded),
        rms_shift=rms - then_rms,
        rms_se=_deviation(reference.rms / reference.clips) / root,
        rms=rms,
        crest_shift=(peak - rms) - (then_peak - then_rms),
        same_peak=_same_peak(window, reference),
        flat=window.flat / window.clips,
        spread_ratio=_clip_deviation(front_end, window) / np.maximum(known.deviation, 1e-6),
        level_se=float(np.median(known.deviation)) * decibels / root,
        shape_se=known.shape_deviation * decibels / root,
        tail_se=4.0 if known.tail_deviation is None else known.tail_deviation / root,
        floor_rise=_floor_share(window) - _floor_share(reference),
        within=within,
    )


def _floor_share(m: Measurement) -> float:
    return float(m.on_floor.sum() / max(int(m.count.sum()), 1))


def _floor(front_end: AnyFrontEnd) -> float:
    if isinstance(front_end, Levels):
        return float(front_end.floor)
    if front_end.floor_follows_highest or not front_end.compress.framewise:
        return -math.inf
    return float(_in_decibels(front_end, np.array(front_end.floor)))


def _silent(m: Measurement) -> Floats:
    """Share of each band's cells that lie on the floor."""
    return np.asarray(m.on_floor / np.maximum(m.count, 1))


def _quantiles(front_end: AnyFrontEnd, m: Measurement, silent: Floats | None = None) -> Floats | None:
    """Quantiles `(range, quantile)` in dB of the levels without the silent share, which is at most that on the floor.

    So what a gate mutes counts among the quiet moments, and does not raise the quantiles of the others.
    """
    if isinstance(front_end, Levels):
        if front_end.unit != "dB":
            return None
    elif not (front_end.compress.framewise or front_end.compress.floor_follows_highest):
        return None
    grid = front_end.grid
    counts = m.histogram.astype(np.float64)
    cell = np.clip((m.lowest >> grid.cell_bits) - m.first_cell, 0, counts.shape[1] - 1)
    rows = np.arange(m.bands)
    above = counts.copy()
    left_out = m.on_floor if silent is None else np.minimum(m.on_floor, silent * m.count)
    above[rows, cell] -= np.minimum(left_out, above[rows, cell])
    edges = (m.first_cell + np.arange(counts.shape[1] + 1)) * grid.cell_width
    levels = np.empty((len(band_ranges(m.bands, RANGES)), len(QUANTILES)))
    for row, bands in zip(levels, band_ranges(m.bands, RANGES), strict=True):
        some, every = above[bands].sum(axis=0), counts[bands].sum(axis=0)
        used = some if some.sum() >= _ENOUGH_ABOVE * every.sum() else every
        reached = np.concatenate([[0.0], np.cumsum(used)])
        row[:] = np.interp(np.array(QUANTILES) * reached[-1], reached, edges)
    low, high = front_end.floor, grid.high
    if isinstance(front_end, Levels):
        return np.clip(levels, low, high)
    return _in_decibels(front_end, np.clip(levels, low, high))


def _in_decibels(front_end: FrontEnd, levels: Floats) -> Floats:
    values = front_end.compress.inverse(levels, front_end.stft.power)
    return np.asarray((20.0 / front_end.stft.power) * np.log10(np.maximum(values, 1e-20)))


def _decibels_per_unit(front_end: AnyFrontEnd) -> float:
    if isinstance(front_end, Levels) or front_end.unit == "dB":
        return 1.0
    return 20.0 / front_end.stft.power * math.log10(math.e)


def _clip_deviation(front_end: AnyFrontEnd, m: Measurement) -> Floats:
    """Standard deviation of clip means in each range, averaged over the range's bands."""
    errors = np.asarray(Statistics(m, front_end.grid).mean_se) if m.clips > 1 else np.zeros(m.bands)
    deviation = errors * math.sqrt(m.clips)
    return np.array([float(deviation[bands].mean()) for bands in band_ranges(m.bands, RANGES)])


def _shape_deviation(front_end: AnyFrontEnd, m: Measurement) -> float:
    """Standard deviation between clips in one band, beyond the part common to all bands."""
    if m.clips < 2:
        return 0.0
    band = np.asarray(Statistics(m, front_end.grid).mean_se) ** 2
    all_bands = float(Statistics(m.pooled(), front_end.grid, pooled=True).mean_se) ** 2
    return math.sqrt(max(float(band.mean()) - all_bands, 0.0) * m.clips)


def _deviation(shares: Floats) -> float:
    cells = np.arange(len(shares)) / 4.0
    return math.sqrt(max(float(shares @ (cells - float(shares @ cells)) ** 2), 0.0))


def _same_peak(window: Measurement, reference: Measurement) -> float:
    def near(peak: Floats) -> Floats:
        return np.asarray(np.convolve(peak, np.ones(3), mode="same"))

    now = near(window.peak / window.clips)
    return float((now - near(reference.peak / reference.clips))[int(now.argmax())])
