"""Source kind of a table of files or of pieces of files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.manifest import known_manifests
from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.manifests.spans import channels_of, spans_of
from spectronorm.audio.places.manifests.table import TABLE_SUFFIXES, read_table
from spectronorm.audio.places.names import listed_names
from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import SourceError


@SOURCES.register("table")
class Table(SourceKind):
    """Files, or pieces of files, named in the column `path`, with all other columns of the table.

    `start` and `end` (or `duration`), `offset` and `duration`, or `onset` and `offset` cut a piece, in seconds;
    `channel` (from 0) takes one channel.
    """

    takes: ClassVar[str] = "a .csv, .tsv, .jsonl or .parquet table with a column path"
    suffixes: ClassVar[tuple[str, ...]] = TABLE_SUFFIXES

    @override
    def clips(self, place: str) -> list[ClipReference]:
        path = Path(place)
        rows: list[Mapping[str, str]] = list(read_table(path))
        if rows and "path" not in rows[0]:
            raise SourceError(
                f"{path}: has no column path (its columns are {', '.join(rows[0])}); "
                f"name the column that holds the audio files path; manifests that are known: {known_manifests()}"
            )
        for number, row in enumerate(rows, start=2):
            if not row["path"]:
                raise SourceError(f"{path}: row {number} has no path; every row needs one")
        spans, channels = spans_of(path, rows), channels_of(rows)
        pieces = any(span is not None for span in spans) or any(channel is not None for channel in channels)
        clips = []
        names = listed_names(path.parent, [row["path"] for row in rows])
        located = lru_cache(1 << 12)(lambda named: os.fspath(path.parent / named))  # one text for all pieces of a file
        rows.reverse()
        for name, span, channel in zip(names, spans, channels, strict=True):
            row = rows.pop()  # it is not needed any longer, and there may be millions
            columns = {key: value for key, value in row.items() if key != "path" and value}
            clip = ClipReference(name, located(row["path"]), columns)
            clips.append(clip.piece(span, channel) if pieces else clip)
        return clips
