"""The one rule of what an output may replace: nothing but what we wrote ourselves, and never an input."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from spectronorm.errors import OutputRefused
from spectronorm.standard_streams import descriptor_of
from spectronorm.storage.content import Content

Identity = tuple[int, int]
"""Device and inode."""
_WAIT_SECONDS = 5.0
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_HARMLESS = {(1, 3), (1, 5), (1, 7)}
"""`/dev/null`, `/dev/zero` and `/dev/full`, by their numbers on Linux."""
_overwriting: ContextVar[bool] = ContextVar("overwriting", default=False)
_protected: ContextVar[tuple[Callable[[], frozenset[Identity]], ...]] = ContextVar("protected", default=())


@contextmanager
def overwriting(allowed: bool = True) -> Iterator[None]:
    """Let outputs replace any regular file that is not an input, if `allowed`; else leave the rule as it is."""
    token = _overwriting.set(allowed or _overwriting.get())
    try:
        yield
    finally:
        _overwriting.reset(token)


@contextmanager
def protecting(inputs: Iterable[str | Path | None]) -> Iterator[None]:
    """Let no output replace one of these files, even where overwriting is allowed; they are looked at when needed."""
    token = _protected.set((*_protected.get(), _once(inputs)))
    try:
        yield
    finally:
        _protected.reset(token)


def _once(inputs: Iterable[str | Path | None]) -> Callable[[], frozenset[Identity]]:
    found: list[frozenset[Identity]] = []

    def identities() -> frozenset[Identity]:
        if not found:
            seen = (_identity(place) for place in inputs if place is not None)
            found.append(frozenset(identity for identity in seen if identity is not None))
        return found[0]

    return identities


def _identity(place: str | Path) -> Identity | None:
    try:
        status = os.stat(place)  # noqa: PTH116  (there may be millions)
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino)


def require_replaceable(path: Path, content: Content | None) -> None:
    """Raise `OutputRefused` unless `path` is free, or the file there may be replaced by this content.

    Without a content any regular file is ours: the caller has looked. Links are followed.
    """
    if descriptor_of(path) is not None:
        return
    try:
        status = path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputRefused(f"{path}: cannot be written ({error.strerror or error}); choose another output") from None
    if stat.S_ISDIR(status.st_mode):
        raise OutputRefused(f"{path}: is a folder, but a file is to be written; choose another name")
    if not stat.S_ISREG(status.st_mode):
        _require_stream(path, status)
        return
    if any((status.st_dev, status.st_ino) in identities() for identities in _protected.get()):
        raise OutputRefused(f"{path}: is an input of this run, and an input is never an output; choose another name")
    if content is None or _overwriting.get():
        return
    try:
        ours = content.stands_at(path)
    except OSError as error:
        raise OutputRefused(f"{path}: cannot be read ({error.strerror or error}); choose another output") from None
    if not ours:
        raise OutputRefused(
            f"{path}: already exists and is not {content.value}, so it is not replaced; choose another name, or allow "
            "it with --overwrite (overwrite=True)"
        )


def is_stream(path: Path) -> bool:
    """Tell if `path` is written into rather than replaced: a pipe, terminal, `/dev/null`, or an open descriptor."""
    if descriptor_of(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def write_through(path: Path, data: bytes) -> None:
    """Write into a pipe, a terminal, `/dev/null`, or an open descriptor; what stands under the name stays there."""
    number = descriptor_of(path)
    descriptor = _opened(path) if number is None else os.dup(number)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _require_stream(path: Path, status: os.stat_result) -> None:
    character = stat.S_ISCHR(status.st_mode) and (_is_harmless(status) or _is_terminal(path))
    if not (stat.S_ISFIFO(status.st_mode) or character):
        raise OutputRefused(
            f"{path}: is neither a regular file nor a pipe or terminal, so nothing is written there; choose another "
            "output"
        )


def _is_harmless(status: os.stat_result) -> bool:
    if os.name == "nt":
        return False
    return (os.major(status.st_rdev), os.minor(status.st_rdev)) in _HARMLESS


def _is_terminal(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | _AT_ONCE)
    except OSError:
        return False
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """A descriptor of a device or pipe, once another process reads from the pipe."""
    begin = time.monotonic()
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | _AT_ONCE)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() - begin > _WAIT_SECONDS:
                told = "nobody reads from this pipe" if error.errno == errno.ENXIO else error.strerror or str(error)
                raise OutputRefused(f"{path}: cannot be written ({told}); choose another output") from None
            time.sleep(0.05)
        else:
            os.set_blocking(descriptor, True)
            return descriptor
