"""Process that loads the decoder once and forks the confined processes that work on untrusted files.

A fork takes some milliseconds where a start takes a tenth of a second, and shares the memory of the loaded libraries.
The process that forks has an empty environment and never reads a file itself, so what it forks inherits no secret.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spectronorm.arrays import set_whole_numbers
from spectronorm.audio.decoding.worker import END, REPLY, REQUEST
from spectronorm.errors import ArgumentError
from spectronorm.standard_streams import open_standard_streams
from spectronorm.suggestion import known_settings

_SCRIPT = Path(__file__).with_name("worker.py")
_START_SECONDS = 60.0
_LOST = -9
"""Exit status of a process whose server is gone: the system ends them together."""


@known_settings
@dataclass(frozen=True)
class Limits:
    """Limits for decoding one file in a separate process.

    `seconds` is the time for one file, `megabytes` the memory that the process may use beyond its start.

    Raises:
        ArgumentError: if a limit is not positive, or if the system has no such limits (Windows).

    >>> import spectronorm as sn
    >>> sn.audio.Reader(untrusted=Limits(seconds=10.0, megabytes=256)).untrusted.megabytes
    256
    """

    seconds: float = 30.0
    megabytes: int = 1024

    def __post_init__(self) -> None:
        if not 0 < self.seconds < 1e6:
            raise ArgumentError(f"seconds={self.seconds} must be positive and below a million")
        set_whole_numbers(self, ("megabytes",), 1, (1 << 24) - 1)
        if os.name != "posix":
            raise ArgumentError("decoding in a limited process needs a POSIX system; leave untrusted out here")


class Gone(Exception):
    """The process died or did not answer in time.

    Attributes:
        status: Exit status of a process that could not be started; None for one that was.
    """

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.status = status


class _Server:
    """The process, and the socket over which it is asked."""

    def __init__(self) -> None:
        open_standard_streams()  # else the child's end of the socket may stand where its stdin is to be
        self._control, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            settings = {
                "path": [entry for entry in sys.path if entry],
                "folder": str(Path(__file__).parents[2]),
                "socket": theirs.fileno(),
            }
            self.process = subprocess.Popen(  # noqa: S603  (our own script, by our own interpreter)
                [sys.executable, "-I", "-S", str(_SCRIPT), json.dumps(settings)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )

    def ask(self, kind: int, process: int, limits: Limits, descriptors: list[int]) -> int:
        """Return the reply to a request; raises `OSError` if there is none."""
        request = REQUEST.pack(kind, process, limits.megabytes, limits.seconds)
        with self._lock:
            self._control.settimeout(_START_SECONDS)
            socket.send_fds(self._control, [request], descriptors)
            reply = self._control.recv(REPLY.size, socket.MSG_WAITALL)
        if len(reply) != REPLY.size:
            raise ConnectionResetError("the process that starts decoders ended")
        return int(REPLY.unpack(reply)[0])

    def end(self) -> int:
        """End the process and all that it forked; returns its exit status."""
        self.forget()
        self.process.kill()
        return self.process.wait()

    def close(self) -> None:
        """Let the process end by itself."""
        self.forget()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.end()

    def forget(self) -> None:
        """Close this process's end of the socket."""
        self._control.close()


def _environment() -> dict[str, str]:
    """Nothing of this process's environment, which may hold secrets, but where libraries lie."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Confined:
    """A confined process of a kind, with a socket to it, and other descriptors that it is to have.

    Raises:
        Gone: if it cannot be started.
    """

    def __init__(self, kind: int, limits: Limits, descriptors: list[int]) -> None:
        self.limits = limits
        self._fresh = True
        self._status: int | None = None
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._server, self.pid = SERVERS.forked(kind, limits, [theirs.fileno(), *descriptors])
            except Gone:
                self._socket.close()
                raise

    def send(self, message: bytes, descriptors: list[int]) -> None:
        """Send a message with open files; raises `Gone` if the process has ended."""
        try:
            self._socket.settimeout(self.limits.seconds)
            socket.send_fds(self._socket, [message], descriptors)
        except OSError as error:
            raise Gone(str(error)) from None

    def deadline(self) -> float:
        """The moment by which the next answer must have come."""
        return time.monotonic() + self.limits.seconds + (_START_SECONDS if self._fresh else 0)

    def receive(self, size: int, deadline: float) -> bytes:
        """Return that many bytes; raises `OSError` if they do not come in time."""
        data = b""
        while len(data) < size:
            self._socket.settimeout(max(1e-3, deadline - time.monotonic()))
            block = self._socket.recv(size - len(data))
            if not block:
                raise ConnectionResetError("the decoding process ended")
            data += block
        self._fresh = False
        return data

    def alive(self) -> bool:
        """True if the process is waiting for a request."""
        try:
            self._socket.setblocking(False)
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False  # it has ended, or says something without a request

    def kill(self) -> int:
        """End the process at once, and return its exit status."""
        self._socket.close()
        if self._status is None:
            try:
                self._status = self._server.ask(END, self.pid, self.limits, [])
            except OSError:
                SERVERS.lost(self._server)
                self._status = _LOST
        return self._status

    def forget(self) -> None:
        """Close this process's end of the socket."""
        self._socket.close()


class _Servers:
    """The server of this process, started when it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def forked(self, kind: int, limits: Limits, descriptors: list[int]) -> tuple[_Server, int]:
        """Return the server and the process id of a new confined process; raises `Gone` if there is none.

        A server that has ended is replaced once.
        """
        for attempt in range(2):
            with self._lock:
                used = self._server is not None
                server = self._server = self._server or _Server()
            try:
                return server, server.ask(kind, 0, limits, descriptors)
            except OSError as error:
                status = self.lost(server)
                if attempt or not used:
                    raise Gone(str(error), status) from None
        raise AssertionError

    def lost(self, server: _Server) -> int:
        """End a server that does not answer; returns its exit status."""
        with self._lock:
            if self._server is server:
                self._server = None
        return server.end()

    def close(self) -> None:
        """Let the server end."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def forget(self) -> None:
        """Leave the server to the process that this one was forked from."""
        self._lock = threading.Lock()
        server, self._server = self._server, None
        if server is not None:
            with suppress(OSError):
                server.forget()
            server.process.returncode = 0  # a child of another process: there is nothing to wait for


SERVERS = _Servers()
"""The server of this process."""
