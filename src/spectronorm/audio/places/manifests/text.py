"""Lines of manifests: text in UTF-8 or UTF-16, compressed by gzip or not, one line at a time."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast

from spectronorm.errors import SourceError

_HEAD = 1 << 16
_MOST_LINE = 1 << 24
"""The longest line (characters) that is read; a manifest's lines have a few hundred."""
UNREADABLE = (OSError, EOFError, UnicodeError, zlib.error)


def head_of(path: Path) -> str:
    """The first 64 kB of a text file, unpacked; empty for other files, folders, and what cannot be read."""
    try:
        if not path.is_file():
            return ""
        with _bytes(path) as file:
            data = file.read(_HEAD)
        text = codecs.getincrementaldecoder(_encoding(data))().decode(data)
    except (*UNREADABLE, ValueError):
        return ""
    return "" if "\0" in text else text


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a text file without their ends.

    Raises:
        SourceError: if it cannot be read, is not text, or has a line of more than 16 million characters.
    """
    try:
        with _bytes(path) as file:
            encoding = _encoding(file.peek(4)[:4])
            with io.TextIOWrapper(file, encoding, newline="") as text:
                while line := text.readline(_MOST_LINE):
                    if len(line) == _MOST_LINE:
                        raise SourceError(f"{path}: has a line of more than {_MOST_LINE} characters; is it a manifest?")
                    yield line.rstrip("\r\n")
    except UNREADABLE as error:
        raise SourceError(f"{path}: cannot be read as text ({error}); save it in UTF-8") from None


def objects_of(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield number and JSON object of each line, or of each entry of a file that is one JSON list.

    Raises:
        SourceError: if a line is not a JSON object.
    """
    lines = lines_of(path)
    first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("["):
        found = json_of("\n".join([first, *lines]), path, 1)
        values: Iterator[tuple[int, Any]] = enumerate(found if isinstance(found, list) else [found], start=1)
    else:
        numbered = enumerate(chain([first], lines), start=1)
        values = ((number, json_of(line, path, number)) for number, line in numbered if line.strip())
    for number, value in values:
        if not isinstance(value, dict):
            raise SourceError(f"{path}: line {number} is not a JSON object; each line is one row")
        yield number, value


def json_of(text: str, path: Path, number: int) -> Any:
    """The JSON value of a line.

    Raises:
        SourceError: if it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: line {number} is not valid JSON ({error}); make the manifest again") from None


def rows_of(path: Path, delimiter: str, *, quoted: bool = True) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a table with a header as dictionaries; missing values are empty.

    Raises:
        SourceError: if it cannot be read as such a table.
    """
    quoting: Literal[0, 3] = 0 if quoted else 3  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE
    try:
        for row in csv.DictReader((line + "\n" for line in lines_of(path)), delimiter=delimiter, quoting=quoting):
            yield {key: value or "" for key, value in row.items() if key is not None}
    except csv.Error as error:
        raise SourceError(
            f"{path}: cannot be read as a table ({error}); save it with fields of ordinary length"
        ) from None


def header_of_table(head: str, delimiter: str) -> list[str]:
    """The names of the columns, by the first line of a table."""
    first = next(iter(head.lstrip("\ufeff").splitlines()), "")
    if len(first) >= 1 << 14:
        return []
    try:
        return next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error:
        return []


@contextmanager
def _bytes(path: Path) -> Iterator[io.BufferedReader]:
    with path.open("rb") as file:
        if file.peek(2)[:2] != b"\x1f\x8b":
            yield file
            return
        with gzip.GzipFile(fileobj=file) as packed, io.BufferedReader(packed) as plain:
            yield cast(io.BufferedReader, plain)


def _encoding(start: bytes) -> str:
    return "utf-16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def first_object(head: str) -> Mapping[str, Any]:
    """The JSON object with which a text begins, alone in its line or first of a list; empty if it begins otherwise."""
    text = head.lstrip("\ufeff \t\r\n[")
    if not text.startswith("{"):
        return {}
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
