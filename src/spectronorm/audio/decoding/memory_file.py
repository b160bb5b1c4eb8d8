"""Files without a name, in memory where the system can: what lies in them is gone when nobody has them open."""

from __future__ import annotations

import os
import tempfile


def unnamed_file() -> int:
    """A descriptor of an empty file that has no name and is gone when nobody has it open."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("spectronorm")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def fill(descriptor: int, data: bytes) -> None:
    """Write all of `data`."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
