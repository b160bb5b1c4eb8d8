"""Plot of the bands in characters, for terminals."""

from __future__ import annotations

import numpy as np

from spectronorm.profile import Profile

_ROWS = 12
_COLUMNS = 68


def band_plot(profile: Profile) -> str:
    """Plot the mean (●) plus and minus one std (│) of each band; many bands share columns with their neighbours."""
    mean, std = profile.band.mean, profile.band.std
    columns = min(_COLUMNS, len(mean))
    chunks = np.array_split(np.arange(len(mean)), columns)
    centre = np.array([mean[chunk].mean() for chunk in chunks])
    spread = np.array([std[chunk].mean() for chunk in chunks])
    low, high = float((centre - spread).min()), float((centre + spread).max())
    step = max((high - low) / (_ROWS - 1), 1e-9)
    lines = []
    for row in range(_ROWS - 1, -1, -1):
        level = low + row * step
        text = "".join(_mark(level, c, s, step) for c, s in zip(centre, spread, strict=True))
        lines.append(f"{level:8.1f} ┤{text}")
    hz = profile.front_end.band_hz()
    left, right = f"{hz[0]:.0f} Hz", f"{hz[-1]:.0f} Hz"
    if np.isnan(hz).any():
        left, right = "band 0", f"band {len(hz) - 1}"
    lines.append(" " * 10 + left + right.rjust(max(columns - len(left), len(right) + 1)))
    return "\n".join([f"{'':10}mean ● and std │ by band, {profile.front_end.unit}", *lines])


def _mark(level: float, centre: float, spread: float, step: float) -> str:
    if abs(level - centre) <= step / 2:
        return "●"
    return "│" if abs(level - centre) <= spread else " "
