"""Figure of one round trip: the original log-spectrogram (level), the image, and the level of the recovered sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spectronorm.audio import Reader
from spectronorm.audio.channels import MEAN, STACK
from spectronorm.display.figure import as_label, new_figure, save_figure
from spectronorm.front_end import FrontEnd
from spectronorm.image_files import decode
from spectronorm.passes.round_trip import RoundTrip


def draw_round_trip(trip: RoundTrip, front_end: FrontEnd, path: Path) -> None:
    """Draw the levels of a round trip, read from its files.

    Raises:
        MissingExtra: if matplotlib is not installed.
    """
    image = decode(trip.image)
    front_end = image.header.front_end
    rate = front_end.sample_rate
    shape = image.level.shape
    reader = Reader(channels=MEAN if image.level.ndim == 2 else f"{STACK}:{shape[0]}")
    waves = [reader.read(file, rate).valid for file in (trip.original, trip.recovered)]
    # The channels of a stack lie above each other, the first at the bottom.
    levels = [front_end.clip_level(wave) for wave in waves]
    title = f"{trip.image.stem}: {trip.losses['level_db']:.2f} dB mean difference of levels"
    save_round_trip_figure((levels[0], image.level.reshape(-1, shape[-1]), levels[1]), front_end, title, path)


def save_round_trip_figure(
    levels: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], front_end: FrontEnd, title: str, path: Path
) -> None:
    """Draw three levels `(band, frame)` one above the other: original, decoded image, recovered sound.

    Raises:
        MissingExtra: if matplotlib is not installed.
    """
    figure = new_figure(8, 6.5)
    axes = figure.subplots(3, 1, sharex=True)
    low, high = levels[0].min(), levels[0].max()
    low = max(low, high - 90.0) if front_end.unit == "dB" else low
    seconds = levels[0].shape[1] * front_end.stft.hop / front_end.sample_rate
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
        axis.set_ylabel("band")
    axes[-1].set_xlabel("time (s)")
    figure.colorbar(image, ax=axes, label=f"level ({front_end.unit})")
    figure.suptitle(as_label(title))
    save_figure(figure, path)
