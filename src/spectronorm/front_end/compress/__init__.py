"""Compressions: band values to levels, and the grid that levels are counted on."""

from spectronorm.front_end.compress.compression import Compression as Compression
from spectronorm.front_end.compress.decibel import Decibel as Decibel
from spectronorm.front_end.compress.grid import Grid as Grid
from spectronorm.front_end.compress.ln import Ln as Ln
from spectronorm.front_end.compress.log1p import Log1p as Log1p
from spectronorm.front_end.compress.pcen import PCEN as PCEN
from spectronorm.front_end.compress.root import Root as Root

__all__ = ["PCEN", "Compression", "Decibel", "Grid", "Ln", "Log1p", "Root"]
