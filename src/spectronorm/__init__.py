"""spectronorm: spectrograms measured once, exactly, and normalized identically everywhere.

>>> import spectronorm as sn
>>> front_end = sn.FrontEnd(sample_rate=16_000, bands=sn.Mel(64))
>>> front_end.n_bands
64
"""

from spectronorm.arrays import Affine as Affine
from spectronorm.arrays import sliding_standardize as sliding_standardize
from spectronorm.audio import Clip as Clip
from spectronorm.audio import ClipReference as ClipReference
from spectronorm.audio import Limits as Limits
from spectronorm.audio import Reader as Reader
from spectronorm.audio import Source as Source
from spectronorm.audio import open_source as open_source
from spectronorm.audio import read as read
from spectronorm.audio import read_clip as read_clip
from spectronorm.engines import AutoEngine as AutoEngine
from spectronorm.engines import DaskEngine as DaskEngine
from spectronorm.engines import ProcessEngine as ProcessEngine
from spectronorm.engines import ThreadEngine as ThreadEngine
from spectronorm.errors import ArgumentError as ArgumentError
from spectronorm.errors import AudioError as AudioError
from spectronorm.errors import EngineError as EngineError
from spectronorm.errors import ExportError as ExportError
from spectronorm.errors import FileFormatError as FileFormatError
from spectronorm.errors import FrontEndMismatch as FrontEndMismatch
from spectronorm.errors import MissingExtra as MissingExtra
from spectronorm.errors import OutputBusy as OutputBusy
from spectronorm.errors import ShapeError as ShapeError
from spectronorm.errors import SourceError as SourceError
from spectronorm.errors import SpectronormError as SpectronormError
from spectronorm.errors import TooManyBad as TooManyBad
from spectronorm.front_end import PCEN as PCEN
from spectronorm.front_end import STFT as STFT
from spectronorm.front_end import AsRecorded as AsRecorded
from spectronorm.front_end import Decibel as Decibel
from spectronorm.front_end import FrontEnd as FrontEnd
from spectronorm.front_end import Gammatone as Gammatone
from spectronorm.front_end import Linear as Linear
from spectronorm.front_end import Ln as Ln
from spectronorm.front_end import Log1p as Log1p
from spectronorm.front_end import LoudnessLevel as LoudnessLevel
from spectronorm.front_end import Mel as Mel
from spectronorm.front_end import PeakLevel as PeakLevel
from spectronorm.front_end import PreEmphasis as PreEmphasis
from spectronorm.front_end import RMSLevel as RMSLevel
from spectronorm.front_end import Root as Root
from spectronorm.front_end import ScaleWaveform as ScaleWaveform
from spectronorm.front_end import SlidingStandardizeWaveform as SlidingStandardizeWaveform
from spectronorm.front_end import StandardizeWaveform as StandardizeWaveform
from spectronorm.front_end import WaveformGain as WaveformGain
from spectronorm.front_end import fix_frames as fix_frames
from spectronorm.front_end import integrated_loudness as integrated_loudness
from spectronorm.front_end import preset as preset
from spectronorm.images import ImageCodec as ImageCodec
from spectronorm.images import Layout as Layout
from spectronorm.images import LevelRange as LevelRange
from spectronorm.inversion import invert as invert
from spectronorm.normalize import FittedNormalizer as FittedNormalizer
from spectronorm.normalize import Fixed as Fixed
from spectronorm.normalize import MinMax as MinMax
from spectronorm.normalize import PerClip as PerClip
from spectronorm.normalize import Robust as Robust
from spectronorm.normalize import SlidingStandardize as SlidingStandardize
from spectronorm.normalize import Standardize as Standardize
from spectronorm.normalize import Unchanged as Unchanged
from spectronorm.normalize import normalizer as normalizer
from spectronorm.passes.apply import apply as apply
from spectronorm.passes.check import Checked as Checked
from spectronorm.passes.check import check as check
from spectronorm.passes.fit import Sample as Sample
from spectronorm.passes.fit import fit as fit
from spectronorm.passes.images import ExportOptions as ExportOptions
from spectronorm.passes.images import export_images as export_images
from spectronorm.passes.round_trip import RoundTripOptions as RoundTripOptions
from spectronorm.passes.round_trip import round_trip as round_trip
from spectronorm.passes.sounds import InversionOptions as InversionOptions
from spectronorm.passes.sounds import export_audio as export_audio
from spectronorm.pipeline import Pipeline as Pipeline
from spectronorm.pipeline import load as load
from spectronorm.pipeline import published as published
from spectronorm.profile import Profile as Profile
from spectronorm.profile import Statistics as Statistics
from spectronorm.version import __version__ as __version__
