"""Atomic files, which are complete or absent."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import xxhash


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file that takes the name `path` only when it is complete and on disk.

    The file is written under a temporary name in the folder of `path`, synced, then renamed; after any error, Ctrl-C
    included, the temporary file is removed and an existing file at `path` is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{_unfinished_prefix(path)}{uuid.uuid4().hex}.part"
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _unfinished_prefix(path: Path) -> str:
    return f".spectronorm-{xxhash.xxh3_64_hexdigest(os.fsencode(path.name))}-"


def remove_unfinished(output: Path) -> None:
    """Remove the temporary files that a killed run left: next to a file, or anywhere below a folder.

    Call it only while holding the output's lock: temporary files of other runs may still be in use.
    """
    for left in output.parent.glob(f"{_unfinished_prefix(output)}*.part"):
        left.unlink(missing_ok=True)
    if output.is_dir():
        for left in output.rglob(".spectronorm-*.part"):
            left.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power failure, if the system supports it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_write(path) as file:
        file.write(text.encode("utf-8"))
