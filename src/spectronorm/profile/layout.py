"""The axes of a batch of levels, as letters: `b` clip, `c` channel, `f` band, `t` frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import is_torch_array
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end import AnyFrontEnd
from spectronorm.front_end.axes import AXIS_NAMES


def check_layout(layout: object, front_end: AnyFrontEnd) -> str:
    """The layout; raises `ArgumentError` unless it names each axis of a clip, or of a batch of clips, once."""
    axes = "ft" if len(front_end.level_shape) == 1 else "cft"
    wanted = (sorted(axes), sorted("b" + axes))
    if not isinstance(layout, str) or sorted(layout) not in wanted:
        raise ArgumentError(
            f"layout={layout!r} must name each axis once, such as b{axes} or b{axes[::-1]} for a batch and {axes} for "
            "one clip: b batch, c channel, f band, t frame; it is never guessed"
        )
    return layout


def clips_of(x: Any, layout: str, front_end: AnyFrontEnd) -> NDArray[Any]:
    """A batch of levels as float32 or float64 `(clip, row, frame)` on the host, the rows those of all channels.

    Raises:
        ShapeError: unless it is a floating-point array of these axes, with the front end's bands and channels.
    """
    host = _host(x)
    shape = "(" + ", ".join(AXIS_NAMES[axis] for axis in layout) + ")"
    if host.ndim != len(layout):
        raise ShapeError(f"a batch of shape {host.shape} is not layout={layout!r}, {shape}")
    wanted = dict(zip("cf"[-len(front_end.level_shape) :], front_end.level_shape, strict=True))
    for axis, count in wanted.items():
        found = host.shape[layout.index(axis)]
        if found != count:
            other = [a for a in layout if a != axis and host.shape[layout.index(a)] == count]
            hint = f"; axis {AXIS_NAMES[other[0]]} has {count}: is the layout another one?" if other else ""
            raise ShapeError(
                f"a batch of shape {host.shape} has {found} {AXIS_NAMES[axis]}{'s' if found != 1 else ''} by "
                f"layout={layout!r}, {shape}, but {count} were declared{hint}"
            )
    order = [layout.index(axis) for axis in "bcft" if axis in layout]
    ordered = host.transpose(order)
    count = ordered.shape[0] if "b" in layout else 1
    return ordered.reshape(count, front_end.n_bands, ordered.shape[-1])


def _host(x: Any) -> NDArray[Any]:
    if isinstance(x, np.ma.MaskedArray):
        raise ShapeError(
            "levels are a masked array, whose masked values would be counted: say lengths= or valid= instead"
        )
    if is_torch_array(x):
        if not x.is_floating_point():
            raise ShapeError(f"levels are {x.dtype}, but must be floating point: convert them with their scale first")
        own = x.detach()
        own = own.float() if own.dtype.itemsize < 4 else own
        try:
            return np.asarray(own.cpu().numpy())
        except (TypeError, NotImplementedError, RuntimeError) as error:
            raise ShapeError(f"levels in a {x.layout} tensor on {x.device} cannot be read ({error})"[:300]) from None
    if not isinstance(x, np.ndarray):
        raise ShapeError(f"got {type(x).__name__}; levels are a NumPy array or a torch tensor: use np.stack first")
    if not np.issubdtype(x.dtype, np.floating):
        raise ShapeError(f"levels are {x.dtype}, but must be floating point: convert them with their scale first")
    if x.dtype in (np.float32, np.float64):
        return x
    return x.astype(np.float32 if x.dtype.itemsize < 4 else np.float64)


def frames_of_clips(clips: NDArray[Any], lengths: Any, valid: Any) -> list[int]:
    """Return the number of valid frames of each clip.

    Args:
        clips: `(clip, row, frame)`.
        lengths: Number of frames of each clip, or None.
        valid: A boolean mask `(clip, frame)` that is true up to each clip's end, or None.

    Raises:
        ArgumentError: if both are given, a length is below 1 or exceeds the batch, or a mask has holes.
        ShapeError: if the lengths or the mask do not fit the batch.
    """
    count, frames = clips.shape[0], clips.shape[-1]
    if lengths is not None and valid is not None:
        raise ArgumentError("give lengths or valid, not both")
    if valid is not None:
        return _prefixes(_plain(valid), count, frames)
    if lengths is None:
        return [frames] * count
    found = _plain(lengths)
    if found.shape != (count,) or not np.issubdtype(found.dtype, np.integer):
        raise ShapeError(
            f"lengths of shape {found.shape} and type {found.dtype} must be one whole number for each of {count} clips"
        )
    for clip, length in enumerate(found.tolist()):
        if not 1 <= length <= frames:
            raise ArgumentError(f"clip {clip} of the batch: a length of {length} frames is not in 1 … {frames}")
    return [int(length) for length in found]


def _prefixes(mask: NDArray[Any], count: int, frames: int) -> list[int]:
    if mask.shape != (count, frames) or mask.dtype != np.bool_:
        raise ShapeError(
            f"valid of shape {mask.shape} and type {mask.dtype} must be a boolean mask {(count, frames)} (batch, frame)"
        )
    lengths: list[int] = mask.sum(axis=1).tolist()
    for clip, length in enumerate(lengths):
        if not length or not mask[clip, :length].all():
            raise ArgumentError(
                f"clip {clip} of the batch: valid must be true from the first frame up to the clip's end, and nowhere "
                "else; cut clips with holes into pieces"
            )
    return lengths


def _plain(values: Any) -> NDArray[Any]:
    try:
        return np.asarray(values.detach().cpu().numpy()) if is_torch_array(values) else np.asarray(values)
    except (TypeError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ShapeError(f"{values!r:.100} is not one value a clip ({error})"[:300]) from None


def group_values(values: Any, count: int, column: str) -> Sequence[str]:
    """One text for each of `count` clips, from one value for all or one value each; raises `ShapeError` otherwise."""
    if not column:
        raise ArgumentError(f"groups={{'': {values!r:.60}}}: a column needs a name")
    if isinstance(values, str) or np.ndim(_plain(values)) == 0:
        return [_text(values, column)] * count
    listed = _plain(values).tolist()
    if len(listed) != count:
        raise ShapeError(f"groups[{column!r}] has {len(listed)} values for {count} clips; give one, or one each")
    return [_text(value, column) for value in listed]


def _text(value: Any, column: str) -> str:
    plain = value
    if not isinstance(value, str):
        array = _plain(value)
        plain = array.item() if array.size == 1 else None
    if not isinstance(plain, str | int | float) or (isinstance(plain, float) and not math.isfinite(plain)):
        raise ArgumentError(f"groups[{column!r}] holds {value!r:.100}: the group of a clip is a text or a number")
    return str(int(plain) if isinstance(plain, float) and plain.is_integer() else plain)
