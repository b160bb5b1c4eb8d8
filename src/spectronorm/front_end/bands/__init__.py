"""Band layouts: ways to gather the STFT's bins. Each is one file and one line here."""

from spectronorm.front_end.bands.linear import Linear as Linear
from spectronorm.front_end.bands.mel import Mel as Mel
from spectronorm.front_end.bands.gammatone import Gammatone as Gammatone
