"""Normalization of the training set's extremes to a fixed range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from spectronorm.arrays import set_real_numbers
from spectronorm.errors import ArgumentError
from spectronorm.normalize.normalizer import NORMALIZERS, FittedNormalizer, Normalizer
from spectronorm.normalize.per import check_scope, scoped
from spectronorm.normalize.safe_scale import check_min_scale, safe_scale
from spectronorm.profile import Profile
from spectronorm.short_repr import with_bounded_repr


@NORMALIZERS.register("min_max")
@with_bounded_repr
@dataclass(frozen=True)
class MinMax(Normalizer):
    """Maps the lowest level of the training set to `low` and the highest to `high`; other audio may fall outside.

    With `per="band"`, no band's range counts as less than `min_scale` times the median band's, so a nearly constant
    band fills only part of the target range; a range of zero counts as 1.

    Raises:
        ArgumentError: if `low < high` does not hold, or if `per` or `min_scale` is invalid.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> profile = sn.fit(waves)
    >>> x = sn.MinMax(low=-1, high=1).fit(profile)(profile.front_end(waves[0][0]))
    >>> bool(x.min() >= -1.0001 and x.max() <= 1.0001)
    True
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"minmax": {"per": "global"}, "minmax-band": {"per": "band"}}
    padding: ClassVar[str] = "silence"

    per: str = field(default="global", metadata={"help": "global or band"})
    low: float = field(default=0.0, metadata={"help": "output for the lowest level"})
    high: float = field(default=1.0, metadata={"help": "output for the highest level"})
    min_scale: float = field(
        default=0.25, metadata={"help": "smallest scale of a band, as a share of the median band's scale"}
    )

    def __post_init__(self) -> None:
        check_scope(self.per)
        check_min_scale(self.min_scale)
        set_real_numbers(self, ("low", "high"), -1e12, 1e12)
        if not self.low < self.high:
            raise ArgumentError(f"low={self.low}, high={self.high} must be finite numbers with low < high")

    @property
    @override
    def one_map(self) -> bool:
        return self.per == "global"

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take the extremes from the profile."""
        statistics = scoped(profile, self.per)
        lowest = np.asarray(statistics.min)
        scale = safe_scale(np.asarray(statistics.max) - lowest, self.min_scale) / (self.high - self.low)
        return FittedNormalizer.of(self, profile, lowest - self.low * scale, scale)
