"""Counts in words, with the noun in the singular or plural."""

import math


def counted(number: int, one: str, many: str | None = None, *, spec: str = "") -> str:
    """Return the number, formatted by `spec`, followed by `one` or `many` (by default `one` and an s).

    >>> counted(1, "clip"), counted(2, "clip"), counted(1, "clip is", "clips are"), counted(1200, "frame", spec=",")
    ('1 clip', '2 clips', '1 clip is', '1,200 frames')
    """
    return f"{number:{spec}} {one if number == 1 else many or one + 's'}"


def and_seconds(seconds: float | None, spec: str = ",.1f") -> str:
    """Return `, 12.3 s`, to stand behind a count; nothing if the number of seconds is not known (None or NaN).

    >>> and_seconds(1234.5), and_seconds(float("nan"))
    (', 1,234.5 s', '')
    """
    return "" if seconds is None or math.isnan(seconds) else f", {seconds:{spec}} s"


def frequency(hz: float, unknown: str = "–") -> str:
    """Return a frequency in whole Hz; `unknown` if it is not known (NaN).

    >>> frequency(440.2), frequency(float("nan"))
    ('440', '–')
    """
    return unknown if math.isnan(hz) else f"{hz:.0f}"
