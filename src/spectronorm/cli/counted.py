"""Counts in words, with the noun in the singular or plural."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return the number, thousands separated, followed by `one` or `many` (by default `one` and an s).

    >>> counted(1, "clip"), counted(1200, "clip"), counted(1, "clip is", "clips are")
    ('1 clip', '1,200 clips', '1 clip is')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
