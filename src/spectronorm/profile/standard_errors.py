"""Standard errors of a profile's pooled mean and std, by clip and by the groups that it was measured in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import scipy  # its module stats takes a third of a second to import, which SciPy does on first use

from spectronorm.errors import ArgumentError
from spectronorm.profile.counting.measurement import Measurement
from spectronorm.profile.profile import Profile
from spectronorm.profile.without_floor import Cells
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

FEW_UNITS = 10
"""With fewer units an interval covers too little, whatever its formula (Cameron, Gelbach and Miller 2008)."""
_TAIL = 0.025


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class StandardErrors:
    """Errors of the pooled mean and std with one unit of sampling.

    Attributes:
        unit: `clip`, or the column of the groups.
        units: Number of clips or groups.
        mean_se: Standard error of the mean in the level's unit; infinite for a single clip or group.
        std_se: Standard error of the std in the level's unit.
        represents: Number of clips or groups in the population; None if it is unknown, and taken as infinite.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(20)]
    >>> (errors,) = sn.profile.standard_errors(sn.fit(waves, sn.FrontEnd(bands=sn.Mel(40))))
    >>> errors.unit, errors.units, errors.few, errors.mean_half_width > errors.mean_se
    ('clip', 20, False, True)
    """

    unit: str
    units: int
    mean_se: float
    std_se: float
    represents: int | None = None

    @property
    def few(self) -> bool:
        """True if the units are so few that the errors themselves are rough."""
        return self.units < FEW_UNITS

    @property
    def mean_half_width(self) -> float:
        """Half-width of the 95 % interval of the mean, by Student's t and the finite population if it is known."""
        return self._half_width(self.mean_se)

    @property
    def std_half_width(self) -> float:
        """Half-width of the 95 % interval of the std."""
        return self._half_width(self.std_se)

    def units_for(self, tolerance: float) -> int:
        """Return the number of clips or groups for which the mean's 95 % interval is `tolerance` to either side.

        Raises:
            ArgumentError: unless the tolerance is positive and finite, or if there is only one unit.
        """
        if not 0 < tolerance < math.inf:
            raise ArgumentError(f"tolerance={tolerance} must be positive and finite")
        if self.units < 2:
            raise ArgumentError(f"one {self.unit} shows no variation, so no standard error can be computed")
        spread = self.mean_se * math.sqrt(self.units)
        few, enough = 1, 2
        while float(scipy.stats.t.isf(_TAIL, enough - 1)) * spread / math.sqrt(enough) > tolerance:
            few, enough = enough, 2 * enough
        while enough - few > 1:
            middle = (few + enough) // 2
            small = float(scipy.stats.t.isf(_TAIL, middle - 1)) * spread / math.sqrt(middle) <= tolerance
            few, enough = (few, middle) if small else (middle, enough)
        return enough

    def _half_width(self, se: float) -> float:
        if self.units < 2:
            return math.inf
        left = 1.0 if self.represents is None else max(0.0, 1.0 - self.units / self.represents)
        return float(scipy.stats.t.isf(_TAIL, self.units - 1)) * se * math.sqrt(left)


def standard_errors(profile: Profile) -> tuple[StandardErrors, ...]:
    """Return the errors by clip, and by each column that the profile was grouped by.

    Clips of one recording, speaker or room are alike, so errors by clip are too small where clips come from few of
    them. By group the mean is the ratio ΣS/Σn over groups, with `Var = G/(G-1) Σ(S - mean·n)² / (Σn)²` (Cochran 1977,
    Sampling Techniques, section 6.4), and the std follows by linearization.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> [errors.unit for errors in standard_errors(sn.fit(waves))]
    ['clip']
    """
    overall = profile.overall
    clips, population = profile.clips, profile.total.population
    represents = population if population > clips else None
    by_clip = StandardErrors("clip", clips, overall.mean_se, overall.std_se, represents)
    return (by_clip, *(_by_column(profile, column) for column in profile.group_columns()))


def _by_column(profile: Profile, column: str) -> StandardErrors:
    members: dict[str, list[Measurement]] = {}
    for key, measurement in profile.groups.items():
        if column in (own := dict(key)):
            members.setdefault(own[column], []).append(measurement)
    sums = [_sums(profile, Measurement.sum(some)) for some in members.values()]
    steps = profile.front_end.grid.steps
    units = len(sums)
    if units < 2:
        return StandardErrors(column, units, math.inf, math.inf)
    n, s, q = (sum(part[i] for part in sums) for i in range(3))
    mean = Fraction(s, n)
    variance = Fraction(q, n) - mean * mean
    factor = Fraction(units, units - 1)
    of_mean = factor * sum(((s_g - mean * n_g) ** 2 for n_g, s_g, _ in sums), Fraction(0))
    mean_se = math.sqrt(of_mean) / n / steps
    if variance <= 0:
        return StandardErrors(column, units, mean_se, 0.0)
    of_std = factor * sum(
        ((q_g - 2 * mean * s_g + (mean * mean - variance) * n_g) ** 2 for n_g, s_g, q_g in sums), Fraction(0)
    )
    return StandardErrors(column, units, mean_se, math.sqrt(of_std) / n / (2 * math.sqrt(variance)) / steps)


def _sums(profile: Profile, measurement: Measurement) -> tuple[int, int, int]:
    """Return the number of cells, their sum and their sum of squares in steps of the grid, all bands pooled."""
    grid = profile.front_end.grid
    floor = grid.integer(profile.front_end.floor) if profile.exclude_floor else None
    cells = Cells.of(measurement.pooled(), floor, grid.cell_bits)
    return int(cells.count[0]), int(cells.total[0]), int(cells.squares[0])


def error_remarks(profile: Profile) -> Iterator[str]:
    """Yield what a reader must know about the errors: groups that matter, and groups that are few.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> list(error_remarks(sn.fit(waves)))
    []
    """
    by_clip, *by_group = standard_errors(profile)
    unit = profile.front_end.unit
    for found in by_group:
        if found.unit in {"fold", "split"}:
            continue
        if found.units >= 2 and found.mean_se > 1.5 * by_clip.mean_se:
            yield (
                f"the mean is uncertain by {found.mean_half_width:.2g} {unit} (95 %) if {found.unit} is the unit of "
                f"sampling, {found.mean_se / by_clip.mean_se:.1f} times the error by clip"
            )
        if found.few:
            yield f"{found.units} groups by {found.unit} are few: errors by {found.unit} are rough below {FEW_UNITS}"
