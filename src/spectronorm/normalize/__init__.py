"""Normalizers: level to tensor and back. Each normalizer is one file and one line here."""

from spectronorm.arrays import Affine as Affine
from spectronorm.arrays import sliding_standardize as sliding_standardize
from spectronorm.normalize.normalizer import NORMALIZERS as NORMALIZERS
from spectronorm.normalize.normalizer import ClipNormalizer as ClipNormalizer
from spectronorm.normalize.normalizer import FittedNormalizer as FittedNormalizer
from spectronorm.normalize.fitted_on import FittedOn as FittedOn
from spectronorm.normalize.normalizer import Normalizer as Normalizer
from spectronorm.normalize.unchanged import Unchanged as Unchanged
from spectronorm.normalize.standardize import Standardize as Standardize
from spectronorm.normalize.min_max import MinMax as MinMax
from spectronorm.normalize.robust import Robust as Robust
from spectronorm.normalize.per_clip import PerClip as PerClip
from spectronorm.normalize.sliding import SlidingStandardize as SlidingStandardize
from spectronorm.normalize.imported import Imported as Imported
from spectronorm.normalize.fixed import Fixed as Fixed
from spectronorm.normalize.names import normalizer as normalizer
from spectronorm.normalize.names import normalizer_names as normalizer_names

__all__ = [
    "NORMALIZERS",
    "Affine",
    "ClipNormalizer",
    "FittedNormalizer",
    "FittedOn",
    "Fixed",
    "Imported",
    "MinMax",
    "Normalizer",
    "PerClip",
    "Robust",
    "SlidingStandardize",
    "Standardize",
    "Unchanged",
    "normalizer",
    "normalizer_names",
    "sliding_standardize",
]
