"""Objects that a user names by an import path: models and metrics."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def current_folder_importable() -> Iterator[None]:
    """Let modules of the current folder be imported, which an installed command does not search."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
