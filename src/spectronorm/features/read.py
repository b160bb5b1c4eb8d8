"""One clip's level from a file, in the axes and range that the description of the levels declares."""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Reader
from spectronorm.audio.decoding.content import (
    ATTEMPTS,
    always_changing,
    content_digest,
    content_state,
    open_content,
    stamp_of_error,
)
from spectronorm.audio.places.open_files import OPEN_FILES
from spectronorm.audio.places.reference import Part
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason
from spectronorm.features import hdf5, parquet
from spectronorm.features.shape import require_shape
from spectronorm.features.tensors import tensor_of
from spectronorm.front_end import Levels
from spectronorm.front_end.axes import AXIS_NAMES
from spectronorm.storage.npy import npy_header
from spectronorm.suggestion import known_keywords

MOST_BYTES = 1 << 31
"""A level that takes more is refused before it is unpacked: half a billion values in single precision."""


@dataclass(frozen=True, eq=False)
class StampedLevel:
    """A level `(row, frame)`, or the error that says why there is none, and the stamp of the bytes it was made of."""

    stamp: bytes
    result: NDArray[Any] | AudioError

    def level_or_raise(self) -> NDArray[Any]:
        """The level; raises its `AudioError` if there is none."""
        if isinstance(self.result, AudioError):
            raise self.result
        return self.result


@known_keywords
def read_level(clip: ClipReference, levels: Levels, *, duration: float | None = None) -> NDArray[Any]:
    """The level `(row, frame)` of a clip, in float32 or float64, the rows those of all channels.

    With `duration` (seconds, which needs the frame rate of the levels) later frames are cut off. Frames beyond a
    column `frames` are padding, and left out.

    Raises:
        AudioError: if it cannot be read, is pickled, too large, or has other axes, bands or channels.
        ArgumentError: if the levels have no frame rate.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> levels = sn.Levels(bands=40, unit="dB", low=-120, high=60)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.npy"
    ...     np.save(path, np.full((40, 100), -30.0, np.float32))
    ...     level = read_level(sn.audio.ClipReference("a.npy", path), levels)
    >>> level.shape, float(level.mean())
    ((40, 100), -30.0)
    """
    try:
        return read_stamped_level(clip, levels, duration=duration, with_stamp=False).level_or_raise()
    except AudioError as error:
        raise error.of(str(clip.location)) from None


def read_stamped_level(
    clip: ClipReference, levels: Levels, *, duration: float | None = None, with_stamp: bool = True
) -> StampedLevel:
    """The level of one unchanging state of the file, or the error that `read_level` would raise, with a stamp."""
    most = _most_frames(levels, duration)
    for _ in range(ATTEMPTS):
        found = _attempt(clip, levels, most, with_stamp=with_stamp)
        if found is not None:
            return found
    changing = always_changing()
    return StampedLevel(stamp_of_error(changing), changing)


def stamp_of_level(clip: ClipReference, reader: Reader) -> bytes:
    """Return the identity of a clip's current content: the digest of its bytes, or of the reason why it has none."""
    if not _is_stored(clip):
        return reader.stamp(clip)
    try:
        return _digest(_stored(clip))
    except AudioError as error:
        return stamp_of_error(error)


def _digest(array: NDArray[Any]) -> bytes:
    return xxhash.xxh3_128_digest(np.ascontiguousarray(array).tobytes())


def _most_frames(levels: Levels, duration: float | None) -> int | None:
    if duration is None:
        return None
    if not duration > 0:
        raise ArgumentError(f"duration={duration} must be a positive number of seconds")
    if levels.frame_rate is None:
        raise ArgumentError(f"duration={duration} is in seconds, but these levels have no frame_rate; declare it")
    return max(1, round(duration * levels.frame_rate))


def _attempt(clip: ClipReference, levels: Levels, most: int | None, *, with_stamp: bool) -> StampedLevel | None:
    if _is_stored(clip):
        return _of_store(clip, levels, most)
    if clip.part is not None and clip.part.array is not None:
        return _of_tensor(clip, clip.part, levels, most, with_stamp=with_stamp)
    try:
        with open_content(clip) as descriptor:
            state = content_state(descriptor)
            digest = content_digest(descriptor) if with_stamp else b""
            level = _level_or_error(clip, descriptor, levels, most)
            return StampedLevel(digest, level) if content_state(descriptor) == state else None
    except AudioError as error:
        if error.reason is BadAudioReason.CHANGING:
            return None
        return StampedLevel(stamp_of_error(error), error)


def _is_stored(clip: ClipReference) -> bool:
    """Tell if the clip is an array in a file that only a library of its own can read."""
    return clip.part is not None and clip.part.method in (hdf5.HDF5, parquet.PARQUET)


def _stored(clip: ClipReference) -> NDArray[Any]:
    part = clip.part
    if part is not None and part.method == parquet.PARQUET:
        return parquet.read_parquet_row(part.place, part.start, MOST_BYTES)
    return hdf5.read_hdf5(part.place if part else "", part.array or "" if part else "", MOST_BYTES)


def _of_store(clip: ClipReference, levels: Levels, most: int | None) -> StampedLevel:
    try:
        array = _stored(clip)
        return StampedLevel(_digest(array), oriented(array, clip, levels, most))
    except AudioError as error:
        return StampedLevel(stamp_of_error(error), error)


def _of_tensor(
    clip: ClipReference, part: Part, levels: Levels, most: int | None, *, with_stamp: bool
) -> StampedLevel | None:
    """The level of a tensor, which is a range of bytes in a file that stays open for the next one."""
    stamp = b""
    try:
        if part.problem is not None:
            raise AudioError(part.reason, part.problem)  # noqa: TRY301
        stored = part.stored or 0
        if stored > MOST_BYTES:
            raise AudioError(BadAudioReason.TOO_LARGE, f"it has {stored} bytes, more than {MOST_BYTES}")  # noqa: TRY301
        data = OPEN_FILES.read(part.place, part.start, stored)
        if not data:
            raise AudioError(BadAudioReason.EMPTY, "it holds 0 bytes")  # noqa: TRY301
        stamp = xxhash.xxh3_128_digest(data) if with_stamp else b""
        return StampedLevel(stamp, oriented(tensor_of(data, part.array or ""), clip, levels, most))
    except AudioError as error:
        if error.reason is BadAudioReason.CHANGING:
            return None
        return StampedLevel(stamp or stamp_of_error(error), error)


def _level_or_error(
    clip: ClipReference, descriptor: int, levels: Levels, most: int | None
) -> NDArray[Any] | AudioError:
    try:
        size = os.fstat(descriptor).st_size
        if size > MOST_BYTES:
            raise AudioError(BadAudioReason.TOO_LARGE, f"it has {size} bytes, more than {MOST_BYTES}")  # noqa: TRY301
        data = os.pread(descriptor, size, 0)
        while len(data) < size and (more := os.pread(descriptor, size - len(data), len(data))):
            data += more
        return oriented(npy_of(data), clip, levels, most)
    except AudioError as error:
        return error


def npy_of(data: bytes) -> NDArray[Any]:
    """The array of a `.npy` file's bytes; raises `AudioError` for anything but one of floats, whole and not pickled."""
    file = io.BytesIO(data)
    try:
        shape, fortran, dtype = npy_header(file)
    except ValueError as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"it is not a .npy file ({error})"[:200]) from None
    if dtype.hasobject:
        raise AudioError(BadAudioReason.UNREADABLE, "it holds pickled objects, which are never loaded: save floats")
    if dtype.kind != "f":
        raise AudioError(BadAudioReason.UNREADABLE, f"it is {dtype}, but levels are floating point")
    require_shape(shape)
    count = math.prod(shape)
    rest = data[file.tell() :]
    if len(rest) < count * dtype.itemsize:
        raise AudioError(BadAudioReason.TRUNCATED, f"it ends after {len(rest)} of {count * dtype.itemsize} bytes")
    if len(rest) > count * dtype.itemsize:
        behind = len(rest) - count * dtype.itemsize
        raise AudioError(BadAudioReason.HEADER_LIES, f"{behind} bytes follow its array: save one array in each file")
    return np.frombuffer(rest, dtype, count).reshape(shape, order="F" if fortran else "C")


def oriented(array: NDArray[Any], clip: ClipReference, levels: Levels, most: int | None) -> NDArray[Any]:
    """An array in the declared axes as `(row, frame)`; raises `AudioError` if it does not have them."""
    layout = levels.layout
    axes = "(" + ", ".join(AXIS_NAMES[axis] for axis in layout) + ")"
    if array.ndim != len(layout):
        raise AudioError(BadAudioReason.SHAPE, f"its shape {array.shape} is not layout={layout!r}, {axes}")
    for axis, wanted in (("c", levels.channels), ("f", levels.bands)):
        found = array.shape[layout.index(axis)] if axis in layout else wanted
        if found != wanted:
            other = [a for a in layout if a != axis and array.shape[layout.index(a)] == wanted]
            hint = f", but {AXIS_NAMES[other[0]]} has {wanted}: is the layout another one?" if other else ""
            raise AudioError(
                BadAudioReason.CHANNELS if axis == "c" else BadAudioReason.SHAPE,
                f"its shape {array.shape} is {axes} by layout={layout!r}, so it has {found} {AXIS_NAMES[axis]}"
                f"{'s' if found != 1 else ''} instead of {wanted}{hint}",
            )
    level = array.transpose([layout.index(axis) for axis in "cft" if axis in layout])
    level = level.reshape(levels.n_bands, level.shape[-1])
    frames = _frames(clip, level.shape[1])
    level = level[:, : frames if most is None else min(frames, most)]
    kind = np.float64 if level.dtype.itemsize > 4 else np.float32
    return np.ascontiguousarray(level, dtype=kind)


def _frames(clip: ClipReference, there: int) -> int:
    text = clip.columns.get("frames")
    if text is None:
        return there
    try:
        frames = int(text)
    except ValueError:
        frames = 0
    if not 1 <= frames <= there:
        raise AudioError(BadAudioReason.HEADER_LIES, f"its table says {text!r:.40} frames, but it has {there}")
    return frames
