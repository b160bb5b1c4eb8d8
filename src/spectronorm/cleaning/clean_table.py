"""Table of the clips that are left: a source for the next command."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from spectronorm.audio import ClipReference
from spectronorm.errors import ArgumentError
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.content import Content
from spectronorm.suggestion import known_keywords

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_OF_PIECES = (
    *("start", "end", "channel", "offset", "onset", "duration", "begin", "stop"),
    *("begin_time", "start_time", "end_time", "stop_time"),
)
"""Columns that a table of pieces takes for their sections."""


def require_table_name(path: Path) -> None:
    """Raise `ArgumentError` unless the name ends in `.csv` or `.tsv`."""
    if path.suffix.lower() not in _DELIMITERS:
        raise ArgumentError(f"{path}: the table is a CSV or TSV file; choose a name that ends in .csv or .tsv")


@known_keywords
def write_clean_table(clips: Sequence[ClipReference], path: str | Path) -> None:
    """Write clips as a `.csv` or `.tsv` table with `path`, sections of pieces, and all columns: `open_source` reads it.

    Paths below the table's folder are relative to it, others absolute.

    Raises:
        ArgumentError: if there is no clip, the name has another suffix, a clip lies in no file of its own (a member of
            an archive, a row, a URL), or a name cannot be written as UTF-8.
        OutputRefused: if a file already exists.

    >>> import pathlib, tempfile
    >>> from spectronorm.audio import ClipReference
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pathlib.Path(folder) / "clean.csv"
    ...     write_clean_table([ClipReference("a.wav", table.with_name("a.wav"), {"label": "dog"})], table)
    ...     print(table.read_text())
    path,label
    a.wav,dog
    """
    path = Path(path)
    require_table_name(path)
    require_listable(clips)
    if not clips:
        raise ArgumentError("no clip is left, so there is no table to write; look for fewer kinds, or set limits")
    pieces = any(clip.is_piece for clip in clips)
    taken = {"path", *(_OF_PIECES if pieces else ())}
    columns = list(dict.fromkeys(name for clip in clips for name in clip.columns if name not in taken))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=_DELIMITERS[path.suffix.lower()], lineterminator="\n")
    writer.writerow(["path", *(("start", "end", "channel") if pieces else ()), *columns])
    folder = path.parent.absolute()
    for clip in clips:
        section = _section(clip) if pieces else []
        writer.writerow([_path(clip, folder), *section, *(clip.columns.get(name, "") for name in columns)])
    try:
        content = text.getvalue().encode()
    except UnicodeEncodeError:
        raise ArgumentError("the name of a file is not UTF-8, so no table can hold it; rename the file") from None
    with atomic_write(path, Content.TABLE) as file:
        file.write(content)


def require_listable(clips: Sequence[ClipReference]) -> None:
    """Raise `ArgumentError` unless each clip lies in a file of its own, which a table can name."""
    inside = next((clip for clip in clips if clip.part is not None), None)
    if inside is not None:
        raise ArgumentError(
            f"{inside.name}: lies in an archive, a row of a file, at a URL or in memory, which a table cannot name; "
            "unpack the source, or take the list of --json"
        )


def _path(clip: ClipReference, folder: Path) -> str:
    location = clip.path.absolute()
    return location.relative_to(folder).as_posix() if location.is_relative_to(folder) else str(location)


def _section(clip: ClipReference) -> list[str]:
    span = clip.span
    start = "" if span is None else repr(span.start)
    end = "" if span is None or span.end is None else repr(span.end)
    return [start, end, "" if clip.channel is None else str(clip.channel)]
