"""Contract tests for plug-ins, run in one line; the built-in classes run them too.

>>> from spectronorm.normalize import Standardize
>>> NormalizerContract.check(Standardize())
"""

from spectronorm.testing.bands import BandsContract as BandsContract
from spectronorm.testing.compression import CompressionContract as CompressionContract
from spectronorm.testing.contract import Contract as Contract
from spectronorm.testing.normalizer import NormalizerContract as NormalizerContract
from spectronorm.testing.source import SourceContract as SourceContract
from spectronorm.testing.statistics_format import StatisticsFormatContract as StatisticsFormatContract
from spectronorm.testing.waveform_level import WaveformLevelContract as WaveformLevelContract

__all__ = [
    "BandsContract",
    "CompressionContract",
    "Contract",
    "NormalizerContract",
    "SourceContract",
    "StatisticsFormatContract",
    "WaveformLevelContract",
]
