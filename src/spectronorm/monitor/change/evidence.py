"""What a diagnosis looks at: how the levels of each range of bands moved, at their low, middle and high quantiles."""

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

RANGES = 16
QUANTILES = (0.1, 0.5, 0.9)
_ENOUGH_ABOVE = 0.1
"""A range of which less is above the floor is silent: its quantiles are taken over all cells, and are the floor."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """How a window differs from the training set, in decibels.

    Attributes:
        clips: Clips in the window.
        hz: Centre frequency of each range of bands, in Hz.
        low: Change of the 0.1 quantile of each range's levels above the floor, in dB; None where levels cannot be
            turned into decibels.
        middle: Change of the median.
        high: Change of the 0.9 quantile.
        beyond_gain: What the clips' change of RMS leaves unexplained of the middle and high quantiles, in dB: less what
            a gain would make of the training set, floor and all, or less nothing where the bands know nothing of it.
        rms_shift: Change of the mean RMS of clips, in dB.
        rms_se: Its standard error from clip to clip.
        rms: The mean RMS of clips, in dBFS.
        crest_shift: Change of the mean of peak over RMS, in dB.
        same_peak: The largest share of clips whose peaks lie within half a decibel, less the training set's there.
        flat: Share of clips that are silent or constant.
        spread_ratio: How much clips differ from each other in the bands that are not lost, over the training set's.
        level_se: The standard error of a range's level from clip to clip, in dB.
        shape_se: The same of a range's level less that of all ranges, which is what a filter moves.
        tail_se: How far `low - high` strays for as many clips when nothing is wrong, in dB.
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


class Reference:
    """What of a training set every window is compared with, worked out once."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.front_end, self.total = profile.front_end, profile.total

    @cached_property
    def quantiles(self) -> Floats | None:
        """`(range, quantile)` in dB."""
        return _quantiles(self.front_end, self.total)

    @cached_property
    def deviation(self) -> Floats:
        """How far clips differ in each range, in the level's unit."""
        return _clip_deviation(self.front_end, self.total)

    @cached_property
    def shape_deviation(self) -> float:
        """How far clips differ in a band beyond what they differ in all bands together."""
        return _shape_deviation(self.front_end, self.total)

    @cached_property
    def tail_deviation(self) -> float | None:
        """How far the lower tails of groups stray from that of all, as of one clip; None for one group."""
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
    """Compare a window's clips with a profile of the same front end."""
    known = profile if isinstance(profile, Reference) else Reference(profile)
    front_end, reference = known.front_end, known.total
    rms, peak = dbfs_mean(window.rms / window.clips), dbfs_mean(window.peak / window.clips)
    then_rms, then_peak = dbfs_mean(reference.rms / reference.clips), dbfs_mean(reference.peak / reference.clips)
    now, then = _quantiles(front_end, window), known.quantiles
    shift = None if now is None or then is None else now - then
    root, decibels = math.sqrt(window.clips), _decibels_per_unit(front_end)
    return Evidence(
        clips=window.clips,
        hz=np.array([float(front_end.band_hz()[r].mean()) for r in band_ranges(front_end.n_bands, RANGES)]),
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
    )


def _beyond_gain(known: Reference, now: Floats, gain: float) -> Floats | None:
    """The better of two explanations: no gain in the bands (waveforms are normalized), or all of it."""
    found = [
        (now - then)[:, 1:].mean(axis=1)
        for then in (known.quantiles, _quantiles(known.front_end, known.total, gain))
        if then is not None
    ]
    return min(found, key=lambda rest: float(np.abs(rest).sum()), default=None)


def _quantiles(front_end: AnyFrontEnd, m: Measurement, gain: float = 0.0) -> Floats | None:
    """Quantiles `(range, quantile)` in dB of the levels above the floor, had a gain in dB raised all of them."""
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
    """How far clips differ in each range: the standard deviation of clip means, averaged over the range's bands."""
    errors = np.asarray(Statistics(m, front_end.grid).mean_se) if m.clips > 1 else np.zeros(m.bands)
    deviation = errors * math.sqrt(m.clips)
    return np.array([float(deviation[bands].mean()) for bands in band_ranges(m.bands, RANGES)])


def _shape_deviation(front_end: AnyFrontEnd, m: Measurement) -> float:
    """How far clips differ in a band beyond what they differ in all bands together."""
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
