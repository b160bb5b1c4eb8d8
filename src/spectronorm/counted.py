"""Counts in words, with the noun in the singular or plural."""


def counted(number: int, one: str, many: str | None = None, *, spec: str = "") -> str:
    """Return the number, formatted by `spec`, followed by `one` or `many` (by default `one` and an s).

    >>> counted(1, "clip"), counted(2, "clip"), counted(1, "clip is", "clips are"), counted(1200, "frame", spec=",")
    ('1 clip', '2 clips', '1 clip is', '1,200 frames')
    """
    return f"{number:{spec}} {one if number == 1 else many or one + 's'}"
