"""A `.npy` file is read or refused without a word of NumPy's, whichever door it comes through."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spectronorm.errors import AudioError
from spectronorm.features.read import npy_of
from spectronorm.interop.statistics.bounded import npy_array
from spectronorm.storage.npy import mapped_npy, npy_header

VALUES = np.arange(6.0).reshape(2, 3)


def with_header(header: str) -> bytes:
    text = header.encode("latin-1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + VALUES.tobytes()


OF_PYTHON_2 = with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 3L), }")
DAMAGED = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2L 3L), }",
    "{'descr': '<\\d8', 'fortran_order': False, 'shape': (2, 3), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 0x3if 1 else 3), }",
    " {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n   2",
    "('<f8', False)",
    "",
]


def mapped(data: bytes, folder: Path) -> Any:
    path = folder / "a.npy"
    path.write_bytes(data)
    return mapped_npy(path)


DOORS: dict[str, Callable[[bytes, Path], Any]] = {
    "statistics": lambda data, _: npy_array(data),
    "levels": lambda data, _: npy_of(data),
    "mapped": mapped,
}


@pytest.mark.parametrize("door", DOORS)
def test_a_file_of_python_2_is_read_without_a_warning(door: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(DOORS[door](OF_PYTHON_2, tmp_path), VALUES)


@pytest.mark.parametrize("header", DAMAGED)
@pytest.mark.parametrize("door", DOORS)
def test_a_damaged_header_is_one_error_and_no_warning(door: str, header: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ValueError, AudioError)):
            DOORS[door](with_header(header), tmp_path)


@pytest.mark.parametrize("version", [(3, 0), (0, 1), (9, 9)])
def test_a_version_that_is_not_known_is_said(version: tuple[int, int]) -> None:
    data = b"\x93NUMPY" + bytes(version) + with_header("{}")[8:]
    with pytest.raises(ValueError, match=rf"version|{version[0]}"):
        npy_header(io.BytesIO(data))


def test_zip_files_and_pickles_are_not_mapped(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", VALUES)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="does not begin"):
        mapped_npy(tmp_path / "a.npy")
