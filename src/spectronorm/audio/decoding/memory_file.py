"""Unnamed files, in memory if the system supports it: their content is gone when the last descriptor is closed."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress

_F_ADD_SEALS, _F_SEAL_SHRINK, _F_SEAL_GROW = 1033, 2, 4


def unnamed_file(*, in_memory: bool = True) -> int:
    """Create an empty file without a name, which is gone when its last descriptor is closed."""
    if in_memory and hasattr(os, "memfd_create"):
        with suppress(OSError):  # a kernel or container without memfd
            return os.memfd_create("spectronorm", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def fill(descriptor: int, data: bytes) -> None:
    """Write all of `data`."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def seal_size(descriptor: int) -> None:
    """Fix the size of a file in memory for every process: shrinking it would kill processes that map it (SIGBUS).

    A file that is not in memory cannot be sealed and is unchanged.
    """
    with suppress(ImportError, OSError):
        from fcntl import fcntl  # noqa: PLC0415  (POSIX only)

        fcntl(descriptor, _F_ADD_SEALS, _F_SEAL_SHRINK | _F_SEAL_GROW)
