"""One clip under several normalizations, side by side (extra `report`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectronorm.audio import read
from spectronorm.display.figure import as_label, lowest_to_highest, new_figure
from spectronorm.display.spectrogram import host_array, plot
from spectronorm.errors import ArgumentError
from spectronorm.front_end import require_front_end
from spectronorm.normalize import normalizer
from spectronorm.profile import Profile, require_profile
from spectronorm.suggestion import known_keywords

NORMALIZATIONS = ("none", "global", "band", "clip")


@known_keywords
def compare_normalizations(
    clip: str | Path | ArrayLike, profile: Profile, names: Sequence[str] = NORMALIZATIONS, *, title: str = ""
) -> Any:
    """Draw one clip under several normalizations, and beside each the values that a model sees in every band.

    Each picture has its own colour bar, from the 2nd to the 99.8th percentile, so that digital silence does not
    take up its range.

    Args:
        clip: Path of an audio file, or samples `(sample,)` at the front end's rate; leading axes of length one are
            dropped.
        profile: Profile of the training set; its front end makes the spectrogram.
        names: Names of normalizers, as of `--normalize`.
        title: Title of the figure.

    Returns:
        The figure.

    Raises:
        ArgumentError: if there is no such normalizer, or no name, or `profile` is something else.
        MissingExtra: if matplotlib is not installed.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> profile = sn.fit(waves, sn.FrontEnd(bands=sn.Mel(40)))
    >>> figure = compare_normalizations(waves[0][0], profile, ("none", "band"))
    >>> len([axes for axes in figure.axes if axes.images and axes.get_xlabel()])
    2
    """
    if not names:
        raise ArgumentError("compare_normalizations needs at least one name of a normalizer")
    front_end = require_front_end(require_profile(profile).front_end, "drawing a clip")
    wave = read(clip, front_end.sample_rate) if isinstance(clip, str | Path) else host_array(clip, "a wave")
    while wave.ndim > 1 and len(wave) == 1:
        wave = wave[0]
    level = np.asarray(front_end(wave))
    rows = -(-len(names) // 2)
    figure = new_figure(12, 3.4 * rows)
    axes = figure.subplots(rows, 4, squeeze=False, width_ratios=(4, 1, 4, 1)).reshape(-1, 2)
    for (picture, strip), name in zip(axes, names, strict=False):
        x = np.asarray(normalizer(name).fit(profile)(level))
        unit = front_end.unit if name == "none" else "normalized"
        plot(x, front_end, ax=picture, unit=unit, title=f"{name}   {lowest_to_highest(x)}")
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
