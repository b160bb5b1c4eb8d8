"""Files that hold levels: listed as clips, read as arrays, with the rules of a description (`Levels`)."""

from spectronorm.features.files import FEATURE_SUFFIXES as FEATURE_SUFFIXES
from spectronorm.features.files import as_high_as as as_high_as
from spectronorm.features.files import open_features as open_features
from spectronorm.features.files import open_for as open_for
from spectronorm.features.files import read_as_one as read_as_one
from spectronorm.features.files import with_all_channels as with_all_channels
from spectronorm.features.read import StampedLevel as StampedLevel
from spectronorm.features.read import read_level as read_level
from spectronorm.features.read import read_stamped_level as read_stamped_level
from spectronorm.features.read import stamp_of_level as stamp_of_level

__all__ = ["open_features", "read_level"]
