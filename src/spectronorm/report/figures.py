"""Figures of profiles, written as PNG (extra `report`)."""

from __future__ import annotations

from pathlib import Path

from spectronorm.display.figure import save_figure
from spectronorm.profile import Profile


def save_band_figure(profile: Profile, path: Path) -> None:
    """Draw mean, std, extremes and floor share by band, as `Profile.plot` does, and write the figure.

    Raises:
        MissingExtra: if matplotlib is not installed.
    """
    save_figure(profile.plot().figure, path)
