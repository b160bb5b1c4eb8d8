"""Normalization by the median and a quantile range, which a few loud clips cannot move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from spectronorm.arrays import real_number
from spectronorm.errors import ArgumentError
from spectronorm.normalize.normalizer import NORMALIZERS, FittedNormalizer, Normalizer
from spectronorm.normalize.per import check_scope, scoped
from spectronorm.normalize.safe_scale import check_min_scale, safe_scale
from spectronorm.profile import Profile
from spectronorm.short_repr import with_bounded_repr

_REACH = 16.0
"""The most scales between a band's median and the usual levels of the loudest band."""


@NORMALIZERS.register("robust")
@with_bounded_repr
@dataclass(frozen=True)
class Robust(Normalizer):
    """Map `(level - median) / (upper - lower quantile)`, from the training set's histograms.

    The counterpart of scikit-learn's RobustScaler.

    Raises:
        ArgumentError: if `quantiles` are not `0 <= lower < upper <= 1`, or if `per` or `min_scale` is invalid.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> fitted = sn.Robust(quantiles=(0.25, 0.75)).fit(sn.fit(waves))
    >>> fitted.affine.shift.shape
    (201, 1)
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"robust": {"per": "global"}, "robust-band": {"per": "band"}}

    per: str = field(default="band", metadata={"help": "global or band"})
    quantiles: tuple[float, float] = field(
        default=(0.25, 0.75), metadata={"help": "shares of levels below the two ends of the range"}
    )
    min_scale: float = field(
        default=0.25, metadata={"help": "smallest scale of a band, as a share of the median band's scale"}
    )

    def __post_init__(self) -> None:
        check_scope(self.per)
        check_min_scale(self.min_scale)
        if not isinstance(self.quantiles, list | tuple) or len(self.quantiles) != 2:
            raise ArgumentError(f"quantiles={self.quantiles!r} must be two shares, 0 <= lower < upper <= 1")
        lower, upper = (real_number(share, "quantiles", 0, 1) for share in self.quantiles)
        if self.quantiles != (lower, upper):  # JSON gives a list; scikit-learn clones only what keeps its tuple
            object.__setattr__(self, "quantiles", (lower, upper))
        if not lower < upper:
            raise ArgumentError(f"quantiles={self.quantiles} must be two shares, 0 <= lower < upper <= 1")

    @property
    @override
    def one_map(self) -> bool:
        return self.per == "global"

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take the quantiles from the profile."""
        lower, median, upper = scoped(profile, self.per).quantile([self.quantiles[0], 0.5, self.quantiles[1]])
        # Half of the bands may be dead and still have a range, that of a resampler's noise: the others are the measure.
        scale = safe_scale(np.asarray(upper - lower), self.min_scale, of=0.75)
        # Sound as loud as in the loudest band stays within reach in a band that was far below it.
        scale = np.maximum(scale, (np.max(upper) - median) / _REACH)
        return FittedNormalizer.of(self, profile, median, scale)
