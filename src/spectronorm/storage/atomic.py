"""Files that are whole or not there."""

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
    """A binary file that takes the name `path` only when it is complete and on disk.

    Written under a temporary name in the same folder, synced, then renamed; on any error, Ctrl-C included, the
    temporary file is removed and what stood under `path` before still stands.
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
    """Remove the temporary files that a killed run left: of a file beside it, of a folder all below it.

    Only whoever holds the output's lock may do this: anybody else's may still be written.
    """
    for left in output.parent.glob(f"{_unfinished_prefix(output)}*.part"):
        left.unlink(missing_ok=True)
    if output.is_dir():
        for left in output.rglob(".spectronorm-*.part"):
            left.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can."""
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
