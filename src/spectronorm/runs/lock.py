"""Lock of an output: a second run fails at once and names the owner; a dead owner's lock does not count."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spectronorm.errors import OutputRefused
from spectronorm.runs.lease import busy, lease

_FAR = 1 << 30
"""Windows locks are mandatory: lock a byte far past the text, so that other processes can still read the text."""


def path_beside(output: Path, suffix: str) -> Path:
    """Return the path of a hidden file next to `output`."""
    absolute = Path(os.path.abspath(output))  # noqa: PTH100  (resolve would follow a link to another folder)
    return absolute.parent / f".{absolute.name}.{suffix}"


def open_hidden(path: Path, is_ours: Callable[[bytes], bool]) -> int:
    """Open a hidden file of this package, created if there is none, and return its descriptor.

    Other users may write into the folder too: a link is not followed, and a foreign file is left alone.

    Raises:
        OutputRefused: if another kind of file has the name; `is_ours` decides by its first bytes, which may be none.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _refused(path, "a regular file") from None
        raise
    what = None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        what = "a regular file"
    elif not is_ours(os.read(descriptor, 4096)):  # Windows has no pread
        what = "a file of spectronorm"
    if what is None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor
    os.close(descriptor)
    raise _refused(path, what)


def _refused(path: Path, what: str) -> OutputRefused:
    return OutputRefused(f"{path}: is needed for this output, but is not {what}; remove it, or choose another output")


def _is_lock(start: bytes) -> bool:
    return not start or start.startswith((b'{"process"', b'{"machine"'))


@contextmanager
def output_lock(output: Path) -> Iterator[int | None]:
    """Hold the only lock on `output`; yields the process id of an owner that died holding it, or None.

    The operating system releases the lock of a process that dies, so a lock file that exists but is not held is stale
    and is taken over.

    Raises:
        OutputBusy: if another process (or another run in this one) holds the lock, naming process, machine and output.
    """
    path = path_beside(output, "lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = _acquire(path, output)
    except _NoLocks:
        with lease(path.with_suffix(".lease"), output) as left:
            yield left
        return
    try:
        left_by = _owner(descriptor).get("process")
        text = json.dumps({"process": os.getpid(), "machine": socket.gethostname()})
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text.encode())
        yield left_by if isinstance(left_by, int) else None
    finally:
        _release(descriptor, path)


def _release(descriptor: int, path: Path) -> None:
    """Release the lock and remove its file.

    POSIX: the file is removed while it is held, so a run that has opened it meanwhile finds another file under the name
    and begins again. Windows removes no open file: it is closed first, and stays if another run has opened it.
    """
    if os.name == "nt":
        os.close(descriptor)
        with suppress(PermissionError):
            path.unlink(missing_ok=True)
        return
    path.unlink(missing_ok=True)
    os.close(descriptor)


def _acquire(path: Path, output: Path) -> int:
    while True:
        descriptor = open_hidden(path, _is_lock)
        try:
            locked = _try_lock(descriptor)
        except _NoLocks:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        if locked and _is_at(descriptor, path):
            return descriptor
        owner = _owner(descriptor)
        os.close(descriptor)
        if not locked:
            raise busy(output, owner)
        # The owner removed the file after we opened it and before we locked it: start again.


class _NoLocks(Exception):
    """The file system has no locks."""


def _try_lock(descriptor: int) -> bool:
    """Try to lock without waiting; the lock ends with the descriptor."""
    if os.name == "nt":
        import msvcrt  # noqa: PLC0415

        try:
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    import fcntl  # noqa: PLC0415

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        # ENOSYS: Lustre; ENOLCK: NFS without its lock daemon; EOPNOTSUPP: FUSE.
        if error.errno in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL):
            raise _NoLocks from None
        raise
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _owner(descriptor: int) -> dict[str, object]:
    """Return the owner's record in the lock file; empty if the owner has not written it."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        owner = json.loads(os.read(descriptor, 4096) or b"{}")
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}
