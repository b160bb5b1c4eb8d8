"""Running the explorer's server on this machine until it is stopped."""

from __future__ import annotations

import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import uvicorn

from spectronorm.errors import ArgumentError
from spectronorm.explore.collection import Collection
from spectronorm.explore.server import app_of

_ADDRESS = "127.0.0.1"
_HEAD_START = 5.0
"""Seconds after which the measurement begins though no browser has shown a clip."""


def serve(collection: Collection, port: int, announce: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C or SIGTERM, and measure the clips meanwhile.

    Args:
        collection: The clips.
        port: Port on 127.0.0.1; 0 takes a free one.
        announce: Called with the page's address once it can be opened; the address has a secret part, so that other
            users of the machine cannot guess it.

    Raises:
        ArgumentError: if the port is taken or not permitted.
    """
    secret = secrets.token_urlsafe(16)
    try:
        listening = socket.create_server((_ADDRESS, port))
    except OSError as error:
        raise ArgumentError(
            f"port={port}: {error.strerror or error}; choose another one, or 0 for a free one"
        ) from None
    with closing(listening):
        config = uvicorn.Config(
            app_of(collection, secret),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        with _ended_by_interrupt(server):
            collection.listener.start(_HEAD_START)
            threading.Thread(target=collection.prepare, name="spectronorm-first-clip", daemon=True).start()
            announce(f"http://{_ADDRESS}:{listening.getsockname()[1]}/{secret}/")
            try:
                server.run(sockets=[listening])
            except KeyboardInterrupt:  # where the server runs outside the main thread
                pass
            finally:
                collection.listener.stop()


@contextmanager
def _ended_by_interrupt(server: uvicorn.Server) -> Iterator[None]:
    """Let Ctrl-C only tell the server to end, from the first moment on.

    A KeyboardInterrupt would be raised anywhere, also in the middle of an import; Python's lock of imports then stays
    locked, and the threads that import their kernels wait for it forever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_signal: int, _frame: object) -> None:
        server.should_exit = True

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
