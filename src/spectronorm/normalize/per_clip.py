"""Each clip by its own mean and standard deviation."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.arrays import Affine, Array, mean_of_valid, namespace, working
from spectronorm.normalize.normalizer import FittedNormalizer, FittedOn
from spectronorm.normalize.per import CLIP_SCOPES, check_scope
from spectronorm.normalize.scikit_learn import Parameters
from spectronorm.profile import Profile


@dataclass(frozen=True)
class PerClip(Parameters):
    """`(level - mean) / std` over each clip's own frames (and bands, with `per="global"`): utterance MVN.

    It needs nothing from the data set and forgets each clip's level; a constant clip becomes zero. The inverse needs
    the map that the clip got, which `FittedNormalizer.affine_of` gives. Of several channels each is a clip of its own.

    Raises:
        ArgumentError: when `per` is neither global nor band.
    """

    per: str = "global"

    def __post_init__(self) -> None:
        check_scope(self.per, CLIP_SCOPES)

    @property
    def uses_data_set(self) -> bool:
        """Never."""
        return False

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Remember the front end; there is nothing else to fit."""
        return FittedNormalizer(self, profile.front_end, None, FittedOn.of(profile))

    def clip_affine(self, level: Array, valid: Array | None = None) -> Affine:
        """Mean and std of each clip of `level` `(..., band, frame)`; a std of zero counts as 1.

        With `valid` (boolean, broadcast against `level`) only those frames count.
        """
        xp = namespace(level)
        axes = (-1,) if self.per == "band" else (-2, -1)
        exact = working(level)
        mean = mean_of_valid(exact, valid, axes)
        variance = mean_of_valid((exact - mean) ** 2, valid, axes)
        # Rounding alone gives a constant clip a variance this small; its root would have no gradient either.
        flat = variance <= 1e-12 * (1.0 + mean * mean)
        return Affine(mean, xp.sqrt(xp.where(flat, xp.ones_like(variance), variance)))
