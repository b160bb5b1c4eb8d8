"""Fingerprint of the front end in a file of another program, in a key that the program ignores."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from spectronorm.interop.statistics.bounded import member, npy_array, npy_file_of

_MEMBER = "spectronorm.npy"
"""Member with the fingerprint, as 8 numbers."""


def fingerprint_in(plain: Mapping[str, Any]) -> str:
    """The fingerprint of the front end in a file that spectronorm wrote; otherwise empty."""
    mark = plain.get("spectronorm")
    if mark is None:
        return ""
    if not isinstance(mark, dict) or not isinstance(mark.get("fingerprint"), str):
        raise ValueError("its spectronorm key has no fingerprint")
    return str(mark["fingerprint"])


def fingerprint_of(archive: zipfile.ZipFile) -> str:
    """The fingerprint of the front end in an archive that spectronorm wrote; otherwise empty."""
    if _MEMBER not in archive.namelist():
        return ""
    return bytes(npy_array(member(archive, _MEMBER, 1 << 12)).astype(np.uint8)).hex()


def fingerprint_member(fingerprint: str) -> dict[str, bytes]:
    """The member of a NumPy archive that holds the fingerprint."""
    return {_MEMBER: npy_file_of(np.frombuffer(bytes.fromhex(fingerprint), np.uint8))}
