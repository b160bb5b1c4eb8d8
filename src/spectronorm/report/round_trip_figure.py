"""Figure of one round trip: the original log-spectrogram (level), the image, and the level of the recovered sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import Reader
from spectronorm.audio.channels import MEAN, STACK
from spectronorm.display.figure import as_label, new_figure, save_figure
from spectronorm.front_end import FrontEnd
from spectronorm.image_files import decode
from spectronorm.passes.round_trip import RoundTrip

_Levels = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""Of the clip, of its image, and of the sound made from the image."""


def draw_round_trip(trip: RoundTrip, path: Path) -> None:
    """Draw the levels of a round trip, read from its files.

    Raises:
        MissingExtra: if matplotlib is not installed.
    """
    _, levels = read_round_trip(trip)
    title = f"{trip.image.stem}: {trip.losses['level_db']:.2f} dB mean difference of levels"
    save_figure(round_trip_figure(levels, decode(trip.image).header.front_end, title), path)


def read_round_trip(trip: RoundTrip) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], _Levels]:
    """Read the files of a round trip.

    Returns:
        Sounds before and after, `(sample,)` or `(channel, sample)`, and the levels `(row, frame)` of the clip, of its
        image and of the sound made from the image; the channels of a stack lie above each other, the first at the
        bottom.
    """
    image = decode(trip.image)
    front_end, shape = image.header.front_end, image.level.shape
    reader = Reader(channels=MEAN if image.level.ndim == 2 else f"{STACK}:{shape[0]}")
    before, after = (reader.read(file, front_end.sample_rate).valid for file in (trip.original, trip.recovered))
    decoded = image.level.reshape(-1, shape[-1])
    return (before, after), (front_end.clip_level(before), decoded, front_end.clip_level(after))


def round_trip_figure(levels: _Levels, front_end: FrontEnd, title: str) -> Any:
    """Draw three levels `(band, frame)` one above the other: original, decoded image, recovered sound.

    Raises:
        MissingExtra: if matplotlib is not installed.
    """
    figure = new_figure(8, 6.5)
    axes = figure.subplots(3, 1, sharex=True)
    low, high = levels[0].min(), levels[0].max()
    low = max(low, high - 90.0) if front_end.unit == "dB" else low
    seconds = levels[0].shape[1] * front_end.stft.hop / front_end.sample_rate
    hz = front_end.band_hz()
    ticks = np.linspace(0, len(hz) - 1, min(5, len(hz))).round().astype(int)
    names = ("the clip", "its image", "the sound made from the image alone")
    image = None
    for axis, level, name, colours in zip(axes, levels, names, ("magma", "gray_r", "magma"), strict=True):
        extent = (0.0, seconds, -0.5, level.shape[0] - 0.5)
        image = axis.imshow(
            level,
            origin="lower",
            aspect="auto",
            extent=extent,
            vmin=low,
            vmax=high,
            cmap=colours,
            interpolation="nearest",
        )
        axis.set_title(name, fontsize=10)
        axis.set_ylabel("frequency (Hz)")
        axis.set_yticks(ticks, [f"{hz[tick]:.0f}" for tick in ticks])
    axes[-1].set_xlabel("time (s)")
    figure.colorbar(image, ax=axes, label=f"level ({front_end.unit})")
    if title:
        figure.suptitle(as_label(title))
    return figure
