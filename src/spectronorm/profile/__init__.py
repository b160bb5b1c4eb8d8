"""Profile: a data set as a bag of integers, with every statistic as a pure function of them."""

from spectronorm.profile.bad_files import BadFile as BadFile
from spectronorm.profile.counting.counter import LevelCounter as LevelCounter
from spectronorm.profile.counting.counter import digest as digest
from spectronorm.profile.counting.format_counts import FormatCounts as FormatCounts
from spectronorm.profile.counting.in_blocks import LevelBlocks as LevelBlocks
from spectronorm.profile.counting.in_blocks import as_flat as as_flat
from spectronorm.profile.counting.in_blocks import count_stream as count_stream
from spectronorm.profile.counting.in_blocks import needs_all_first as needs_all_first
from spectronorm.profile.counting.in_blocks import streams as streams
from spectronorm.profile.counting.level_clip import LevelClip as LevelClip
from spectronorm.profile.counting.measurement import Measurement as Measurement
from spectronorm.profile.counting.measurement import RunningSum as RunningSum
from spectronorm.profile.groups import GroupKey as GroupKey
from spectronorm.profile.listed_file import ListedFile as ListedFile
from spectronorm.profile.meter import Meter as Meter
from spectronorm.profile.profile import Profile as Profile
from spectronorm.profile.profile import require_fixed_floor as require_fixed_floor
from spectronorm.profile.profile import require_profile as require_profile
from spectronorm.profile.standard_errors import StandardErrors as StandardErrors
from spectronorm.profile.standard_errors import error_remarks as error_remarks
from spectronorm.profile.standard_errors import standard_errors as standard_errors
from spectronorm.profile.statistics import Statistics as Statistics

__all__ = [
    "BadFile",
    "GroupKey",
    "LevelCounter",
    "ListedFile",
    "Measurement",
    "Meter",
    "Profile",
    "StandardErrors",
    "Statistics",
    "error_remarks",
    "standard_errors",
]
