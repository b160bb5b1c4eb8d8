"""The lock of a file system without locks: a file made exclusively, whose owner keeps touching it."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spectronorm.errors import OutputBusy

BEAT_SECONDS = 10.0
"""The time between two touches of the owner."""
STALE_SECONDS = 60.0
"""Age in seconds at which an untouched lease of another machine no longer has an owner."""


def busy(output: Path, owner: dict[str, object]) -> OutputBusy:
    """The error that says who is writing `output`."""
    return OutputBusy(
        f"{output}: another run is writing it (process {owner.get('process', 'unknown')} on "
        f"{owner.get('machine', 'this machine')}); wait for it, stop it, or choose another output"
    )


@contextmanager
def lease(path: Path, output: Path) -> Iterator[int | None]:
    """Hold `output` by the file `path`; gives the process that held it and died without letting go, or None.

    An owner on this machine counts as long as its process lives; one on another machine as long as it touches the file.

    Raises:
        OutputBusy: if another run holds it.
    """
    mark = {"machine": socket.gethostname(), "process": os.getpid(), "token": uuid.uuid4().hex}
    left_by = _take(path, output, json.dumps(mark).encode())
    done = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, done), daemon=True)
    beat.start()
    try:
        yield left_by
    finally:
        done.set()
        beat.join()
        if _read(path).get("token") == mark["token"]:
            path.unlink(missing_ok=True)


def _take(path: Path, output: Path, text: bytes) -> int | None:
    left_by: object = None
    while not _made(path, text):
        owner, seen = _read(path), _touched(path)
        if _lives(owner, seen):
            raise busy(output, owner)
        # Only one of several that find it stale can move it away.
        aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        with suppress(FileNotFoundError):
            path.rename(aside)
            if _touched(aside) == seen:
                left_by = owner.get("process")
                aside.unlink()
            else:  # Another run took it meanwhile: give it back.
                aside.rename(path)
    return left_by if isinstance(left_by, int) else None


def _made(path: Path, text: bytes) -> bool:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return True


def _lives(owner: dict[str, object], touched: float | None) -> bool:
    if touched is None:
        return False
    process = owner.get("process")
    if owner.get("machine") == socket.gethostname() and isinstance(process, int) and os.name != "nt":
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True
    return time.time() - touched < STALE_SECONDS


def _beat(path: Path, done: threading.Event) -> None:
    while not done.wait(BEAT_SECONDS):
        with suppress(OSError):
            os.utime(path)


def _touched(path: Path) -> float | None:
    try:
        return path.lstat().st_mtime
    except OSError:
        return None


def _read(path: Path) -> dict[str, object]:
    """Return the owner's record; empty if there is none, or it was never completed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            owner = json.loads(file.read(4096))
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}
