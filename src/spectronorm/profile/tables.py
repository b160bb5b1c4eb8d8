"""The figures of a profile as a table of pandas or a data set of xarray, where these are installed."""

from __future__ import annotations

from typing import Any

import numpy as np

from spectronorm.errors import MissingExtra
from spectronorm.front_end import AnyFrontEnd
from spectronorm.profile.statistics import Statistics

FIGURES = ("mean", "std", "min", "max", "floor_share", "mean_se", "std_se")


def to_frame(band: Statistics, front_end: AnyFrontEnd) -> Any:
    """A row for each band, or each channel and band; raises `MissingExtra` if pandas is not installed."""
    try:
        import pandas
    except (ImportError, OSError):
        raise MissingExtra("A table of the figures", "pandas") from None
    shape = front_end.level_shape
    names = ("band",) if len(shape) == 1 else ("channel", "band")
    index = pandas.MultiIndex.from_product([range(length) for length in shape], names=names)
    columns = {"hz": front_end.band_hz(), **{name: np.asarray(getattr(band, name)) for name in FIGURES}}
    frame = pandas.DataFrame(columns, index=index if len(shape) > 1 else pandas.RangeIndex(shape[0], name="band"))
    frame.attrs.update(unit=front_end.unit, fingerprint=front_end.fingerprint)
    return frame


def to_xarray(band: Statistics, front_end: AnyFrontEnd) -> Any:
    """A variable for each figure, `(band,)` or `(channel, band)`; raises `MissingExtra` if xarray is not installed."""
    try:
        import xarray
    except (ImportError, OSError):
        raise MissingExtra("A data set of the figures", "xarray") from None
    shape = front_end.level_shape
    axes = ("band",) if len(shape) == 1 else ("channel", "band")
    variables = {name: (axes, np.asarray(getattr(band, name)).reshape(shape)) for name in FIGURES}
    found = xarray.Dataset(
        variables,
        coords={"hz": ("band", front_end.band_hz()[: shape[-1]])},
        attrs={"unit": front_end.unit, "fingerprint": front_end.fingerprint},
    )
    for name in FIGURES:
        found[name].attrs["units"] = "1" if name == "floor_share" else front_end.unit
    return found
