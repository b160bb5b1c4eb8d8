"""Columns of a table that make its rows pieces of recordings: their section in seconds, and their channel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from spectronorm.audio.places.reference import Span
from spectronorm.errors import SourceError

_Row = Mapping[str, str]
_UNCLEAR = ("begin", "begin_time", "start_time", "end_time", "stop", "stop_time")
"""Columns that are refused if they hold numbers: they may be seconds, samples or something else."""
_TOLERANCE = 0.01
"""Seconds by which `end` and `duration` of a row may disagree: both are often rounded."""


def spans_of(path: Path, rows: Sequence[_Row]) -> list[Span | None]:
    """The section that each row names; None for the rows of whole files.

    Sections are in seconds: `start` with `end` or `duration`, `offset` with `duration`, or `onset` with `offset`. A
    `duration` alone is a column like any other. An empty field is the beginning, or the end, of the recording.

    Raises:
        SourceError: if the columns are ambiguous, or a field is not a number. Numbers that make no section are kept:
            reading the clip says what is wrong.
    """
    columns = set(rows[0] if rows else ())
    _refuse_unclear(path, rows, columns)
    start, end = _named(path, columns)
    if start is None and end is None:
        return [None] * len(rows)
    return [_span(path, number, row, start, end) for number, row in enumerate(rows, start=2)]


def channels_of(rows: Sequence[_Row]) -> list[int | None]:
    """The channel of each row, from 0, if every `channel` is a whole number; otherwise it is a column like any other.

    >>> channels_of([{"channel": "1"}, {"channel": ""}]), channels_of([{"channel": "left"}])
    ([1, None], [None])
    """
    found = [row.get("channel", "").strip() for row in rows]
    if not all(re.fullmatch(r"(-?[0-9]{1,9}(\.0)?)?", text, re.ASCII) for text in found):
        return [None] * len(rows)
    return [int(float(text)) if text else None for text in found]


def _named(path: Path, columns: set[str]) -> tuple[str | None, str | None]:
    """The columns of the beginning and the end."""
    starts: list[str] = [name for name in ("start", "onset") if name in columns]
    ends = ["end"] if "end" in columns else []
    if "offset" in columns:
        (ends if "onset" in columns else starts).append("offset")
    for several in (starts, ends):
        if len(several) > 1:
            raise SourceError(
                f"{path}: has the columns {' and '.join(several)}, which name one side of a piece; leave one out"
            )
    return next(iter(starts), None), next(iter(ends), None)


def _refuse_unclear(path: Path, rows: Sequence[_Row], columns: set[str]) -> None:
    for name in _UNCLEAR:
        if name in columns and any(map(_is_number, (row[name] for row in rows[:100]))):
            raise SourceError(
                f"{path}: has the column {name}, but it is not clear if its numbers are seconds; name the column start "
                "or end if they are, or give it another name"
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _span(path: Path, number: int, row: _Row, start: str | None, end: str | None) -> Span | None:
    begin = _seconds(path, number, row, start)
    stop = _seconds(path, number, row, end)
    duration = _seconds(path, number, row, "duration" if start is not None else None)
    if begin is None and stop is None:
        return None
    first = begin or 0.0
    if stop is None or duration is None:
        return Span(first, stop if duration is None else first + duration)
    if abs(first + duration - stop) > _TOLERANCE:
        raise SourceError(
            f"{path}: row {number} has {end}={row[end or '']}, but {start}={row[start or '']} and "
            f"duration={row['duration']} make {first + duration:.6g}; leave the column duration out, or correct it"
        )
    return Span(first, stop)


def _seconds(path: Path, number: int, row: _Row, column: str | None) -> float | None:
    text = row.get(column, "").strip() if column is not None else ""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise SourceError(
            f"{path}: row {number} has {column}={text!r}, which is not a number of seconds (such as 12.5)"
        ) from None
