"""Web server of the explorer: on this machine only, read only, clips by number, nothing from outside (Starlette)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spectronorm.errors import ArgumentError, AudioError, SpectronormError
from spectronorm.explore.collection import Collection
from spectronorm.explore.ranges import part_of
from spectronorm.explore.settings import Settings

_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
"""Files of the page that are served under their own names; nothing else of the package is."""
_HOSTS = ("127.0.0.1", "localhost")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_BYTES, _WAV, _PNG = "application/octet-stream", "audio/wav", "image/png"
_MOST_DIGITS = 9


def app_of(collection: Collection, secret: str) -> ASGIApp:
    """Build the application; every address begins with the secret, which only the command's output has.

    It answers GET and HEAD only, and only if the header Host names this machine: a page elsewhere that gives itself
    an address here (DNS rebinding) sends another one.
    """
    answers = _Answers(collection)
    routes = [
        *(Route(f"/{secret}/{name}", _static(*found), methods=["GET"]) for name, found in _page().items()),
        *(Route(f"/{secret}{path}", answer, methods=["GET"]) for path, answer in answers.routes().items()),
    ]
    handlers: Mapping[Any, Any] = {SpectronormError: _refusal}
    return _Guard(Starlette(routes=routes, exception_handlers=handlers))


class _Answers:
    """The routes of a collection. Starlette runs each in a thread."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def routes(self) -> dict[str, Callable[[Request], Response]]:
        """Return each path with its answer."""
        return {
            "/about": lambda _: _json(self._collection.about()),
            "/clips": lambda request: _json(self._collection.names(_whole(request, "first"))),
            "/heard": lambda request: _json(self._collection.heard(_whole(request, "since"))),
            "/profile": lambda request: _json(self._collection.profile(_text(request, "name"))),
            "/histogram": lambda request: Response(
                self._collection.histogram(_text(request, "name")), media_type=_BYTES
            ),
            "/clip/{clip}": lambda request: _json(self._collection.clip(self._clip(request))),
            "/clip/{clip}/level": lambda request: Response(
                self._collection.level(self._clip(request)), media_type=_BYTES
            ),
            "/clip/{clip}/sound": lambda request: _sound(request, self._collection.wav(self._clip(request))),
            "/clip/{clip}/settings": self._settings,
            "/clip/{clip}/back": lambda request: _json(self._collection.back(*self._chosen(request))),
            "/clip/{clip}/back/image": lambda request: Response(self._turned(request).png, media_type=_PNG),
            "/clip/{clip}/back/sound": lambda request: _sound(request, self._turned(request).wav),
            "/clip/{clip}/back/level": lambda request: Response(
                self._turned(request).level.astype("<f4").tobytes(), media_type=_BYTES
            ),
        }

    def _clip(self, request: Request) -> int:
        number = _number(request.path_params["clip"])
        if number is None or number >= self._collection.count:
            raise _NotFound(
                f"clip {request.path_params['clip']!r:.60}: there are {self._collection.count} clips, from 0"
            )
        return number

    def _chosen(self, request: Request) -> tuple[int, float, float]:
        return self._clip(request), _real(request, "low"), _real(request, "high")

    def _turned(self, request: Request) -> Any:
        return self._collection.turned_back(*self._chosen(request))

    def _settings(self, request: Request) -> Response:
        floor = None if "floor" not in request.query_params else _real(request, "floor")
        without = request.query_params.get("without") == "floor"
        settings = Settings(_text(request, "normalize"), floor, without)
        found = self._collection.settings(self._clip(request), settings, request.query_params.get("profile"))
        return _json({"python": found.python, "commands": found.commands, "remark": found.remark})


class _NotFound(SpectronormError):
    """There is nothing by this number."""


class _Guard:
    """Refuses other hosts, and adds the headers that keep a page from loading or running anything from outside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0].rpartition(":")[0 if ":" in hosts[0] else 2].lower() not in _HOSTS:
            refusal = Response("open the address that the command printed: other host names are refused\n", 400)
            await refusal(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)


def _page() -> dict[str, tuple[bytes, str]]:
    """Contents and types of the page's files by their addresses, read once."""
    folder = files("spectronorm.explore").joinpath("page")
    own = {file.name: _KINDS.get(PurePosixPath(file.name).suffix) for file in folder.iterdir()}
    found = {name: (folder.joinpath(name).read_bytes(), kind) for name, kind in own.items() if kind is not None}
    return {"": (folder.joinpath("index.html").read_bytes(), "text/html; charset=utf-8"), **found}


def _static(content: bytes, kind: str) -> Callable[[Request], Response]:
    return lambda _: Response(content, media_type=kind)


def _json(value: Any, status: int = 200) -> Response:
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def _refusal(_: Request, error: Exception) -> Response:
    """Answer with the error's message: 404 without such a clip, 422 for one that cannot be used, 400 otherwise."""
    status = 404 if isinstance(error, _NotFound) else 422 if isinstance(error, AudioError) else 400
    return _json({"error": str(error)}, status)


def _sound(request: Request, data: bytes) -> Response:
    part = part_of(data, request.headers.get("range"))
    headers = {"accept-ranges": "bytes"}
    if part.content_range is not None:
        headers["content-range"] = part.content_range
    return Response(part.body, part.status, headers, _WAV)


def _number(text: str) -> int | None:
    """A whole number in plain digits; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _whole(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    number = _number(text)
    if number is None:
        raise ArgumentError(f"{name}={text!r:.60} must be a whole number")
    return number


def _real(request: Request, name: str) -> float:
    text = request.query_params.get(name, "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentError(f"{name}={text!r:.60} must be a number")
    return value


def _text(request: Request, name: str) -> str:
    text = request.query_params.get(name)
    if text is None:
        raise ArgumentError(f"{name}= is missing")
    return text
