"""Compressions: band values to levels. Each is one file and one line here."""

from spectronorm.front_end.compress.compression import COMPRESSIONS as COMPRESSIONS
from spectronorm.front_end.compress.compression import Compression as Compression
from spectronorm.front_end.compress.compression import Logarithm as Logarithm
from spectronorm.front_end.compress.grid import Grid as Grid
from spectronorm.front_end.compress.decibel import Decibel as Decibel
from spectronorm.front_end.compress.ln import Ln as Ln
from spectronorm.front_end.compress.log10 import Log10 as Log10
from spectronorm.front_end.compress.log1p import Log1p as Log1p
from spectronorm.front_end.compress.root import Root as Root
from spectronorm.front_end.compress.pcen import PCEN as PCEN

__all__ = ["COMPRESSIONS", "PCEN", "Compression", "Decibel", "Grid", "Ln", "Log1p", "Log10", "Logarithm", "Root"]
