"""Waveform levels: changes of a clip's samples before its STFT. Each is one class and one line here."""

from spectronorm.front_end.waveform.waveform_level import WAVEFORM_LEVELS as WAVEFORM_LEVELS
from spectronorm.front_end.waveform.waveform_level import WaveformChange as WaveformChange
from spectronorm.front_end.waveform.waveform_level import ClipStatistics as ClipStatistics
from spectronorm.front_end.waveform.waveform_level import WaveformLevel as WaveformLevel
from spectronorm.front_end.waveform.as_recorded import AsRecorded as AsRecorded
from spectronorm.front_end.waveform.standardize import StandardizeWaveform as StandardizeWaveform
from spectronorm.front_end.waveform.sliding import SlidingStandardizeWaveform as SlidingStandardizeWaveform
from spectronorm.front_end.waveform.scale import PeakLevel as PeakLevel
from spectronorm.front_end.waveform.scale import RMSLevel as RMSLevel
from spectronorm.front_end.waveform.scale import ScaleWaveform as ScaleWaveform
from spectronorm.front_end.waveform.loudness import LoudnessLevel as LoudnessLevel
from spectronorm.front_end.waveform.loudness import integrated_loudness as integrated_loudness
from spectronorm.front_end.waveform.pre_emphasis import PreEmphasis as PreEmphasis

__all__ = [
    "WAVEFORM_LEVELS",
    "AsRecorded",
    "ClipStatistics",
    "LoudnessLevel",
    "PeakLevel",
    "PreEmphasis",
    "RMSLevel",
    "ScaleWaveform",
    "SlidingStandardizeWaveform",
    "StandardizeWaveform",
    "WaveformChange",
    "WaveformLevel",
    "integrated_loudness",
]
