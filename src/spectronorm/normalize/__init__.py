"""Normalizers: maps from levels to tensors and back. Each normalizer is one file and one line here."""

from collections.abc import Mapping

from spectronorm.arrays import Affine as Affine
from spectronorm.arrays import sliding_standardize as sliding_standardize
from spectronorm.errors import ArgumentError
from spectronorm.normalize.fixed import Fixed as Fixed
from spectronorm.normalize.min_max import MinMax as MinMax
from spectronorm.normalize.normalizer import FittedNormalizer as FittedNormalizer
from spectronorm.normalize.normalizer import FittedOn as FittedOn
from spectronorm.normalize.normalizer import Normalizer as Normalizer
from spectronorm.normalize.per_clip import PerClip as PerClip
from spectronorm.normalize.robust import Robust as Robust
from spectronorm.normalize.sliding import SlidingStandardize as SlidingStandardize
from spectronorm.normalize.standardize import Standardize as Standardize
from spectronorm.normalize.unchanged import Unchanged as Unchanged

__all__ = [
    "Affine",
    "FittedNormalizer",
    "FittedOn",
    "Fixed",
    "MinMax",
    "Normalizer",
    "PerClip",
    "Robust",
    "SlidingStandardize",
    "Standardize",
    "Unchanged",
    "normalizer",
    "sliding_standardize",
]

KINDS: Mapping[str, type[Normalizer]] = {
    "unchanged": Unchanged,
    "standardize": Standardize,
    "min_max": MinMax,
    "robust": Robust,
    "per_clip": PerClip,
    "sliding": SlidingStandardize,
    "fixed": Fixed,
}
"""Every kind of normalizer, by the name that saved pipelines use."""

NORMALIZERS: Mapping[str, Normalizer] = {
    "none": Unchanged(),
    "global": Standardize(per="global"),
    "band": Standardize(per="band"),
    "minmax": MinMax(per="global"),
    "minmax-band": MinMax(per="band"),
    "robust": Robust(per="global"),
    "robust-band": Robust(per="band"),
    "clip": PerClip(per="global"),
    "clip-band": PerClip(per="band"),
    "sliding": SlidingStandardize(),
    "sliding-data-set": SlidingStandardize(scale="data_set"),
}
"""Every normalizer, by the name that `--normalize` takes."""


def normalizer(name: str) -> Normalizer:
    """Return the unfitted normalizer with this name.

    Raises:
        ArgumentError: if there is no such normalizer.
    """
    if name not in NORMALIZERS:
        raise ArgumentError(f"normalize={name!r} is unknown; use one of {', '.join(NORMALIZERS)}")
    return NORMALIZERS[name]
