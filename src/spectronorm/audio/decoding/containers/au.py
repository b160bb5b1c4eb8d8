"""AU (NeXT and Sun), big and little endian: a header of 24 bytes or more, then sound up to the end."""

from __future__ import annotations

import struct

from spectronorm.audio.decoding.containers.found import Found, nothing_may_follow, settle
from spectronorm.audio.decoding.containers.view import FileBytes, View

_ORDERS = {b".snd": ">", b"dns.": "<"}
_BITS = {1: 8, 2: 8, 3: 16, 4: 24, 5: 32, 6: 32, 7: 64, 23: 4, 24: 8, 25: 3, 26: 5, 27: 8}
"""Bits of a sample, by the number of its encoding."""


def look(file: FileBytes) -> Found | None:
    """The sound of an AU file; None when it is none."""
    head = file.at(0, 24)
    order = _ORDERS.get(head[:4])
    if order is None or len(head) < 24:
        return None
    start, claimed, encoding, rate, channels = struct.unpack(order + "5I", head[4:])
    bits = _BITS.get(encoding, 8) * max(1, channels)
    settled = settle(
        file,
        start,
        claimed,
        align=max(1, bits // 8),
        per_second=rate * bits / 8,
        odd_rest=nothing_may_follow(file),
    )
    if settled.length == claimed or settled.length >= 0xFFFFFFFF or start > file.size:
        return Found((View(),), settled.missing, settled.note)
    size = struct.pack(order + "I", settled.length)
    return Found((View.patched(start + settled.length, {8: size}),), settled.missing, settled.note)
