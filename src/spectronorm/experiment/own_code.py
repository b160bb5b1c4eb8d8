"""Objects that a user names by an import path: models and metrics."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def current_folder_importable() -> Iterator[None]:
    """Let modules of the current folder be imported, which an installed command does not search."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def import_path(path: str) -> Any:
    """Import the object that `package.module:name` names.

    Raises:
        ImportError: if there is no such module or object, or if the module fails as it is imported.
    """
    module, _, name = path.partition(":")
    if not module or not name:
        raise ImportError("the form is package.module:name")
    with current_folder_importable():
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise ImportError(str(error)) from None
        except (Exception, SystemExit) as error:  # A user's module may fail in any way, or be a script that ends.
            raise ImportError(f"{type(error).__name__}: {error}") from None
