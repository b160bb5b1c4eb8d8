"""Limits beyond which a figure of a clip is odd."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from spectronorm.cleaning.oddity import Oddity
from spectronorm.errors import ArgumentError
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

BOUNDS = {
    "clipped_share": (0.0, 1.0),
    "quiet_dbfs": (-200.0, 0.0),
    "dc_offset": (0.0, 1.0),
    "bit_depth": (1, 16),
    "bandwidth": (0.0, 1.0),
    "length_factor": (1.0, 1e6),
    "outlier_distance": (0.0, 1e6),
    "near_correlation": (0.5, 1.0),
}
"""Lowest and highest value of each limit."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class InspectionLimits:
    """Limits beyond which a figure of a clip is odd.

    Attributes:
        clipped_share: Share of samples in flat tops from which a clip counts as clipped.
        quiet_dbfs: Level of the loudest tenth of a second (RMS, dB of full scale) below which a clip counts as nearly
            silent.
        dc_offset: Mean of a channel's samples, as a share of full scale, above which a clip has a DC offset.
        bit_depth: Number of bits up to which the used depth counts as low.
        bandwidth: Share of half the sample rate: a clip that ends abruptly below it counts as upsampled.
        length_factor: Factor by which a length may differ from the usual one, or more where lengths vary more.
        outlier_distance: Logarithm of the distance to the fifth nearest clip, in robust standard deviations above the
            usual one.
        near_correlation: Correlation of two waveforms from which on they count as one sound.

    Raises:
        ArgumentError: if a limit is out of its bounds.

    >>> InspectionLimits(quiet_dbfs=-40.0).quiet_dbfs
    -40.0
    >>> InspectionLimits(clipped_share=2.0)
    Traceback (most recent call last):
        ...
    spectronorm.errors.ArgumentError: clipped_share=2.0 must be a number in 0 … 1
    """

    clipped_share: float = 1e-4
    quiet_dbfs: float = -60.0
    dc_offset: float = 0.01
    bit_depth: int = 10
    bandwidth: float = 0.6
    length_factor: float = 2.0
    outlier_distance: float = 2.5
    near_correlation: float = 0.9

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ArgumentError(f"{name}={value!r} must be a number in {low:g} … {high:g}")


def chosen_kinds(kinds: Collection[str] | None) -> frozenset[Oddity]:
    """Return the kinds with these names; all without names.

    Raises:
        ArgumentError: if a name is unknown, or there is none.
    """
    if kinds is None:
        return frozenset(Oddity)
    unknown = [kind for kind in kinds if kind not in set(Oddity)]
    if unknown or not kinds:
        raise ArgumentError(
            f"kinds={', '.join(map(str, unknown)) or 'none'}: there is no such kind; choose among {', '.join(Oddity)}"
        )
    return frozenset(map(Oddity, kinds))
