"""Windows by name: SciPy's, periodic or symmetric, and Kaldi's own."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from specnorm.errors import ArgumentError

_SYMMETRIC = "_symmetric"


@lru_cache(maxsize=64)
def window_values(name: str, win_length: int, n_fft: int) -> NDArray[np.float64]:
    """The window `(sample,)` of `win_length`, with zeros on both sides to `n_fft` samples; read-only.

    `name` is one that `scipy.signal.get_window` knows, in its periodic form; with `_symmetric` behind it, in the form
    whose first and last values are equal (Kaldi, MATLAB); or `povey`, Kaldi's symmetric Hann window to the power 0.85.

    Raises:
        ArgumentError: when there is no such window.
    """
    left = (n_fft - win_length) // 2
    values = np.pad(_named(name, win_length), (left, n_fft - win_length - left))
    values.setflags(write=False)
    return values


def _named(name: str, length: int) -> NDArray[np.float64]:
    if name == "povey":
        return np.asarray(np.power(_named("hann_symmetric", length), 0.85))
    base = str(name).removesuffix(_SYMMETRIC)
    try:
        values = scipy.signal.get_window(base, length, fftbins=base == name)
    except (ValueError, TypeError):
        raise ArgumentError(
            f"window={name!r} is neither povey nor a window that scipy.signal.get_window knows, such as hann "
            "or hann_symmetric"
        ) from None
    return np.asarray(values, dtype=np.float64)
