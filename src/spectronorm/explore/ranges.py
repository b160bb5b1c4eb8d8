"""Parts of a sound by the HTTP header Range, without which a browser cannot seek."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", flags=re.ASCII)


@dataclass(frozen=True)
class BytePart:
    """Body of an answer with its status, and the header Content-Range, if there is one."""

    status: int
    body: bytes
    content_range: str | None


def part_of(data: bytes, wanted: str | None) -> BytePart:
    """Return the wanted part of some bytes.

    One range of bytes is answered with 206, one that begins behind the end with 416; anything else is ignored, as the
    standard asks (RFC 9110, section 14.2), and answered with everything.

    >>> part_of(b"0123456789", "bytes=2-4")
    BytePart(status=206, body=b'234', content_range='bytes 2-4/10')
    """
    match = None if wanted is None else _RANGE.fullmatch(wanted.strip())
    if match is None or match.groups() == ("", ""):
        return BytePart(200, data, None)
    first, last = match.groups()
    if not first:
        start, stop = max(0, len(data) - int(last)), len(data)
    else:
        start, stop = int(first), min(len(data), int(last) + 1 if last else len(data))
        if last and int(last) < start:
            return BytePart(200, data, None)
    if start >= len(data) or start >= stop:
        return BytePart(416, b"", f"bytes */{len(data)}")
    return BytePart(206, data[start:stop], f"bytes {start}-{stop - 1}/{len(data)}")
