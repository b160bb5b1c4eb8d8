"""Statistics in the formats of other programs. Each format is one file and one line here."""

from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS as STATISTICS_FORMATS
from spectronorm.interop.statistics.statistics_format import ShiftAndScale as ShiftAndScale
from spectronorm.interop.statistics.statistics_format import StatisticsFormat as StatisticsFormat
from spectronorm.interop.statistics.statistics_format import read_statistics as read_statistics
from spectronorm.interop.statistics.statistics_format import write_statistics as write_statistics
from spectronorm.interop.statistics.json_file import JsonFile as JsonFile
