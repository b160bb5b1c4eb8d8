"""Measuring: a data set as a bag of integers, and every statistic as a pure function of it."""

from spectronorm.profile.counter import Counter as Counter
from spectronorm.profile.counter import digest as digest
from spectronorm.profile.group import BadFile as BadFile
from spectronorm.profile.group import GroupKey as GroupKey
from spectronorm.profile.measurement import Measurement as Measurement
from spectronorm.profile.measurement import RunningSum as RunningSum
from spectronorm.profile.profile import Profile as Profile
from spectronorm.profile.profile import require_fixed_floor as require_fixed_floor
from spectronorm.profile.statistics import Statistics as Statistics
from spectronorm.profile.streaming import as_flat as as_flat
from spectronorm.profile.streaming import count_stream as count_stream
from spectronorm.profile.streaming import needs_all_first as needs_all_first
from spectronorm.profile.streaming import streams as streams
