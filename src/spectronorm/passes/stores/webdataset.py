"""Shards of WebDataset: tar files in which a clip is `KEY.npy` and `KEY.json`."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from spectronorm.passes.stores.store import Entry, npy_bytes
from spectronorm.storage.canonical_json import canonical_json


def write_webdataset(file: BinaryIO, entries: Iterator[Entry]) -> None:
    """Write the entries as they come: the array first, then its columns and number of frames."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            about = canonical_json({**entry.columns, "frames": entry.frames}).encode()
            for suffix, data in ((".npy", npy_bytes(entry.array)), (".json", about)):
                member = tarfile.TarInfo(entry.name + suffix)
                member.size, member.uname = len(data), "spectronorm"
                archive.addfile(member, io.BytesIO(data))
