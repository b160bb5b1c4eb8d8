"""The files of clips that a folder holds now, and the names in it that cannot be looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.monitor.seen_files import Mark

_GONE = (FileNotFoundError, NotADirectoryError)


@dataclass(frozen=True)
class FoundFile:
    """A file, or a file or folder that cannot be looked at, with the reason; its change time is then 0."""

    mark: Mark
    problem: AudioError | None = None


def look(folder: Path, suffixes: Container[str]) -> Iterator[FoundFile]:
    """Files with one of the suffixes, in `folder` and below; hidden ones and links to folders are left out.

    A name that cannot be looked at (a link that leads to itself, no permission, a disk or a server that fails) comes
    with its problem and ends nothing; a name that is gone since it was listed does not come.
    """
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(folder / below) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except _GONE:
            continue
        except OSError as error:
            yield _unknown(below or ".", error)
            continue
        for entry in listed:
            name = f"{below}/{entry.name}" if below else entry.name
            if _is_folder(entry):
                waiting.append(name)
            elif os.path.splitext(entry.name)[1].lower() in suffixes:  # noqa: PTH122
                yield from _file(folder / name, name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _file(path: Path, name: str) -> Iterator[FoundFile]:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        if path.is_symlink():  # it leads nowhere, for now
            yield _unknown(name, error)
    except NotADirectoryError:
        return
    except OSError as error:
        yield _unknown(name, error)
    else:
        if not stat.S_ISDIR(status.st_mode):
            yield FoundFile((status.st_ctime_ns, name))


def _unknown(name: str, error: OSError) -> FoundFile:
    detail = f"it cannot be looked at ({error.strerror or error})"
    return FoundFile((0, name), AudioError(BadAudioReason.UNREADABLE, detail))
