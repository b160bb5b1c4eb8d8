"""Front end: waveform to log-spectrogram, by waveform level → STFT → bands → compression, as one frozen value.

A new band layout, compression or waveform level is one new file and one line in the folder of its slot.
"""

from spectronorm.front_end.any_front_end import AnyFrontEnd as AnyFrontEnd
from spectronorm.front_end.any_front_end import any_from_json as any_from_json
from spectronorm.front_end.any_front_end import any_front_end as any_front_end
from spectronorm.front_end.any_front_end import checked_front_end as checked_front_end
from spectronorm.front_end.any_front_end import require_front_end as require_front_end
from spectronorm.front_end.bands import Gammatone as Gammatone
from spectronorm.front_end.bands import Linear as Linear
from spectronorm.front_end.bands import Mel as Mel
from spectronorm.front_end.compress import PCEN as PCEN
from spectronorm.front_end.compress import Decibel as Decibel
from spectronorm.front_end.compress import Ln as Ln
from spectronorm.front_end.compress import Log1p as Log1p
from spectronorm.front_end.compress import Root as Root
from spectronorm.front_end.compress.grid import Grid as Grid
from spectronorm.front_end.decibels import db_per_unit as db_per_unit
from spectronorm.front_end.decibels import is_logarithmic as is_logarithmic
from spectronorm.front_end.decibels import level_db as level_db
from spectronorm.front_end.fix_frames import fix_frames as fix_frames
from spectronorm.front_end.front_end import FrontEnd as FrontEnd
from spectronorm.front_end.levels import Levels as Levels
from spectronorm.front_end.presets import PRESETS as PRESETS
from spectronorm.front_end.presets import find_preset as find_preset
from spectronorm.front_end.presets import preset as preset
from spectronorm.front_end.span import frames_of as frames_of
from spectronorm.front_end.span import shortest_length as shortest_length
from spectronorm.front_end.stack_frames import stack_frames as stack_frames
from spectronorm.front_end.stft.stft import STFT as STFT
from spectronorm.front_end.undo_gain import WaveformGain as WaveformGain
from spectronorm.front_end.waveform import AsRecorded as AsRecorded
from spectronorm.front_end.waveform import LoudnessLevel as LoudnessLevel
from spectronorm.front_end.waveform import PeakLevel as PeakLevel
from spectronorm.front_end.waveform import PreEmphasis as PreEmphasis
from spectronorm.front_end.waveform import RMSLevel as RMSLevel
from spectronorm.front_end.waveform import ScaleWaveform as ScaleWaveform
from spectronorm.front_end.waveform import SlidingStandardizeWaveform as SlidingStandardizeWaveform
from spectronorm.front_end.waveform import StandardizeWaveform as StandardizeWaveform
from spectronorm.front_end.waveform import integrated_loudness as integrated_loudness

__all__ = ["STFT", "FrontEnd", "Levels", "WaveformGain", "fix_frames", "preset", "stack_frames"]
