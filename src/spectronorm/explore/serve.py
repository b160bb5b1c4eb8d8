"""Running the explorer's server on this machine until it is stopped."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import closing

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
        collection.listener.start(_HEAD_START)
        threading.Thread(target=collection.prepare, name="spectronorm-first-clip", daemon=True).start()
        announce(f"http://{_ADDRESS}:{listening.getsockname()[1]}/{secret}/")
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:  # uvicorn raises the signal again that it ended for
            pass
        finally:
            collection.listener.stop()
