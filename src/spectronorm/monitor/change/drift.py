"""Drift figures: the distance between the clips of a window and the training set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.distribution import (
    Distribution,
    aligned,
    dbfs_mean,
    jensen_shannon,
    population_stability_index,
    wasserstein,
)
from spectronorm.profile import Measurement, Profile, Statistics
from spectronorm.short_repr import with_bounded_repr, with_short_repr
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class BandDrift:
    """Drift figures of each band `(band,)`, or of all bands pooled `(1,)`.

    Attributes:
        mean_shift: Change of the mean, in standard deviations of the training set.
        mean_shift_se: Standard error of `mean_shift`, with the clip as the unit of sampling; infinite for one clip.
        std_ratio: Standard deviation divided by the training set's.
        psi: Population stability index over deciles of the training set.
        wasserstein: Wasserstein-1 distance, in the level's unit.
        jensen_shannon: Jensen–Shannon divergence, in bits.
        floor_change: Change of the share of cells on the floor.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> found = sn.monitor.drift(profile, profile.total)
    >>> found.band.psi.shape, found.pooled.psi.shape, float(found.band.mean_shift.max())
    ((24,), (1,), 0.0)
    """

    mean_shift: Floats
    mean_shift_se: Floats
    std_ratio: Floats
    psi: Floats
    wasserstein: Floats
    jensen_shannon: Floats
    floor_change: Floats

    def to_dict(self) -> dict[str, list[float | None]]:
        """Return plain JSON values; unknown values are null."""
        return {name: [known(v) for v in value.tolist()] for name, value in vars(self).items()}


@known_settings
@with_bounded_repr
@dataclass(frozen=True, eq=False)
class Drift:
    """Drift figures of each band, of all bands pooled, and of the clips' levels before waveform normalization.

    `rms_shift` and `peak_shift` are changes of the clips' mean level in dB; `rms_shift_se` is a standard error in dB.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> found = sn.monitor.drift(profile, profile.total)
    >>> found.clips, found.rms_shift
    (40, 0.0)
    """

    band: BandDrift
    pooled: BandDrift
    rms_shift: float
    rms_shift_se: float
    peak_shift: float
    clips: int
    frames: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "clips": self.clips,
            "frames": self.frames,
            "rms_shift": self.rms_shift,
            "rms_shift_se": known(self.rms_shift_se),
            "peak_shift": self.peak_shift,
            "global": {name: values[0] for name, values in self.pooled.to_dict().items()},
            "band": self.band.to_dict(),
        }


@known_keywords
def drift(profile: Profile, measurement: Measurement, now: tuple[Distribution, Distribution] | None = None) -> Drift:
    """Compare a measurement with a profile of an identical front end.

    Args:
        profile: Profile of the training set.
        measurement: Measurement of the window.
        now: Distributions by band and pooled, which may give some clips less weight than others; by default those of
            the measurement. Counts and standard errors always come from the measurement.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> quieter = sn.fit([(0.01 * rng.standard_normal(8000), 16_000) for _ in range(8)], front_end)
    >>> round(drift(profile, quieter.total).rms_shift)
    -20
    """
    front_end, reference = profile.front_end, profile.total
    by_band, pooled = now or (
        Distribution.of(measurement, front_end),
        Distribution.of(measurement, front_end, pooled=True),
    )
    rms, reference_rms = by_band.rms, reference.rms / reference.clips
    return Drift(
        band=_figures(profile, reference, measurement, by_band, pooled=False),
        pooled=_figures(profile, reference.pooled(), measurement.pooled(), pooled, pooled=True),
        rms_shift=dbfs_mean(rms) - dbfs_mean(reference_rms),
        rms_shift_se=math.hypot(_dbfs_se(rms, measurement.clips), _dbfs_se(reference_rms, reference.clips)),
        peak_shift=dbfs_mean(by_band.peak) - dbfs_mean(reference.peak / reference.clips),
        clips=measurement.clips,
        frames=measurement.frames,
    )


def _figures(
    profile: Profile, reference: Measurement, measurement: Measurement, now: Distribution, *, pooled: bool
) -> BandDrift:
    grid = profile.front_end.grid
    then = Distribution.of(profile.total, profile.front_end, pooled=pooled)
    scale = np.where(then.std > 0, then.std, 1.0)
    errors = [np.asarray(Statistics(m, grid).mean_se) for m in (reference, measurement)]
    p, q = aligned(then, now)
    return BandDrift(
        mean_shift=(now.mean - then.mean) / scale,
        mean_shift_se=np.hypot(*errors) / scale,
        std_ratio=np.where(now.std > 0, now.std, 0.0) / scale,
        psi=population_stability_index(p, q),
        wasserstein=wasserstein(p, q, grid.cell_width),
        jensen_shannon=jensen_shannon(p, q),
        floor_change=now.floor_share - then.floor_share,
    )


def _dbfs_se(shares: Floats, clips: int) -> float:
    if clips < 2:
        return math.inf
    cells = np.arange(len(shares)) / 4.0
    mean = float(shares @ cells)
    return math.sqrt(max(float(shares @ (cells - mean) ** 2), 0.0) / (clips - 1))


def known(value: float) -> float | None:
    """Return a JSON number, or None for an unknown value."""
    return float(value) if math.isfinite(value) else None
