"""Audio in: reading, resampling, and sources of clips."""

from specnorm.audio.cache import AudioCache as AudioCache
from specnorm.audio.clip import Clip as Clip
from specnorm.audio.content import stamp as stamp
from specnorm.audio.long_clip import LongClip as LongClip
from specnorm.audio.long_clip import Streamed as Streamed
from specnorm.audio.long_clip import stream as stream
from specnorm.audio.read import Reader as Reader
from specnorm.audio.read import Stamped as Stamped
from specnorm.audio.read import read as read
from specnorm.audio.read import read_clip as read_clip
from specnorm.audio.read import release as release
from specnorm.audio.reference import ClipReference as ClipReference
from specnorm.audio.reference import reading_place as reading_place
from specnorm.audio.resample import RESAMPLERS as RESAMPLERS
from specnorm.audio.sandbox import Limits as Limits
from specnorm.audio.source import Source as Source
from specnorm.audio.source import open_source as open_source
from specnorm.audio.source import random_sample as random_sample
