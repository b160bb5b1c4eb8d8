"""Measuring: a data set as a bag of integers, and every statistic as a pure function of it."""

from specnorm.profile.counter import Counter as Counter
from specnorm.profile.counter import digest as digest
from specnorm.profile.group import BadFile as BadFile
from specnorm.profile.group import GroupKey as GroupKey
from specnorm.profile.measurement import Measurement as Measurement
from specnorm.profile.measurement import RunningSum as RunningSum
from specnorm.profile.profile import Profile as Profile
from specnorm.profile.profile import require_fixed_floor as require_fixed_floor
from specnorm.profile.statistics import Statistics as Statistics
from specnorm.profile.streaming import as_flat as as_flat
from specnorm.profile.streaming import count_stream as count_stream
from specnorm.profile.streaming import needs_all_first as needs_all_first
from specnorm.profile.streaming import streams as streams
