"""Atomic files, which are complete or absent."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import xxhash

from spectronorm.storage.content import Content
from spectronorm.storage.replacement import is_stream, require_replaceable, write_through


@contextmanager
def atomic_write(path: Path, content: Content | None = None) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` only when it is complete and on disk.

    Written under a temporary name in the same folder, synced, then renamed; on any error, Ctrl-C included, the
    temporary file is removed and what stood under `path` before still stands. Links are followed; a pipe, a terminal
    or `/dev/null` is written into, and stays what it is.

    Args:
        path: The name.
        content: The kind of content, which may replace a file of its own kind that we wrote; None for a name that
            only we use, or that the caller has judged by `require_replaceable` already.

    Raises:
        OutputRefused: if something else already exists (see `storage/replacement.py`).
    """
    require_replaceable(path, content)
    if is_stream(path):
        held = io.BytesIO()
        yield held
        write_through(path, held.getvalue())
        return
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{_unfinished_prefix(path)}{uuid.uuid4().hex}.part"
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        require_replaceable(path, content)
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
    # CIFS, FUSE and others cannot sync a folder, and some cannot open one: the file is whole there all the same.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_text(path: Path, text: str, content: Content | None = None) -> None:
    """Write UTF-8 text atomically; bytes of names that are not UTF-8 are escaped."""
    with atomic_write(path, content) as file:
        file.write(text.encode("utf-8", errors="backslashreplace"))
