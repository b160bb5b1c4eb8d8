"""Headers of `.npy` files of any writer: numbers only, and no warning of NumPy about an old one."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.storage.damage import DAMAGE

NPY_MAGIC = b"\x93NUMPY"
_MOST_HEADER = 10_000
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_one_at_a_time = threading.Lock()


def npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape, whether it is in Fortran order, and the type of the array that follows in an open `.npy` file.

    A header as Python 2 wrote it is read like any other.

    Raises:
        ValueError: if this is no `.npy` file of version 1 or 2, or its header is damaged.
    """
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"it is a .npy file of the unknown version {version[0]}.{version[1]}")
    try:
        with _without_warnings():
            shape, fortran, dtype = _HEADERS[version](file, max_header_size=_MOST_HEADER)
    except DAMAGE:
        raise ValueError("its header does not say shape and type of an array") from None
    return shape, fortran, dtype


def mapped_npy(path: Path) -> NDArray[Any]:
    """The array of a `.npy` file, mapped into memory; zip files and pickles, which NumPy would take too, are refused.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no `.npy` file, or a damaged one.
    """
    with path.open("rb") as file:
        if file.read(len(NPY_MAGIC)) != NPY_MAGIC:
            raise ValueError("it does not begin as one")
    try:
        with _without_warnings():
            return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
    except DAMAGE as error:
        raise ValueError(str(error)) from None


@contextmanager
def _without_warnings() -> Iterator[None]:
    # NumPy warns of Python 2's headers, and Python of odd literals in a damaged one; the filters belong to all threads.
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
