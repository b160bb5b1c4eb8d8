"""Plot of a waveform, for notebooks and pages (extra `report`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectronorm.arrays import real_number
from spectronorm.display.figure import as_label
from spectronorm.display.spectrogram import axes_or_new, host_array
from spectronorm.errors import ShapeError
from spectronorm.suggestion import known_keywords


@known_keywords
def plot_wave(wave: ArrayLike, sample_rate: float, *, ax: Any = None, title: str = "") -> Any:
    """Draw a waveform, with time in seconds, and the lowest and highest sample of each picture column if it is long.

    Args:
        wave: Samples `(sample,)`, or `(channel, sample)`, one line for each channel.
        sample_rate: Sample rate in Hz.
        ax: Axes to draw on; by default those of a new figure.
        title: Title of the axes.

    Returns:
        The axes.

    Raises:
        ShapeError: if the wave has no samples or more than two axes.
        ArgumentError: unless the sample rate is a positive number.
        MissingExtra: if matplotlib is not installed.

    >>> import numpy as np, spectronorm as sn
    >>> sn.plot_wave(np.zeros(8_000), 8_000).get_xlim()
    (np.float64(0.0), np.float64(1.0))
    """
    samples = host_array(wave, "a wave")
    if samples.ndim not in (1, 2) or not samples.size:
        raise ShapeError(f"a wave of shape {samples.shape} cannot be drawn; (sample,) or (channel, sample) is needed")
    sample_rate = real_number(sample_rate, "sample_rate", 1e-3, 1e9, of="Hz")
    axis = axes_or_new(ax, 8, 2)
    channels = samples.reshape(-1, samples.shape[-1])
    for number, channel in enumerate(channels):
        time, low, high = _envelope(channel, sample_rate)
        axis.fill_between(time, low, high, linewidth=0.7, alpha=0.7, label=f"channel {number}", color=f"C{number % 10}")
    if len(channels) > 1:
        axis.legend(fontsize=8)
    axis.set_xlim(0, samples.shape[-1] / sample_rate)
    axis.set_xlabel("time (s)")
    axis.set_ylabel("amplitude")
    if title:
        axis.set_title(as_label(title))
    return axis


def _envelope(channel: NDArray[np.float64], sample_rate: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return times, and the lowest and highest sample about each, of at most some 2000 points."""
    step = max(1, len(channel) // 2000)
    starts = np.arange(0, len(channel), step)
    low, high = np.minimum.reduceat(channel, starts), np.maximum.reduceat(channel, starts)
    if step == 1 and len(channel) > 1:  # A line: each point reaches to the next.
        following = np.append(channel[1:], channel[-1])
        low, high = np.minimum(channel, following), np.maximum(channel, following)
    return starts / sample_rate, low, high
