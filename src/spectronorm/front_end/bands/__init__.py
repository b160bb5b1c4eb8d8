"""Bands: how the STFT's bins are gathered."""

from spectronorm.front_end.bands.bands import Bands as Bands
from spectronorm.front_end.bands.gammatone import Gammatone as Gammatone
from spectronorm.front_end.bands.linear import Linear as Linear
from spectronorm.front_end.bands.mel import Mel as Mel

__all__ = ["Bands", "Gammatone", "Linear", "Mel"]
