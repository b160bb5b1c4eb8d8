"""Plot of a spectrogram, for notebooks and pages (extra `report`)."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectronorm.arrays import to_host
from spectronorm.display.figure import as_label, new_figure
from spectronorm.errors import ShapeError
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels, checked_front_end
from spectronorm.suggestion import known_keywords

_TICKS = 7


@known_keywords
def plot(
    level: ArrayLike,
    front_end: AnyFrontEnd | None = None,
    *,
    ax: Any = None,
    unit: str | None = None,
    title: str = "",
    colorbar: bool = True,
) -> Any:
    """Draw a spectrogram, with time in seconds, frequency in Hz and a colour bar in the level's unit.

    Args:
        level: Array `(band, frame)`, NumPy or torch; a leading axis of length one is dropped.
        front_end: Front end of the level, for the axes; without it they are bands and frames.
        ax: Axes to draw on; by default those of a new figure.
        unit: Label of the colour bar; by default the front end's unit.
        title: Title of the axes.
        colorbar: Draw the colour bar.

    Returns:
        The axes.

    Raises:
        ShapeError: if the level has another shape than `(band, frame)`, or other bands than the front end.
        ArgumentError: if `front_end` is something else, such as a profile.
        MissingExtra: if matplotlib is not installed.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd()
    >>> sn.plot(front_end(np.zeros(16_000)), front_end, title="silence").get_xlabel()
    'time (s)'
    """
    if front_end is not None:
        checked_front_end(front_end)
    x = _spectrogram(level, front_end)
    axis = axes_or_new(ax, 8, 4)
    frame_rate = _frame_rate(front_end)
    width = x.shape[1] / frame_rate if frame_rate else x.shape[1]
    extent = (0, width, -0.5, x.shape[0] - 0.5)
    image = axis.imshow(x, origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest")
    axis.set_xlabel("time (s)" if frame_rate else "frame")
    _label_bands(axis, front_end, x.shape[0])
    if title:
        axis.set_title(as_label(title))
    shown = unit if unit is not None else front_end.unit if front_end is not None else ""
    if colorbar:
        axis.figure.colorbar(image, ax=axis, label=as_label(shown))
    return axis


def _spectrogram(level: ArrayLike, front_end: AnyFrontEnd | None) -> NDArray[np.float64]:
    x = host_array(level)
    while x.ndim > 2 and x.shape[0] == 1:
        x = x[0]
    if x.ndim != 2 or not x.size:
        raise ShapeError(f"a level of shape {x.shape} cannot be drawn; (band, frame) is needed: choose a clip")
    if front_end is not None and x.shape[0] != front_end.n_bands:
        raise ShapeError(f"a level of {x.shape[0]} bands is not of this front end, which has {front_end.n_bands}")
    return x


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


def host_array(values: Any, what: str = "a level") -> NDArray[np.float64]:
    """Return a NumPy array, torch tensor or list of numbers as float64 on the host.

    Raises:
        ShapeError: if it is a path, or holds something else than real numbers.
    """
    if isinstance(values, str | bytes | PathLike):
        remedy = "spectronorm.read(path, sample_rate)" if what == "a wave" else "front_end(spectronorm.read(path, …))"
        raise ShapeError(f"{what} is an array of numbers, not a path: pass {remedy}")
    host = to_host(values)
    if host.dtype.kind not in "fiub":
        raise ShapeError(f"{what} holds real numbers, but got an array of {host.dtype}")
    with np.errstate(over="ignore"):
        return np.asarray(host, dtype=np.float64)


def axes_or_new(ax: Any, width: float, height: float) -> Any:
    """Return these axes, or those of a new figure of this size in inches."""
    return new_figure(width, height).subplots() if ax is None else ax
