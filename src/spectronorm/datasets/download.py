"""Resumable download of a file, which gets its name only when it is complete."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

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
    """Partial file, and the marker (ETag or date) of the version that it belongs to."""

    path: Path

    @property
    def mark_path(self) -> Path:
        return self.path.with_name(self.path.name + ".mark")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def mark(self, url: str) -> str:
        """Return the marker if the partial file came from this address."""
        text = self.mark_path.read_text(encoding="utf-8") if self.mark_path.exists() else ""
        there, _, mark = text.partition("\n")
        return mark if there == url else ""

    def begin(self, url: str, mark: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.remove()
        self.open("xb").close()
        write_text(self.mark_path, f"{url}\n{mark}", None)

    def open(self, mode: str) -> BinaryIO:
        """Open the partial file itself, never what a link of its name leads to."""
        return cast(BinaryIO, open(self.path, mode, opener=_opener))

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.mark_path.unlink(missing_ok=True)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def download(url: str, path: Path, *, advice: str, progress: Progress = silent) -> None:
    """Download the file at `url` to `path`.

    If the connection breaks or the program is killed, the partial content is kept next to `path` (`.unfinished`), and
    the next call requests the rest. If the server cannot send the rest, or has another version by now, the download
    starts again.

    Args:
        url: An http or https address.
        path: Path of the downloaded file.
        advice: Advice for working without a connection, for the error.
        progress: Called with the number of bytes present and the total number (0 if the server does not say).

    Raises:
        ArgumentError: if `url` is not such an address.
        SourceError: if the server cannot be reached, refuses, or keeps breaking the connection.
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
    kept = f"{unfinished.size / 1e6:,.1f} MB are kept, and repeating the command resumes there; "
    raise SourceError(
        f"{url}: cannot be fetched ({problem}); {kept if unfinished.size else ''}without a connection, {advice}"
    )


def _fetch(url: str, unfinished: _Unfinished, progress: Progress) -> bool:
    """Read the missing bytes; returns False if the connection ended early."""
    have, mark = unfinished.size, unfinished.mark(url)
    headers = {"User-Agent": f"spectronorm/{__version__}", "Accept-Encoding": "identity"}
    if have and mark:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
        resumed = answer.status == _RESUMED and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not resumed:
            have = 0
            # If-Range does not accept a weak ETag.
            tag = answer.headers.get("ETag", "")
            strong = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
            unfinished.begin(url, strong)
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else 0
        with unfinished.open("ab") as file:
            while chunk := _read(answer):
                file.write(chunk)
                have += len(chunk)
                progress(have, total)
    return not total or have == total


def _read(answer: http.client.HTTPResponse) -> bytes:
    """Read the next bytes; bytes received before a break count, and the break is detected by the length."""
    try:
        return answer.read(_CHUNK)
    except http.client.IncompleteRead as error:
        return error.partial
