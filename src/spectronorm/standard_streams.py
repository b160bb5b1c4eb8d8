"""Standard streams that a process was started without: they lead nowhere, and no other file takes their place."""

from __future__ import annotations

import os
import sys


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
