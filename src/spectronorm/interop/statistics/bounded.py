"""Files of other programs, read within bounds: nothing in them decides on memory or runs."""

from __future__ import annotations

import codecs
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.storage import read_bounded, strict_json
from spectronorm.storage.npy import NPY_MAGIC, npy_header

MOST_FILE_BYTES = 1 << 22
"""Longest file that holds statistics and nothing else: 65,536 bands twice, as text, are 3 MiB."""
_MOST_CONTAINERS = 20_000
_MOST_DIRECTORY = 1 << 20
_MOST_MEMBERS = 1000
_END = b"PK\x05\x06"
_WIDE_END = b"PK\x06\x07"


def whole_file(path: Path) -> bytes:
    """The bytes of a file of statistics.

    Raises:
        ValueError: if it is longer than `MOST_FILE_BYTES`.
    """
    return read_bounded(path, MOST_FILE_BYTES)


def first_bytes(path: Path, count: int = 64) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(count)


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object in a text.

    Raises:
        ValueError: if it is not a JSON object, or has more lists and objects than statistics need.
    """
    if len(data) > MOST_FILE_BYTES or data.count(b"[") + data.count(b"{") > _MOST_CONTAINERS:
        raise ValueError("it has more lists than statistics need")
    plain = strict_json(data.decode("utf-8-sig"))
    if not isinstance(plain, dict):
        raise ValueError("it is not a JSON object")
    return plain


def json_keys(path: Path) -> frozenset[str]:
    """The names in a file with a JSON object; none if the file is something else."""
    if not first_bytes(path).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return frozenset()
    return frozenset(json_object(whole_file(path)))


def is_npy(path: Path) -> bool:
    """True if a file begins as a `.npy` file."""
    return first_bytes(path, len(NPY_MAGIC)) == NPY_MAGIC


def npy_array(data: bytes) -> Any:
    """The array of a `.npy` file; an array of objects is refused.

    Raises:
        ValueError: if the file is damaged, or its header claims another number of bytes.
    """
    file = io.BytesIO(data)
    shape, fortran, dtype = npy_header(file)
    rest = data[file.tell() :]
    if dtype.hasobject or dtype.kind not in "fiu":
        raise ValueError(f"it is an array of {'objects' if dtype.hasobject else dtype}, not of numbers")
    count = 1
    for length in shape:
        count *= int(length)
    if count * dtype.itemsize != len(rest):
        raise ValueError(f"its header claims {shape} values of {dtype}, but {len(rest)} bytes follow")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose directory is short; members are read with `member`.

    Raises:
        ValueError: if it is not an archive, or its directory is damaged or long.
    """
    _require_short_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"its archive is damaged ({error})") from None


def member(archive: zipfile.ZipFile, name: str, most: int = MOST_FILE_BYTES) -> bytes:
    """The content of one member, of at most this many bytes.

    Raises:
        KeyError, ValueError: if there is no such member, or it is longer or packed in an unusual way.
    """
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise ValueError(f"{name} is packed or encrypted in an unusual way")
    with archive.open(info) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{name} is longer than {most} bytes")
    return data


def zip_names(path: Path) -> frozenset[str]:
    """The names of an archive's members; none if the file is not an archive."""
    if not first_bytes(path).startswith(b"PK\x03\x04"):
        return frozenset()
    with opened_zip(path) as archive:
        return frozenset(archive.namelist())


def _require_short_directory(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - (1 << 16) - 64))
        tail = file.read((1 << 16) + 64)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise ValueError("it is not a whole zip archive")
    members, directory = (
        int.from_bytes(tail[at + 10 : at + 12], "little"),
        int.from_bytes(tail[at + 12 : at + 16], "little"),
    )
    wide = _WIDE_END in tail[max(0, at - 20) : at]
    if size > MOST_FILE_BYTES and (wide or directory > _MOST_DIRECTORY or members > _MOST_MEMBERS):
        raise ValueError("its directory is longer than an archive of statistics needs")
    if size <= MOST_FILE_BYTES and tail.count(b"PK\x01\x02") > _MOST_MEMBERS:
        raise ValueError("it has more members than an archive of statistics needs")


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive of these members, stored; its bytes depend on nothing else."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return held.getvalue()


def npy_file_of(array: Any) -> bytes:
    """The `.npy` file of an array."""
    held = io.BytesIO()
    np.lib.format.write_array(held, np.asarray(array), allow_pickle=False)
    return held.getvalue()
