"""The command line as a file notes it: what decides the result, without the places of this machine."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

_DECIDE_NOTHING = frozenset({"output", "workers", "engine", "scheduler", "json", "overwrite", "list_files"})
"""Options that leave the measured numbers as they are: files made with others are equal."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def command_line(context: typer.Context) -> str:
    """Return the running command with the arguments that were given and decide its result, as a shell takes it.

    Of an absolute path only the last name is kept, and of a URL neither user nor query, so that a file that is passed
    on tells nothing of the machine and no secret.
    """
    words = ["spectronorm", str(context.info_name)]
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if parameter.name not in _DECIDE_NOTHING and source is not None and source.name == "COMMANDLINE":
            words += _words(parameter, context.params[str(parameter.name)])
    return shlex.join(words).encode(errors="backslashreplace").decode()


def _words(parameter: Any, value: Any) -> Iterator[str]:
    if parameter.param_type_name == "argument":
        yield from (_said(one) for one in (value if isinstance(value, list | tuple) else [value]))
    elif isinstance(value, bool):
        yield max(parameter.opts if value else parameter.secondary_opts, key=len)
    else:
        for one in value if isinstance(value, list | tuple) else [value]:
            yield from (max(parameter.opts, key=len), _said(one))


def _said(value: Any) -> str:
    text = str(value).removesuffix(".0") if isinstance(value, float) else str(value)
    if _URL.match(text):
        parts = urlsplit(text)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return f".../{Path(text).name}" if Path(text).is_absolute() else text
