"""Names of clips that a table lists: the same wherever the data lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from spectronorm.audio.places.archive import clean_name


def listed_names(folder: Path, paths: Sequence[str]) -> list[str]:
    """The names of files that a table in `folder` lists, in its order.

    A relative path is the name. An absolute one is named below the table's folder, or, if it lies elsewhere, below the
    folder that all such files have in common, so that the same data give the same names in any place.

    >>> listed_names(Path("/data"), ["a.wav", "/data/b/c.wav", "/mnt/x/d.wav", "/mnt/x/y/e.wav"])
    ['a.wav', 'b/c.wav', 'd.wav', 'y/e.wav']
    """
    here = os.path.abspath(folder)  # noqa: PTH100  (links stay what they are called)
    absolute = {path: os.path.normpath(path) for path in paths if os.path.isabs(path)}  # noqa: PTH117
    elsewhere = [path for path in absolute.values() if not _is_below(path, here)]
    common = os.path.commonpath([os.path.dirname(path) for path in elsewhere]) if elsewhere else here  # noqa: PTH120
    named = {
        path: os.path.relpath(plain, here if _is_below(plain, here) else common) for path, plain in absolute.items()
    }
    return [clean_name(named.get(path, path)) for path in paths]


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))  # noqa: PTH118
