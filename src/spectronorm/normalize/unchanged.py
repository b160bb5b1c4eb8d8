"""No normalization: the baseline that the others are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.normalize.normalizer import NORMALIZERS, FittedNormalizer, Normalizer
from spectronorm.profile import Profile


@NORMALIZERS.register("unchanged")
@dataclass(frozen=True)
class Unchanged(Normalizer):
    """Leaves levels as they are; padding is silence, because a level of zero may be loud.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> fitted = Unchanged().fit(sn.fit(waves, front_end))
    >>> level = front_end(waves[0][0])
    >>> bool((fitted(level) == level).all())
    True
    """

    padding: ClassVar[str] = "silence"

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"none": {}}

    @property
    @override
    def one_map(self) -> bool:
        return True

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        return FittedNormalizer.of(self, profile, 0.0, 1.0)
