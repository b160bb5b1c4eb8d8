"""Array of one clip as a store takes it: shape, number type and bytes, which may wait on disk."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray


class StoredArray:
    """An array whose bytes, in C order, come in parts that are small beside it."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
        self.shape, self.dtype = shape, dtype

    @property
    def nbytes(self) -> int:
        """Number of bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes in order."""
        raise NotImplementedError

    def array(self) -> NDArray[np.generic]:
        """The whole array in memory, for a library that takes nothing else."""
        return np.frombuffer(b"".join(self.parts()), self.dtype).reshape(self.shape)

    def npy_parts(self) -> Iterator[bytes]:
        """Yield the bytes of a `.npy` file of this array."""
        yield self.npy_head()
        yield from self.parts()

    def npy_head(self) -> bytes:
        """The first bytes of a `.npy` file of this array."""
        head = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False, "shape": self.shape}
        file = _Bytes()
        np.lib.format.write_array_header_1_0(file, head)
        return bytes(file.data)


class _Bytes:
    """A file in memory that is only written."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        """Keep more."""
        self.data += data


class HeldArray(StoredArray):
    """An array in memory."""

    def __init__(self, array: NDArray[np.generic]) -> None:
        super().__init__(array.shape, array.dtype)
        self._array = array

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes, all at once."""
        yield self._array.tobytes()

    def array(self) -> NDArray[np.generic]:
        """The array."""
        return self._array


class SpooledArray(StoredArray):
    """An array that came a few frames at a time, in an open file, and is read in the order of its axes.

    Args:
        shape: Shape, with the padding.
        dtype: Number type.
        axis: The axis of frames.
        file: The file, in which each part lies in C order, one part behind the other.
        counts: Number of frames of each part.
        padding: The values behind the last frame: the shape with one frame.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[np.generic],
        axis: int,
        file: BinaryIO,
        counts: list[int],
        padding: NDArray[np.generic],
    ) -> None:
        super().__init__(shape, dtype)
        self._file, self._counts = file, counts
        self._outer = math.prod(shape[:axis])
        self._inner_bytes = math.prod(shape[axis + 1 :]) * dtype.itemsize
        self._missing = shape[axis] - sum(counts)
        self._padding = padding.reshape(self._outer, -1)

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes: for each index of the axes before frames, those of every part, then its padding."""
        for index in range(self._outer):
            yield from self._row(index)

    def rows(self) -> Iterator[bytes]:
        """Yield the bytes, all of one index of the axes before frames at a time."""
        for index in range(self._outer):
            yield b"".join(self._row(index))

    def _row(self, index: int) -> Iterator[bytes]:
        self._file.flush()
        descriptor, size, start = self._file.fileno(), self._inner_bytes, 0
        for count in self._counts:
            yield _read(descriptor, count * size, start + index * count * size)
            start += count * self._outer * size
        if self._missing:
            yield self._padding[index].tobytes() * self._missing


def _read(descriptor: int, size: int, start: int) -> bytes:
    data = os.pread(descriptor, size, start)
    while len(data) < size and (more := os.pread(descriptor, size - len(data), start + len(data))):
        data += more
    return data
