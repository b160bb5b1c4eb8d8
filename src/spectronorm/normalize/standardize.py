"""Normalization to mean 0 and standard deviation 1 over the training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Affine
from spectronorm.normalize.normalizer import NORMALIZERS, FittedNormalizer, Normalizer
from spectronorm.normalize.per import check_scope, scoped
from spectronorm.normalize.safe_scale import check_min_scale, safe_scale
from spectronorm.profile import Profile
from spectronorm.short_repr import with_bounded_repr


@NORMALIZERS.register("standardize")
@with_bounded_repr
@dataclass(frozen=True)
class Standardize(Normalizer):
    """Map `(level - mean) / std` with the training set's mean and std (ddof = 0): global MVN, or per-band CMVN.

    With `per="band"`, no band's std counts as less than `min_scale` times the median band's; a std of zero counts as 1.

    Raises:
        ArgumentError: if `per` is neither global nor band, or if `min_scale` is not in 0 … 1.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> profile = sn.fit(waves, sn.FrontEnd(bands=sn.Mel(40)))
    >>> fitted = sn.Standardize(per="band").fit(profile)
    >>> bool(np.allclose(fitted.affine.shift[:, 0], profile.band.mean))
    True
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"global": {"per": "global"}, "band": {"per": "band"}}

    per: str = field(default="band", metadata={"help": "global or band"})
    min_scale: float = field(
        default=0.25, metadata={"help": "smallest scale of a band, as a share of the median band's scale"}
    )

    def __post_init__(self) -> None:
        check_scope(self.per)
        check_min_scale(self.min_scale)

    @property
    @override
    def one_map(self) -> bool:
        return self.per == "global"

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take mean and std from the profile."""
        statistics = scoped(profile, self.per)
        return FittedNormalizer.of(self, profile, statistics.mean, safe_scale(statistics.std, self.min_scale))

    @override
    def updated(self, fitted: FittedNormalizer, level: NDArray[Any], *, std: bool) -> FittedNormalizer | None:
        if fitted.affine is None:
            return None
        exact, axes = level.astype(np.float64), (0, 2) if self.per == "band" else (0, 1, 2)
        mean, scale = exact.mean(axis=axes).reshape(-1, 1), fitted.affine.scale
        if std:
            scale = safe_scale(exact.std(axis=axes).reshape(-1, 1), self.min_scale)
        return replace(fitted, affine=Affine(mean, scale))
