"""Elements of a store of spectrograms: entries, number types and the order of axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import set_whole_numbers
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason
from spectronorm.front_end import AnyFrontEnd
from spectronorm.passes.stores.stored_array import StoredArray
from spectronorm.short_repr import with_bounded_repr

_BY_NUMPY = ("float32", "float16")
TYPES = {
    "npy": _BY_NUMPY,
    "safetensors": (*_BY_NUMPY, "bfloat16"),
    "webdataset": _BY_NUMPY,
    "parquet": _BY_NUMPY,
}
"""Number types that each format can hold."""
_LARGEST_HALF = 65504.0


@with_bounded_repr
@dataclass(frozen=True)
class Store:
    """Format of written spectrograms.

    Args:
        to: `npy`, a file for each clip; or shards of many clips: `safetensors`, `webdataset` (tar) or `parquet`.
        dtype: Number type: `float32`, `float16`, or `bfloat16` (safetensors).
        layout: Order of the axes: `ft` or `tf`, and with channels `cft` or another; by default bands before frames.
        shard_clips: Number of clips in a shard.

    Raises:
        ArgumentError: if there is no such format or type, or they cannot be combined.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(4)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store("safetensors", dtype="float16", shard_clips=2)
    ...     _ = sn.apply(waves, sn.published("whisper"), folder, store=store)
    ...     print(len(list(pathlib.Path(folder).glob("*.safetensors"))))
    3
    """

    to: str = "npy"
    dtype: str = "float32"
    layout: str = ""
    shard_clips: int = 500

    def __post_init__(self) -> None:
        if self.to not in TYPES:
            raise ArgumentError(f"to={self.to!r} must be one of {', '.join(TYPES)}")
        if self.dtype not in TYPES[self.to]:
            raise ArgumentError(f"dtype={self.dtype!r} must, for {self.to}, be one of {', '.join(TYPES[self.to])}")
        set_whole_numbers(self, ("shard_clips",), 1)

    def check(self, front_end: AnyFrontEnd) -> Store:
        """The store with its layout; raises `ArgumentError` unless that names each axis of a level once."""
        axes = "ft" if len(front_end.level_shape) == 1 else "cft"
        layout = self.layout or axes
        if sorted(layout) != sorted(axes):
            raise ArgumentError(f"layout={self.layout!r} must name each axis once: {axes}, {axes[::-1]} or another")
        return Store(self.to, self.dtype, layout, self.shard_clips)

    @property
    def axis_of_frames(self) -> int:
        """Position of the frames among the axes of a written array; the store must have its layout."""
        return self.layout.index("t")

    def made(self, x: NDArray[np.float64]) -> NDArray[np.generic]:
        """A normalized level in this type and order of axes; bfloat16 as uint16.

        Raises:
            AudioError: if a value is too large for the type.
        """
        single = x.astype(np.float32)
        if self.dtype == "float16" and np.abs(single).max() > _LARGEST_HALF:
            raise AudioError(BadAudioReason.OUT_OF_RANGE, "a value is too large for float16; write float32 or bfloat16")
        axes = "ft" if x.ndim == 2 else "cft"
        turned = np.ascontiguousarray(single.transpose([axes.index(axis) for axis in self.layout or axes]))
        if self.dtype == "bfloat16":
            bits = turned.view(np.uint32)
            return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")  # to the nearest, ties to even
        return turned.astype("<f4" if self.dtype == "float32" else "<f2", copy=False)


@dataclass(frozen=True, eq=False)
class Entry:
    """One clip of a shard: its name there, its array, the number of frames without padding, and its columns."""

    name: str
    array: StoredArray
    dtype: str
    frames: int
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Shards:
    """A format of shards: the suffixes of a shard and of an entry in it, and what writes one."""

    suffix: str
    entry_suffix: str
    write: Callable[[BinaryIO, Iterator[Entry]], None]
