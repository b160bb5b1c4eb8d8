"""Rows of a CSV, TSV, JSON Lines or Parquet table, with every value as text."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from spectronorm.audio.places.columns import list_text
from spectronorm.errors import MissingExtra, SourceError

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
"""Suffixes of tables."""
_MOST_SHARED = 1 << 12
"""Number of different values of a column that are kept to be shared."""


def read_table(path: Path) -> Sequence[Mapping[str, str]]:
    """Read the rows of a table as dictionaries of text, each with every column; missing values are empty.

    A `.tsv` file has tabs for commas; a `.jsonl` file has one JSON object a line, whose lists and objects stay JSON.

    Raises:
        SourceError: if the file cannot be read as such a table.
        MissingExtra: if a Parquet file is given and pyarrow is not installed.
    """
    if not path.is_file():
        raise SourceError(f"{path}: there is no such table; check the path")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _read_parquet(path)
    return _read_json_lines(path) if suffix == ".jsonl" else _read_csv(path, "\t" if suffix == ".tsv" else ",")


def _read_csv(path: Path, delimiter: str) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding=_encoding(path)) as file:
            read = csv.DictReader(file, delimiter=delimiter)
            shared = _Shared()
            rows = [{key: shared(key, value or "") for key, value in row.items() if key is not None} for row in read]
    except (OSError, UnicodeError, csv.Error) as error:
        raise SourceError(
            f"{path}: cannot be read as a {path.suffix[1:].upper()} table ({error}); save it in UTF-8, with fields of "
            "ordinary length"
        ) from None
    return rows


class _Shared:
    """Equal values of a column as one text, if the column has few: there may be millions of rows."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, str]] = {}

    def __call__(self, column: str, value: str) -> str:
        """The text that an earlier row has, or this one."""
        known = self._values.setdefault(column, {})
        return known.setdefault(value, value) if len(known) < _MOST_SHARED else known.get(value, value)


def _encoding(path: Path) -> str:
    """UTF-16 where the file begins with its mark, as Excel writes it, else UTF-8 with or without one."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _read_json_lines(path: Path) -> list[dict[str, str]]:
    found: list[dict[str, object]] = []
    try:
        with path.open(encoding=_encoding(path)) as file:
            for number, line in enumerate(file, start=1):
                row = json.loads(line) if line.strip() else None
                if isinstance(row, dict):
                    found.append(row)
                elif row is not None:
                    raise SourceError(f"{path}: line {number} is not a JSON object; every line is one row")
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(
            f"{path}: cannot be read as JSON Lines ({error}); save it in UTF-8, one object per line"
        ) from None
    columns = dict.fromkeys(key for row in found for key in row)
    return [{key: _text(row.get(key)) for key in columns} for row in found]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and (not value or list_text(value)):
        return list_text(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_parquet(path: Path) -> list[dict[str, str]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except (ImportError, OSError):
        raise MissingExtra("Reading a Parquet table", "parquet") from None
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, pyarrow.ArrowException, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read as a Parquet table ({error})") from None
    return [{key: _parquet_text(value) for key, value in row.items()} for row in rows]


def _parquet_text(value: object) -> str:
    if isinstance(value, list) and (not value or list_text(value)):
        return list_text(value)
    return "" if value is None else str(value)
