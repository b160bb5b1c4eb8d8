"""A file from the web that goes on where it was cut off, and takes its name only when it is whole."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from spectronorm.errors import ArgumentError, SourceError
from spectronorm.runs.progress import Progress, silent
from spectronorm.storage.atomic import write_text
from spectronorm.version import __version__

_CHUNK = 2**18
_ATTEMPTS = 5
_TIMEOUT = 30.0
_RESUMED, _RANGE_NOT_SATISFIABLE = 206, 416


@dataclass(frozen=True)
class _Unfinished:
    """What is there of a file, and the mark (ETag or date) of the version that it is part of."""

    path: Path

    @property
    def mark_path(self) -> Path:
        return self.path.with_name(self.path.name + ".mark")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def mark(self, url: str) -> str:
        """The mark, if it is of what lies at this address."""
        text = self.mark_path.read_text(encoding="utf-8") if self.mark_path.exists() else ""
        there, _, mark = text.partition("\n")
        return mark if there == url else ""

    def begin(self, url: str, mark: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"")
        write_text(self.mark_path, f"{url}\n{mark}", None)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.mark_path.unlink(missing_ok=True)


def download(url: str, path: Path, *, advice: str, progress: Progress = silent) -> None:
    """Bring the file at `url` to `path`.

    What has come is kept beside it (`.unfinished`) when the connection is cut or the program is killed, and the next
    call asks for the rest; a server that cannot give the rest, or has another file by now, is read from the beginning.

    Args:
        url: An http or https address.
        path: Where it goes.
        advice: What to do without a connection, for the error.
        progress: Called with the bytes that are there and all bytes (0 where the server does not say).

    Raises:
        ArgumentError: when `url` is no such address.
        SourceError: when the server cannot be reached, refuses, or keeps cutting the connection.
    """
    if not url.startswith(("https://", "http://")):
        raise ArgumentError(f"url={url!r} must begin with https:// or http://")
    unfinished = _Unfinished(path.with_name(path.name + ".unfinished"))
    problem = ""
    for _ in range(_ATTEMPTS):
        before = unfinished.size
        try:
            if _fetch(url, unfinished, progress):
                os.replace(unfinished.path, path)  # noqa: PTH105
                unfinished.remove()
                return
            problem = "the connection was cut"
        except urllib.error.HTTPError as error:
            if error.code == _RANGE_NOT_SATISFIABLE and before:
                unfinished.remove()
                continue
            raise SourceError(f"{url}: the server answers {error.code} {error.reason}; {advice}") from None
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            problem = str(getattr(error, "reason", error)) or type(error).__name__
            if unfinished.size == before == 0:
                break
    kept = f"{unfinished.size / 1e6:,.1f} MB are kept, and the same command goes on from there; "
    raise SourceError(
        f"{url}: cannot be fetched ({problem}); {kept if unfinished.size else ''}without a connection, {advice}"
    )


def _fetch(url: str, unfinished: _Unfinished, progress: Progress) -> bool:
    """Read what is missing; False when the connection ended before the end."""
    have, mark = unfinished.size, unfinished.mark(url)
    headers = {"User-Agent": f"spectronorm/{__version__}", "Accept-Encoding": "identity"}
    if have and mark:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
        resumed = answer.status == _RESUMED and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not resumed:
            have = 0
            # If-Range takes no weak ETag.
            tag = answer.headers.get("ETag", "")
            strong = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
            unfinished.begin(url, strong)
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else 0
        with unfinished.path.open("ab") as file:
            while chunk := _read(answer):
                file.write(chunk)
                have += len(chunk)
                progress(have, total)
    return not total or have == total


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The next bytes; what came before a cut counts, and the cut is seen by the length."""
    try:
        return answer.read(_CHUNK)
    except http.client.IncompleteRead as error:
        return error.partial
