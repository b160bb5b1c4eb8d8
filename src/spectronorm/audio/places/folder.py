"""The files below a folder: each real folder once, whatever links lead to it, and without recursion."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spectronorm.errors import SourceError


@dataclass(frozen=True)
class Listed:
    """Files in stable order, and how many others there are by suffix."""

    files: tuple[Path, ...]
    unread: Mapping[str, int]
    names: tuple[str, ...]
    """Names of the files relative to the folder, with forward slashes."""


def list_folder(root: Path, wanted: Callable[[str], bool]) -> Listed:
    """The files below `root` whose names are `wanted`; hidden files and folders are left out and not counted.

    A folder that several paths lead to is listed once: under its own path where that lies below `root`, else under the
    first of the links.

    Raises:
        SourceError: when a folder cannot be listed.
    """
    files: list[str] = []
    unread: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    waiting, links = [os.fspath(root)], [""][:0]
    while waiting or links:
        # Links wait until all real folders are listed, in the order of their names.
        folder = waiting.pop() if waiting else links.pop(0)
        if not _is_new(folder, seen):
            continue
        for entry in _entries(folder):
            if _is_folder(entry):
                (links if entry.is_symlink() else waiting).append(entry.path)
            elif wanted(entry.name):
                files.append(entry.path)
            else:
                unread[os.path.splitext(entry.name)[1].lower() or "(no suffix)"] += 1  # noqa: PTH122
        links.sort()
    files.sort(key=_parts)  # A hundred thousand paths take long to compare.
    begin = len(os.path.join(root, ""))  # noqa: PTH118
    names = tuple(file[begin:].replace(os.sep, "/") for file in files)
    return Listed(tuple(map(Path, files)), dict(sorted(unread.items())), names)


def _parts(path: str) -> list[str]:
    return os.path.normcase(path).split(os.sep)  # noqa: PTH206


def subfolders(root: Path) -> list[Path]:
    """The folders right below `root` that are not hidden, by name; none where it cannot be listed."""
    try:
        return [root / name for name in sorted(entry.name for entry in _entries(os.fspath(root)) if _is_folder(entry))]
    except SourceError:
        return []


def _is_new(folder: str, seen: set[tuple[int, int]]) -> bool:
    """Return true if the folder was not yet seen under any path, and add it to `seen`."""
    try:
        status = os.stat(folder)  # noqa: PTH116
    except OSError as error:
        raise SourceError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from None
    here = status.st_dev, status.st_ino
    new = here not in seen
    seen.add(here)
    return new


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
