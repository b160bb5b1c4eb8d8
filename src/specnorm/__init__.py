"""specnorm: spectrograms measured once, exactly, and normalized the same everywhere.

>>> import specnorm as sn
>>> front_end = sn.FrontEnd(sample_rate=16_000, bands=sn.Mel(64))
>>> front_end.n_bands
64
"""

from specnorm.affine import Affine as Affine
from specnorm.apply import apply as apply
from specnorm.audio import Clip as Clip
from specnorm.audio import ClipReference as ClipReference
from specnorm.audio import Limits as Limits
from specnorm.audio import Reader as Reader
from specnorm.audio import Source as Source
from specnorm.audio import open_source as open_source
from specnorm.audio import read as read
from specnorm.audio import read_clip as read_clip
from specnorm.check import Checked as Checked
from specnorm.check import check as check
from specnorm.engines import AutoEngine as AutoEngine
from specnorm.engines import DaskEngine as DaskEngine
from specnorm.engines import LocalEngine as LocalEngine
from specnorm.engines import ProcessEngine as ProcessEngine
from specnorm.errors import ArgumentError as ArgumentError
from specnorm.errors import AudioError as AudioError
from specnorm.errors import EngineError as EngineError
from specnorm.errors import ExportError as ExportError
from specnorm.errors import FileFormatError as FileFormatError
from specnorm.errors import FrontEndMismatch as FrontEndMismatch
from specnorm.errors import MissingExtra as MissingExtra
from specnorm.errors import OutputBusy as OutputBusy
from specnorm.errors import ShapeError as ShapeError
from specnorm.errors import SourceError as SourceError
from specnorm.errors import SpecnormError as SpecnormError
from specnorm.errors import TooManyBad as TooManyBad
from specnorm.export_audio import InversionOptions as InversionOptions
from specnorm.export_audio import export_audio as export_audio
from specnorm.export_images import ExportOptions as ExportOptions
from specnorm.export_images import export_images as export_images
from specnorm.fit import Sample as Sample
from specnorm.fit import fit as fit
from specnorm.front_end import PCEN as PCEN
from specnorm.front_end import STFT as STFT
from specnorm.front_end import AsRecorded as AsRecorded
from specnorm.front_end import Decibel as Decibel
from specnorm.front_end import FrontEnd as FrontEnd
from specnorm.front_end import Gammatone as Gammatone
from specnorm.front_end import Linear as Linear
from specnorm.front_end import Ln as Ln
from specnorm.front_end import Log1p as Log1p
from specnorm.front_end import LoudnessLevel as LoudnessLevel
from specnorm.front_end import Mel as Mel
from specnorm.front_end import PeakLevel as PeakLevel
from specnorm.front_end import PreEmphasis as PreEmphasis
from specnorm.front_end import RMSLevel as RMSLevel
from specnorm.front_end import Root as Root
from specnorm.front_end import ScaleWaveform as ScaleWaveform
from specnorm.front_end import SlidingStandardizeWaveform as SlidingStandardizeWaveform
from specnorm.front_end import StandardizeWaveform as StandardizeWaveform
from specnorm.front_end import WaveformGain as WaveformGain
from specnorm.front_end import fix_frames as fix_frames
from specnorm.front_end import integrated_loudness as integrated_loudness
from specnorm.front_end import preset as preset
from specnorm.images import ImageCodec as ImageCodec
from specnorm.images import Layout as Layout
from specnorm.images import LevelRange as LevelRange
from specnorm.inversion import invert as invert
from specnorm.normalize import FittedNormalizer as FittedNormalizer
from specnorm.normalize import Fixed as Fixed
from specnorm.normalize import MinMax as MinMax
from specnorm.normalize import PerClip as PerClip
from specnorm.normalize import Robust as Robust
from specnorm.normalize import SlidingStandardize as SlidingStandardize
from specnorm.normalize import Standardize as Standardize
from specnorm.normalize import Unchanged as Unchanged
from specnorm.normalize import normalizer as normalizer
from specnorm.pipeline import Pipeline as Pipeline
from specnorm.pipeline import load as load
from specnorm.profile import Profile as Profile
from specnorm.profile import Statistics as Statistics
from specnorm.published import published as published
from specnorm.round_trip import RoundTripOptions as RoundTripOptions
from specnorm.round_trip import round_trip as round_trip
from specnorm.sliding import sliding_standardize as sliding_standardize
from specnorm.version import __version__ as __version__
