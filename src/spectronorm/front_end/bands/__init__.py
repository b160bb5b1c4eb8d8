"""Band layouts: ways to gather the STFT's bins. Each is one file and one line here."""

from spectronorm.front_end.bands.bands import BANDS as BANDS
from spectronorm.front_end.bands.bands import Bands as Bands
from spectronorm.front_end.bands.runs import BandRuns as BandRuns
from spectronorm.front_end.bands.linear import Linear as Linear
from spectronorm.front_end.bands.mel import Mel as Mel
from spectronorm.front_end.bands.gammatone import Gammatone as Gammatone

__all__ = ["BANDS", "BandRuns", "Bands", "Gammatone", "Linear", "Mel"]
