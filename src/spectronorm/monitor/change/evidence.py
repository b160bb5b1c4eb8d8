"""Evidence for a diagnosis: the movement of low, middle and high quantiles of the levels in each range of bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.monitor.change.distribution import dbfs_mean
from spectronorm.monitor.clips.features import band_ranges
from spectronorm.profile import Measurement, Profile, Statistics
from spectronorm.short_repr import with_short_repr

RANGES = 16
QUANTILES = (0.1, 0.5, 0.9)
_SPEEDS = np.concatenate([np.geomspace(0.4, 0.8, 12), np.geomspace(1.25, 2.5, 12)])
_FEWEST_RANGES = 6
_ENOUGH_ABOVE = 0.1
"""A range with a smaller share above the floor is silent: its quantiles are taken over all cells, and are the floor."""


@with_short_repr
@dataclass(frozen=True, eq=False)
class Evidence:
    """Differences between a window and the training set, in decibels.

    Attributes:
        clips: Number of clips in the window.
        hz: Centre frequency of each range of bands, in Hz.
        low: Change of the 0.1 quantile of each range's levels above the floor, in dB; None if levels cannot be
            converted to decibels.
        middle: Change of the median.
        high: Change of the 0.9 quantile.
        beyond_gain: Part of the change of the middle and high quantiles that the clips' change of RMS leaves
            unexplained, in dB: minus the effect of a gain on the training set, floor included, or minus zero if the
            bands do not follow the gain.
        rms_shift: Change of the clips' mean RMS, in dB.
        rms_se: Standard error of `rms_shift` over clips.
        rms: The clips' mean RMS, in dBFS.
        crest_shift: Change of the mean ratio of peak to RMS, in dB.
        same_peak: Largest share of clips whose peaks lie within half a decibel, minus the training set's share there.
        flat: Share of silent or constant clips.
        spread_ratio: Spread between clips in the bands that are not lost, divided by the training set's.
        level_se: Standard error over clips of a range's level, in dB.
        shape_se: Standard error over clips of a range's level minus the level of all ranges, which a filter moves.
        floor_rise: Share of the cells that lie on the floor, minus the training set's.
        speed: Factor by which the sounds would have to be faster for the training set's spectrum to become that of the
            clips, as well as that goes.
        speed_rest: Root mean square of the part of the bands' movement that `speed` leaves unexplained, in dB; infinite
            if the bands have no frequencies.
        tail_se: Standard error of `low - high` for this number of clips when nothing has changed, in dB.

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
    low: Floats | None
    middle: Floats | None
    high: Floats | None
    beyond_gain: Floats | None
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
    speed: float = 1.0
    speed_rest: float = math.inf


class Reference:
    """Properties of a training set that every window is compared with, computed once.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> reference = Reference(profile)
    >>> windows = [sn.fit([(0.1 * rng.standard_normal(8000), 16_000)], front_end).total for _ in range(3)]
    >>> [sn.monitor.evidence(reference, window).clips for window in windows]
    [1, 1, 1]
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.front_end, self.total = profile.front_end, profile.total

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
                total += float(np.median(shift[:, 0] - shift[:, 2])) ** 2 * part.clips
        return math.sqrt(total / len(parts))


def evidence(profile: Profile | Reference, window: Measurement) -> Evidence:
    """Compare a window's clips with a profile of an identical front end.

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
    now, then = _quantiles(front_end, window), known.quantiles
    shift = None if now is None or then is None else now - then
    root, decibels = math.sqrt(window.clips), _decibels_per_unit(front_end)
    hz = np.array([float(front_end.band_hz()[r].mean()) for r in band_ranges(front_end.n_bands, RANGES)])
    speed, speed_rest = (1.0, math.inf) if now is None or then is None else _speed(hz, then, now)
    return Evidence(
        clips=window.clips,
        hz=hz,
        low=None if shift is None else shift[:, 0],
        middle=None if shift is None else shift[:, 1],
        high=None if shift is None else shift[:, 2],
        beyond_gain=None if now is None else _beyond_gain(known, now, rms - then_rms),
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
        speed=speed,
        speed_rest=speed_rest,
    )


def _floor_share(m: Measurement) -> float:
    return float(m.on_floor.sum() / max(int(m.count.sum()), 1))


def _speed(hz: Floats, then: Floats, now: Floats) -> tuple[float, float]:
    """Find the factor of speed that explains the movement of the bands best, and what it leaves in dB."""
    if not (np.isfinite(hz).all() and (np.diff(hz) > 0).all() and hz[0] > 0) or len(hz) < _FEWEST_RANGES:
        return 1.0, math.inf
    spectrum, moved = then[:, 1:].mean(axis=1), (now - then)[:, 1:].mean(axis=1)
    best = (math.inf, 1.0)
    for factor in _SPEEDS:
        played = hz / factor
        known = (played >= hz[0]) & (played <= hz[-1])
        if known.sum() < _FEWEST_RANGES:
            continue
        rest = moved - (np.interp(np.log(played), np.log(hz), spectrum) - spectrum)
        best = min(best, (float(np.std(rest[known])), float(factor)))
    return best[1], best[0]


def _beyond_gain(known: Reference, now: Floats, gain: float) -> Floats | None:
    """Return the better of two explanations: no gain in the bands (waveforms are normalized), or the whole gain."""
    found = [
        (now - then)[:, 1:].mean(axis=1)
        for then in (known.quantiles, _quantiles(known.front_end, known.total, gain))
        if then is not None
    ]
    return min(found, key=lambda rest: float(np.abs(rest).sum()), default=None)


def _quantiles(front_end: AnyFrontEnd, m: Measurement, gain: float = 0.0) -> Floats | None:
    """Quantiles `(range, quantile)` in dB of the levels above the floor, after raising all levels by a gain in dB."""
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
    above[rows, cell] -= np.minimum(m.on_floor, above[rows, cell])
    still = (m.first_cell + np.arange(counts.shape[1] + 1)) * grid.cell_width
    moved = still + gain / _decibels_per_unit(front_end)
    if gain:
        above[:, moved[:-1] <= front_end.floor] = 0.0
    levels = np.empty((len(band_ranges(m.bands, RANGES)), len(QUANTILES)))
    for row, bands in zip(levels, band_ranges(m.bands, RANGES), strict=True):
        some, every = above[bands].sum(axis=0), counts[bands].sum(axis=0)
        used, edges = (some, moved) if some.sum() >= _ENOUGH_ABOVE * every.sum() else (every, still)
        reached = np.concatenate([[0.0], np.cumsum(used)])
        row[:] = np.interp(np.array(QUANTILES) * reached[-1], reached, edges)
    low, high = front_end.floor, grid.high
    if isinstance(front_end, Levels):
        return np.clip(levels, low, high)
    values = front_end.compress.inverse(np.clip(levels, low, high), front_end.stft.power)
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
