"""Audio input: reading, resampling, and sources of clips."""

from spectronorm.audio.cache import AudioCache as AudioCache
from spectronorm.audio.clip import Clip as Clip
from spectronorm.audio.decoding.fork_server import Limits as Limits
from spectronorm.audio.decoding.recordings import stamp as stamp
from spectronorm.audio.kept_open import release as release
from spectronorm.audio.kinds.source_kind import SOURCES as SOURCES
from spectronorm.audio.kinds.source_kind import SourceKind as SourceKind
from spectronorm.audio.long_clip import LongClip as LongClip
from spectronorm.audio.long_clip import Streamed as Streamed
from spectronorm.audio.long_clip import stream as stream
from spectronorm.audio.places.reference import ClipReference as ClipReference
from spectronorm.audio.places.reference import Span as Span
from spectronorm.audio.places.reference import decoded_in_order as decoded_in_order
from spectronorm.audio.places.reference import reading_place as reading_place
from spectronorm.audio.read import Reader as Reader
from spectronorm.audio.read import Stamped as Stamped
from spectronorm.audio.read import read as read
from spectronorm.audio.read import read_clip as read_clip
from spectronorm.audio.resample import RESAMPLERS as RESAMPLERS
from spectronorm.audio.sources import Openable as Openable
from spectronorm.audio.sources import Source as Source
from spectronorm.audio.sources import each_channel as each_channel
from spectronorm.audio.sources import is_one_pass as is_one_pass
from spectronorm.audio.sources import open_source as open_source
from spectronorm.audio.sources import random_sample as random_sample
from spectronorm.audio.sources import sources_of_values as sources_of_values
from spectronorm.audio.windows import LAST_WINDOW as LAST_WINDOW
from spectronorm.audio.windows import Windows as Windows
from spectronorm.audio.windows import windows_of as windows_of

__all__ = [
    "SOURCES",
    "AudioCache",
    "Clip",
    "ClipReference",
    "Limits",
    "Reader",
    "Source",
    "SourceKind",
    "Span",
    "Windows",
    "open_source",
    "read",
    "read_clip",
]
