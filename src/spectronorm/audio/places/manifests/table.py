"""Rows of a CSV or Parquet table, with every value as text."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from spectronorm.errors import MissingExtra, SourceError


def read_table(path: Path) -> Sequence[Mapping[str, str]]:
    """Read the rows of a `.csv` or `.parquet` file as dictionaries of text; missing values are empty.

    Raises:
        SourceError: if the file cannot be read as such a table.
        MissingExtra: if a Parquet file is given and pyarrow is not installed.
    """
    if not path.is_file():
        raise SourceError(f"{path}: there is no such table; check the path")
    return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)


def _read_csv(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding=_encoding(path)) as file:
            rows = [{key: value or "" for key, value in row.items() if key is not None} for row in csv.DictReader(file)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise SourceError(
            f"{path}: cannot be read as a CSV table ({error}); save it in UTF-8, with fields of ordinary length"
        ) from None
    return rows


def _encoding(path: Path) -> str:
    """UTF-16 where the file begins with its mark, as Excel writes it, else UTF-8 with or without one."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


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
    return [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]
