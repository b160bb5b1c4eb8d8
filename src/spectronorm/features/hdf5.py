"""The data sets of an HDF5 file (extra `hdf5`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference
from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.reference import Part
from spectronorm.errors import AudioError, BadAudioReason, MissingExtra, SourceError

HDF5_SUFFIXES = (".h5", ".hdf5")
HDF5 = "hdf5"


def list_hdf5(path: Path, name: str) -> list[ClipReference]:
    """Each data set as a clip.

    Raises:
        SourceError: if the file cannot be opened as HDF5.
        MissingExtra: if h5py is not installed.
    """
    h5py = _h5py()
    found: list[str] = []

    def visit(key: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(key)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(f"{str(path)!r}: cannot be read as HDF5 ({error})") from None
    return [
        ClipReference(f"{name}/{clean_name(key)}", path, part=Part(str(path), method=HDF5, array=key))
        for key in sorted(found)
    ]


def read_hdf5(place: str, key: str, most_bytes: int) -> NDArray[Any]:
    """One data set; raises `AudioError` if it cannot be read or is too large."""
    h5py = _h5py()
    try:
        with h5py.File(place, "r") as file:
            item = file[key]
            if item.dtype.kind != "f":
                raise AudioError(BadAudioReason.UNREADABLE, f"it is {item.dtype}, but levels are floating point")
            if item.size * max(item.dtype.itemsize, 8) > most_bytes:
                raise AudioError(BadAudioReason.TOO_LARGE, f"it has {item.size} values")
            return np.asarray(item[()])
    except (OSError, RuntimeError, ValueError, KeyError, AttributeError) as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"it cannot be read as HDF5 ({error})") from None


def _h5py() -> Any:
    try:
        import h5py
    except (ImportError, OSError):
        raise MissingExtra("Reading HDF5 files", "hdf5") from None
    return h5py
