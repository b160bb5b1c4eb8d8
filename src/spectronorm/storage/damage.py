"""The one guard at every loader: a file that is not what it should be is one error of our family, whatever it holds."""

from __future__ import annotations

import struct
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager

from spectronorm.errors import FileFormatError

DAMAGE: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
)
"""The exceptions by which odd content shows itself; `ArgumentError`, `ShapeError` and `RecursionError` are among them.

`MemoryError` is not: every size that a file names has a bound before memory is asked for.
"""


@contextmanager
def refuse_damage(where: object, what: str, advice: str) -> Iterator[None]:
    """Turn whatever odd content raises inside into a `FileFormatError`.

    Args:
        where: The file's name, for the message.
        what: What the file should be, such as `the profile`.
        advice: What to do, such as `make it again with spectronorm fit`.
    """
    try:
        yield
    except DAMAGE as error:
        told = str(error) or type(error).__name__
        raise FileFormatError(f"{where}: {what} is damaged ({told:.300}); {advice}") from None
