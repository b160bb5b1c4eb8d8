"""Plots of one clip, for notebooks: waveform, spectrogram, and its normalizations side by side (extra `report`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectronorm.audio import read
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels, require_front_end
from spectronorm.normalize import normalizer
from spectronorm.profile import Profile
from spectronorm.report.figures import as_label, new_figure
from spectronorm.suggestion import known_keywords

NORMALIZATIONS = ("none", "global", "band", "clip")
_TICKS = 7


@known_keywords
def plot(
    level: ArrayLike, front_end: AnyFrontEnd | None = None, *, ax: Any = None, unit: str | None = None, title: str = ""
) -> Any:
    """Draw a spectrogram, with time in seconds, frequency in Hz and a colour bar in the level's unit.

    Args:
        level: Array `(band, frame)`, NumPy or torch; a leading axis of length one is dropped.
        front_end: Front end of the level, for the axes; without it they are bands and frames.
        ax: Axes to draw on; by default those of a new figure.
        unit: Label of the colour bar; by default the front end's unit.
        title: Title of the axes.

    Returns:
        The axes.

    Raises:
        ShapeError: if the level has another shape than `(band, frame)`, or other bands than the front end.
        MissingExtra: if matplotlib is not installed.
    """
    x = _spectrogram(level, front_end)
    axis = _axes(ax, 8, 4)
    frame_rate = _frame_rate(front_end)
    width = x.shape[1] / frame_rate if frame_rate else x.shape[1]
    extent = (0, width, -0.5, x.shape[0] - 0.5)
    image = axis.imshow(x, origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest")
    axis.set_xlabel("time (s)" if frame_rate else "frame")
    _label_bands(axis, front_end, x.shape[0])
    if title:
        axis.set_title(as_label(title))
    shown = unit if unit is not None else front_end.unit if front_end is not None else ""
    axis.figure.colorbar(image, ax=axis, label=as_label(shown))
    return axis


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
        ArgumentError: unless the sample rate is positive.
        MissingExtra: if matplotlib is not installed.
    """
    samples = _array(wave)
    if samples.ndim not in (1, 2) or not samples.size:
        raise ShapeError(f"a wave of shape {samples.shape} cannot be drawn; (sample,) or (channel, sample) is needed")
    if not sample_rate > 0:
        raise ArgumentError(f"sample_rate={sample_rate} must be positive")
    axis = _axes(ax, 8, 2)
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


@known_keywords
def compare_normalizations(
    clip: str | Path | ArrayLike, profile: Profile, names: Sequence[str] = NORMALIZATIONS, *, title: str = ""
) -> Any:
    """Draw one clip under several normalizations, and beside each the values that a model sees in every band.

    Each picture has its own colour bar, from the 2nd to the 99.8th percentile, so that digital silence does not
    spend its range.

    Args:
        clip: Path of an audio file, or samples `(sample,)` at the front end's rate.
        profile: Profile of the training set; its front end makes the spectrogram.
        names: Names of normalizers, as of `--normalize`.
        title: Title of the figure.

    Returns:
        The figure.

    Raises:
        ArgumentError: if there is no such normalizer, or no name.
        MissingExtra: if matplotlib is not installed.
    """
    if not names:
        raise ArgumentError("compare_normalizations needs at least one name of a normalizer")
    front_end = require_front_end(profile.front_end, "drawing a clip")
    wave = read(clip, front_end.sample_rate) if isinstance(clip, str | Path) else _array(clip)
    level = np.asarray(front_end(wave))
    rows = -(-len(names) // 2)
    figure = new_figure(12, 3.4 * rows)
    axes = figure.subplots(rows, 4, squeeze=False, width_ratios=(4, 1, 4, 1)).reshape(-1, 2)
    for (picture, strip), name in zip(axes, names, strict=False):
        x = np.asarray(normalizer(name).fit(profile)(level))
        unit = front_end.unit if name == "none" else "normalized"
        plot(x, front_end, ax=picture, unit=unit, title=f"{name}   {x.min():.2f} … {x.max():.2f}")
        picture.images[0].set_clim(*np.percentile(x, (2, 99.8)))
        _draw_values_by_band(strip, x, unit)
    for axis in axes[len(names) :].ravel():
        axis.remove()
    if title:
        figure.suptitle(as_label(title))
    return figure


def _draw_values_by_band(axis: Any, x: NDArray[np.float64], unit: str) -> None:
    """Draw median and 5th to 95th percentile of each band's values, in the height of the picture on the left."""
    low, middle, high = np.percentile(x, (5, 50, 95), axis=-1)
    bands = np.arange(len(x))
    axis.fill_betweenx(bands, low, high, color="C0", alpha=0.3, linewidth=0)
    axis.plot(middle, bands, color="C0", linewidth=1)
    axis.axvline(0, color="0.6", linewidth=0.7)
    axis.set_ylim(-0.5, len(x) - 0.5)
    axis.set_yticks([])
    axis.set_xlabel(as_label(unit))
    axis.set_title("by band", fontsize=9)


def _spectrogram(level: ArrayLike, front_end: AnyFrontEnd | None) -> NDArray[np.float64]:
    x = _array(level)
    while x.ndim > 2 and x.shape[0] == 1:
        x = x[0]
    if x.ndim != 2 or not x.size:
        raise ShapeError(f"a level of shape {x.shape} cannot be drawn; (band, frame) is needed: choose a clip")
    if front_end is not None and x.shape[0] != front_end.n_bands:
        raise ShapeError(f"a level of {x.shape[0]} bands is not of this front end, which has {front_end.n_bands}")
    return x


def _array(values: Any) -> NDArray[np.float64]:
    host = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    return np.asarray(host, dtype=np.float64)


def _axes(ax: Any, width: float, height: float) -> Any:
    return new_figure(width, height).subplots() if ax is None else ax


def _frame_rate(front_end: AnyFrontEnd | None) -> float | None:
    """Return the number of frames in a second, if it is known."""
    if isinstance(front_end, FrontEnd):
        return front_end.sample_rate / front_end.stft.hop
    return front_end.frame_rate if isinstance(front_end, Levels) else None


def _label_bands(axis: Any, front_end: AnyFrontEnd | None, bands: int) -> None:
    hz = np.full(bands, np.nan) if front_end is None else np.asarray(front_end.band_hz(), dtype=np.float64)
    if len(hz) != bands or not np.isfinite(hz).all():
        axis.set_ylabel("band")
        return
    ticks = np.linspace(0, bands - 1, min(_TICKS, bands)).round().astype(int)
    axis.set_yticks(ticks, [f"{hz[tick]:.0f}" for tick in ticks])
    axis.set_ylabel("frequency (Hz)")


def _envelope(channel: NDArray[np.float64], sample_rate: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return times, and the lowest and highest sample about each, of at most some 2000 points."""
    step = max(1, len(channel) // 2000)
    starts = np.arange(0, len(channel), step)
    low, high = np.minimum.reduceat(channel, starts), np.maximum.reduceat(channel, starts)
    if step == 1 and len(channel) > 1:  # A line: each point reaches to the next.
        following = np.append(channel[1:], channel[-1])
        low, high = np.minimum(channel, following), np.maximum(channel, following)
    return starts / sample_rate, low, high
