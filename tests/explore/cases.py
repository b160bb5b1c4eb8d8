"""Sources and pages that the tests of the explorer share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette")

from spectronorm.cli.fit import fit_command
from spectronorm.cli.front_end import options_of
from spectronorm.explore.collection import Collection, Explored
from spectronorm.explore.server import app_of
from spectronorm.features import open_for
from spectronorm.front_end import AnyFrontEnd, FrontEnd
from spectronorm.profile import Profile

SECRET = "secret"  # noqa: S105
RATE = 16_000


def options(front_end: FrontEnd) -> list[str]:
    """The options of `fit` for a front end."""
    return options_of(front_end, fit_command)


def collection(source: Path, front_end: AnyFrontEnd, profiles: dict[str, Profile] | None = None) -> Collection:
    """The clips of a source, not measured yet."""
    return Collection(Explored(str(source), open_for(str(source), front_end), front_end, profiles or {}, options))


def client(of: Collection, host: str = "127.0.0.1") -> Any:
    """A client of the page, in this process."""
    pytest.importorskip("httpx2")
    from starlette.testclient import TestClient  # noqa: PLC0415

    return TestClient(app_of(of, SECRET), base_url=f"http://{host}", raise_server_exceptions=False)


@contextmanager
def measured(of: Collection) -> Iterator[Collection]:
    """The collection, with every clip measured."""
    of.listener.start()
    assert of.listener.wait(60)
    yield of
    of.listener.stop()


def tones(folder: Path, count: int = 6) -> Path:
    """A folder of half-second tones, one of them far louder than the others, and a file that is no sound."""
    rng = np.random.default_rng(0)
    time = np.arange(RATE // 2) / RATE
    (folder / "low").mkdir(parents=True)
    for number in range(count):
        loud = 0.5 if number == 3 else 0.01
        wave = loud * np.sin(2 * np.pi * 440 * time) + 0.001 * rng.standard_normal(len(time))
        soundfile.write(folder / "low" / f"{number}.wav", wave, RATE)
    (folder / "low" / "broken.wav").write_bytes(b"RIFF is not enough")
    return folder


def status_of(of: Collection, path: str) -> int:
    """The status of the answer to a path that no client has tidied up."""
    found: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
    }
    app: Any = app_of(of, SECRET)
    asyncio.run(app(scope, receive, send))
    return found[0]
