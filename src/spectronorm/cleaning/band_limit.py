"""Upsampling: a spectrum that ends abruptly far below half the sample rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.cleaning.spectrum import Spectrum

DROP_DB = 30.0
"""Fall of the level behind the last frequency of a recording that was resampled from a lower rate."""
_LOWEST_SHARE, _HIGHEST_SHARE = 0.04, 0.92
_EMPTY = 1e-20


def band_limit(spectrum: Spectrum) -> float | None:
    """Return the frequency in Hz above which there is nothing, if the spectrum ends abruptly; else None.

    Everything above it lies at least 30 dB below the mean level (dB) of what is just below it, and of most of the
    rest: sound that fades towards high frequencies does not count, nor does a single tone.
    """
    level = 10.0 * np.log10(spectrum.power + _EMPTY)
    top = len(level) - 1
    bins = np.arange(max(5, round(_LOWEST_SHARE * top)), round(_HIGHEST_SHARE * top))
    if not len(bins):
        return None
    above = np.maximum.accumulate(_smooth(level)[::-1])[::-1]  # the highest level from a frequency on
    behind = above[np.minimum(top, np.rint(1.08 * bins).astype(int) + 1)]
    sums = np.concatenate([[0.0], np.cumsum(level)])
    before = [_mean(sums, np.rint(share * bins).astype(int), bins) for share in (0.8, 0.3)]
    found = np.flatnonzero(np.minimum(*before) - behind >= DROP_DB)
    return float(spectrum.hz[bins[found[0]]]) if len(found) else None


def _mean(
    sums: NDArray[np.float64], first: NDArray[np.signedinteger], last: NDArray[np.signedinteger]
) -> NDArray[np.float64]:
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _smooth(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each value as the median of it and its neighbours: a lone line, such as hum of a converter, is not a band."""
    padded = np.pad(level, 1, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 3), axis=1))
