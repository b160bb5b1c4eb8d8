"""Changes of bytes at random: flipped, put, cut, repeated, and numbers made others."""

from __future__ import annotations

import random
from collections.abc import Callable

ODD_BYTES = (
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"1e999",
    b"NaN",
    b"[" * 50,
    b"{",
    b'"',
    b"null",
    b"-",
)


def flip(data: bytearray, draw: random.Random) -> None:
    """One bit."""
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def put(data: bytearray, draw: random.Random) -> None:
    """A random byte, or odd ones, over or between what is there."""
    at = draw.randrange(len(data))
    odd = draw.choice((*ODD_BYTES, bytes([draw.randrange(256)])))
    data[at : at + draw.choice((0, len(odd)))] = odd


def cut(data: bytearray, draw: random.Random) -> None:
    """A stretch left out."""
    at = draw.randrange(len(data))
    del data[at : at + draw.randrange(1, 40)]


def repeat(data: bytearray, draw: random.Random) -> None:
    """A stretch twice."""
    at = draw.randrange(len(data))
    data[at:at] = data[at : at + draw.randrange(1, 40)]


def number(data: bytearray, draw: random.Random) -> None:
    """A digit of a text made another, or many."""
    digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if digits:
        at = draw.choice(digits)
        data[at : at + 1] = draw.choice((b"9" * 30, b"-1", b"0", b"7", b"1e308", b'"a"'))


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, put, cut, repeat, number)


def mutated(sound: bytes, draw: random.Random) -> bytes:
    """One to four changes of any kind."""
    data = bytearray(sound)
    for _ in range(draw.randint(1, 4)):
        if data:
            draw.choice(CHANGES)(data, draw)
    return bytes(data)
