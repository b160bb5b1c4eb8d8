"""Axes of arrays of levels, as letters: `b` clip of a batch, `c` channel, `f` band, `t` frame."""

from __future__ import annotations

from spectronorm.errors import ArgumentError

AXIS_NAMES = {"b": "batch", "c": "channel", "f": "band", "t": "frame"}


def checked_axes(layout: str, channels: int) -> str:
    """Return the layout of one clip with this number of channels, by default channel, band, frame.

    Raises:
        ArgumentError: if the layout does not name each axis once.
    """
    axes = "ft" if channels == 1 else "cft"
    if layout == "":
        return axes
    if not isinstance(layout, str) or sorted(layout) not in (sorted(axes), sorted("cft")):
        raise ArgumentError(f"layout={layout!r} must name each axis of a clip once, such as {axes} or {axes[::-1]}")
    return layout


def unconfirmed(shape: tuple[int, ...], layout: str) -> str | None:
    """Explain why the shape of an array cannot confirm its layout: its frames are as numerous as its bands or channels.

    None if they are not.
    """
    sizes = dict(zip(layout, shape, strict=True))
    for axis, name in (("f", "band"), ("c", "channel")):
        count = sizes.get(axis, 0)
        if count == sizes["t"] and (axis == "f" or count > 1):
            return (
                f"{count} {name}{'s' if count != 1 else ''} and {count} frame{'s' if count != 1 else ''}, so its shape "
                f"cannot confirm layout={layout!r}; if its axes are others, say so"
            )
    return None
