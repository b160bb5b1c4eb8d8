"""Windows by name: SciPy's, periodic or symmetric, and Kaldi's."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy  # its signal module takes half a second to import, which SciPy does on first use
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError

_SYMMETRIC = "_symmetric"
_COSINES = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.50, 0.08)}
"""Weights of the most common cosine sums, so that `scipy.signal` need not be imported for them."""


@lru_cache(maxsize=64)
def window_values(name: str, win_length: int, n_fft: int) -> NDArray[np.float64]:
    """Return the window `(sample,)` of `win_length`, with zeros on both sides to `n_fft` samples; read-only.

    `name` is one that `scipy.signal.get_window` knows, in its periodic form; such a name followed by `_symmetric`, in
    the form whose first and last values are equal (Kaldi, MATLAB); or `povey`, Kaldi's symmetric Hann window to the
    power 0.85.

    Raises:
        ArgumentError: if there is no such window.
    """
    if not isinstance(name, str):
        raise ArgumentError(f"window={name!r} must be a name, such as hann")
    left = (n_fft - win_length) // 2
    values = np.pad(_named(name, win_length), (left, n_fft - win_length - left))
    values.setflags(write=False)
    return values


def _named(name: str, length: int) -> NDArray[np.float64]:
    if name == "povey":
        return np.asarray(np.power(_named("hann_symmetric", length), 0.85))
    base = str(name).removesuffix(_SYMMETRIC)
    if base in _COSINES and length > 1:
        return _cosine_sum(_COSINES[base], length, periodic=base == name)
    try:
        values = scipy.signal.get_window(base, length, fftbins=base == name)
    except (ValueError, TypeError):
        raise ArgumentError(
            f"window={name!r} is neither povey nor a window that scipy.signal.get_window knows, such as hann "
            "or hann_symmetric"
        ) from None
    return np.asarray(values, dtype=np.float64)


def _cosine_sum(weights: tuple[float, ...], length: int, *, periodic: bool) -> NDArray[np.float64]:
    """`Σ a_k cos(k x)` for x from -π to π, as `scipy.signal.windows.general_cosine` computes it."""
    angles = np.linspace(-np.pi, np.pi, length + periodic)[:length]
    return np.asarray(sum(weight * np.cos(k * angles) for k, weight in enumerate(weights)), dtype=np.float64)
