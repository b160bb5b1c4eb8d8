"""The one function that prepares names of files, labels and groups for people to read."""

from __future__ import annotations


def printable(text: object, keep: str = "") -> str:
    r"""The text with everything escaped that a terminal would obey or that cannot be shown.

    Escaped are control characters, marks of direction, line separators, unassigned characters, and the bytes of file
    names that are not UTF-8; characters in `keep` stay.

    >>> print(printable("a\x1b[31m\u202eb\udcff"))
    a\x1b[31m\u202eb\xff
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(char if char in keep or char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte of a name that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
