"""NIST SPHERE: a text header of a stated length, then `sample_count · channel_count · sample_n_bytes` bytes."""

from __future__ import annotations

import math
import re

from spectronorm.audio.decoding.containers.found import Found, nothing_may_follow, settle
from spectronorm.audio.decoding.containers.view import FileBytes, View

_FIELD = re.compile(rb"^(sample_count|channel_count|sample_n_bytes|sample_rate) -i (\d{1,18})\s*$", re.MULTILINE)
_MOST_HEADER = 1 << 16


def look(file: FileBytes) -> Found | None:
    """The sound of a NIST file; None when it is none, or does not say how long it is."""
    head = file.at(0, 1024)
    if not head.startswith(b"NIST_1A"):
        return None
    length = head.split(b"\n", 2)[1:2]
    if not length or not length[0].strip().isdigit():
        return None
    start = int(length[0][:18])
    fields = {name: int(value) for name, value in _FIELD.findall(file.at(0, min(start, _MOST_HEADER)))}
    rate = fields.pop(b"sample_rate", 0)
    if len(fields) < 2:
        return None
    fields.setdefault(b"sample_n_bytes", 1)  # left out for A-law and µ-law
    claimed = math.prod(fields.values())
    width = max(1, claimed // max(1, fields.get(b"sample_count", 1)))
    settled = settle(file, start, claimed, align=width, per_second=width * rate, odd_rest=nothing_may_follow(file))
    # libsndfile reads up to the end of the file, whatever the header says.
    end = start + settled.length
    return Found((View() if end == file.size else View(((0, end),)),), settled.missing, settled.note)
