"""Sources and pages that the tests of the explorer share."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
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


@contextmanager
def serving(of: Collection) -> Iterator[str]:
    """The address of the page, served in a thread."""
    uvicorn = pytest.importorskip("uvicorn")
    config = uvicorn.Config(
        app_of(of, SECRET), http="h11", ws="none", loop="asyncio", lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/{SECRET}/"
        server.should_exit = True
        thread.join(10)


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium, or a skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as driver:
        switches = ["--no-sandbox", "--disable-gpu", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
        browser = driver.chromium.launch(executable_path=found, args=switches)
        yield browser
        browser.close()


class opened:  # noqa: N801
    """A page whose faults are collected."""

    def __init__(self, browser: Any, address: str, **settings: Any) -> None:
        self._context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **settings})
        self._address, self.faults = address, []

    def __enter__(self) -> Any:
        page = self._context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self._note(request.url))
        page.goto(self._address)
        page.wait_for_selector("body[data-clip]")
        return page

    def __exit__(self, *problem: object) -> None:
        self._context.close()
        if problem[0] is None:
            assert self.faults == []

    def _note(self, url: str) -> None:
        if not url.startswith((self._address, "data:", "blob:")):
            self.faults.append(f"a request to {url}")


def wait(page: Any, expression: str) -> None:
    """Wait until an expression is true; the page's policy forbids the driver's own way."""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)
