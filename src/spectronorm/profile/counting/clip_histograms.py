"""Histograms of each clip's RMS, peak and length as recorded, which waveform normalization hides."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LOWEST_DBFS = -150.0
CELLS_PER_DB = 4
DBFS_CELLS = 180 * CELLS_PER_DB + 1
CELLS_PER_OCTAVE = 16
LENGTH_CELLS = 40 * CELLS_PER_OCTAVE + 1


def dbfs_cell(amplitude: float) -> int:
    """Return the cell of an amplitude (full scale is 1): quarter decibels, with silence in the lowest cell."""
    if amplitude <= 0:
        return 0
    cell = math.floor((20 * math.log10(amplitude) - LOWEST_DBFS) * CELLS_PER_DB)
    return min(max(cell, 0), DBFS_CELLS - 1)


def length_cell(samples: int) -> int:
    """Return the cell of a length in samples: sixteenths of an octave."""
    return min(math.floor(math.log2(max(samples, 1)) * CELLS_PER_OCTAVE), LENGTH_CELLS - 1)


def dbfs_edges() -> NDArray[np.float64]:
    """Return the lower edge of each level cell, in dBFS."""
    return LOWEST_DBFS + np.arange(DBFS_CELLS) / CELLS_PER_DB


def length_edges() -> NDArray[np.float64]:
    """Return the lower edge of each length cell, in samples."""
    return np.asarray(2.0 ** (np.arange(LENGTH_CELLS) / CELLS_PER_OCTAVE))
