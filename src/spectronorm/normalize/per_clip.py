"""Normalization of each clip by its own mean and standard deviation."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.arrays import Affine, Array, mean_of_valid, namespace, working
from spectronorm.normalize.normalizer import FittedNormalizer, FittedOn
from spectronorm.normalize.per import check_scope
from spectronorm.profile import Profile


@dataclass(frozen=True)
class PerClip:
    """Map `(level - mean) / std` over each clip's frames (and bands, with `per="global"`): utterance MVN.

    It needs nothing from the data set and discards each clip's level; a constant clip becomes zero. The inverse needs
    the clip's map, which `FittedNormalizer.affine_of` gives.

    Raises:
        ArgumentError: if `per` is neither global nor band.
    """

    per: str = "global"

    def __post_init__(self) -> None:
        check_scope(self.per)

    @property
    def uses_data_set(self) -> bool:
        """Return false: each clip has its own map."""
        return False

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Store the front end; nothing else is fitted."""
        return FittedNormalizer(self, profile.front_end, None, FittedOn.of(profile))

    def clip_affine(self, level: Array, valid: Array | None = None) -> Affine:
        """Return mean and std of each clip of `level` `(..., band, frame)`; a std of zero counts as 1.

        With `valid` (boolean, broadcast against `level`), only the valid frames count.
        """
        xp = namespace(level)
        axes = (-1,) if self.per == "band" else (-2, -1)
        exact = working(level)
        mean = mean_of_valid(exact, valid, axes)
        variance = mean_of_valid((exact - mean) ** 2, valid, axes)
        # Rounding alone gives a constant clip a variance this small, and the root of zero has no gradient.
        flat = variance <= 1e-12 * (1.0 + mean * mean)
        return Affine(mean, xp.sqrt(xp.where(flat, xp.ones_like(variance), variance)))
