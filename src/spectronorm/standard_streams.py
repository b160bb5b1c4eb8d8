"""Standard streams: closed ones lead nowhere, all of them bear any text, and some files are names of them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


def open_standard_streams() -> None:
    """Open each of stdin, stdout and stderr that is closed, on the null device, for this process and its children.

    Otherwise the next file or pipe that is opened would be taken for the stream, here or in a process started later.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            # The lowest free number is taken, and no lower one is free.
            os.set_inheritable(opened, True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def prepare_streams() -> None:
    """Make the standard streams bear anything: closed ones lead nowhere, and what cannot be shown is replaced."""
    open_standard_streams()
    for name, errors in (("stdin", "surrogateescape"), ("stdout", "replace"), ("stderr", "replace")):
        with suppress(AttributeError, ValueError, OSError):  # a stream that the caller replaced
            getattr(sys, name).reconfigure(errors=errors)


def descriptor_of(path: Path) -> int | None:
    """The descriptor of this process that a name such as `/dev/stdout` or `/dev/fd/3` stands for."""
    for _ in range(8):  # links from name to name
        text = os.path.abspath(path)  # noqa: PTH100
        head, _, number = text.rpartition("/")
        if head in ("/dev/fd", "/proc/self/fd", f"/proc/{os.getpid()}/fd") and number.isdecimal():
            return int(number)
        if not text.startswith(("/dev/", "/proc/")) and not path.is_symlink():
            return None
        try:
            path = Path(text).parent / os.readlink(text)  # noqa: PTH115
        except OSError:
            return None
    return None
