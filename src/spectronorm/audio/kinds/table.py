"""Source kind of a CSV or Parquet table of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.manifests.table import read_table
from spectronorm.audio.places.names import listed_names
from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import SourceError


@SOURCES.register("table")
class Table(SourceKind):
    """Files named in the column `path`, with all other columns of the table."""

    takes: ClassVar[str] = "a .csv or .parquet table with a column path"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".parquet")

    @override
    def clips(self, place: str) -> list[ClipReference]:
        path = Path(place)
        rows: Sequence[Mapping[str, str]] = read_table(path)
        if rows and "path" not in rows[0]:
            raise SourceError(
                f"{path}: has no column path (its columns are {', '.join(rows[0])}); "
                "name the column that holds the audio files path"
            )
        _refuse_pieces(path, rows)
        for number, row in enumerate(rows, start=2):
            if not row["path"]:
                raise SourceError(f"{path}: row {number} has no path; every row needs one")
        clips = []
        for name, row in zip(listed_names(path.parent, [row["path"] for row in rows]), rows, strict=True):
            columns = {key: value for key, value in row.items() if key != "path" and value}
            clips.append(ClipReference(name, path.parent / row["path"], columns))
        return clips


def _refuse_pieces(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Raise `SourceError` for a table of pieces of recordings: each row would be its whole file."""
    pieces = sorted({"start", "end", "onset", "offset"} & set(rows[0] if rows else ()))
    if pieces:
        raise SourceError(
            f"{path}: has the column {pieces[0]}, but pieces of recordings cannot be read yet: each row would be its "
            "whole file; cut the recordings into files, or leave the column out"
        )
