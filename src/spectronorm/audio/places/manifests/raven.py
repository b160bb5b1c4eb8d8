"""Selection tables of Raven and BirdNET: sections of long recordings, with times in seconds and channels from 1.

The recording is named by a column, or has the table's name without its endings. Raven lists a selection once for each
view; each is read once. Limits of frequency stay columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.manifests.beside import recording_of
from spectronorm.audio.places.manifests.manifest import MANIFESTS, Listing, Manifest, ManifestRow
from spectronorm.audio.places.manifests.text import header_of_table, rows_of
from spectronorm.audio.places.manifests.values import seconds
from spectronorm.audio.places.reference import Span
from spectronorm.errors import SourceError

_BEGIN, _END, _OFFSET, _CHANNEL, _SELECTION = (
    "Begin Time (s)",
    "End Time (s)",
    "File Offset (s)",
    "Channel",
    "Selection",
)
_FILES = ("Begin Path", "Begin File", "File", "file", "filepath", "filename")
_LABELS = ("Species", "Common Name", "Common name", "Annotation", "Label", "Tags", "Scientific Name", "Scientific name")
_NO_COLUMNS = (_BEGIN, _END, _OFFSET, _SELECTION, "View", "End Path", "End File", "Delta Time (s)", *_FILES)


@MANIFESTS.register("raven")
class Raven(Manifest):
    """A table with tabs; the species, common name or annotation is the column `label`."""

    takes: ClassVar[str] = "Raven or BirdNET selection table"

    @override
    def matches(self, path: Path, head: str) -> bool:
        return {_BEGIN, _END} <= set(header_of_table(head, "\t"))

    @override
    def read(self, path: Path) -> Listing:
        return Listing(_rows(path, "\t", _BEGIN, _END), (path.parent,), (path,))


@MANIFESTS.register("birdnet")
class BirdNet(Manifest):
    """BirdNET's results with commas: `Start (s)`, `End (s)` and names."""

    takes: ClassVar[str] = "BirdNET CSV"

    @override
    def matches(self, path: Path, head: str) -> bool:
        return {"Start (s)", "End (s)"} <= set(header_of_table(head, ","))

    @override
    def read(self, path: Path) -> Listing:
        return Listing(_rows(path, ",", "Start (s)", "End (s)"), (path.parent,), (path,))


def _rows(path: Path, delimiter: str, begin_key: str, end_key: str) -> Iterator[ManifestRow]:
    beside: str | None = None
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(rows_of(path, delimiter, quoted=delimiter == ","), start=2):
        begin, end = seconds(path, number, row, begin_key), seconds(path, number, row, end_key)
        if begin is None or end is None:
            raise SourceError(f"{path}: row {number} has no {begin_key if begin is None else end_key}")
        view = (row.get(_SELECTION, ""), row[begin_key], row[end_key], row.get(_CHANNEL, ""))
        if row.get(_SELECTION) and view in seen:
            continue
        seen.add(view)
        place = _named(path.parent, row)
        if place is None:
            beside = beside or recording_of(path)
            place = beside
        offset = seconds(path, number, row, _OFFSET)
        start = begin if offset is None else offset
        yield ManifestRow(
            place, _columns(row, (begin_key, end_key)), Span(start, start + (end - begin)), _channel(path, number, row)
        )


def _named(folder: Path, row: Mapping[str, str]) -> str | None:
    """The recording by its column, at its path or, moved from another machine, beside the table."""
    given = next((row[key] for key in _FILES if row.get(key)), None)
    if given is None or (folder / given).is_file():
        return given
    base = PurePosixPath(given.replace("\\", "/")).name
    return base if base and (folder / base).is_file() else given


def _channel(path: Path, number: int, row: Mapping[str, str]) -> int | None:
    """The channel from 0; None for BirdNET, which mixes channels before it listens."""
    if "Confidence" in row:
        return None
    channel = seconds(path, number, row, _CHANNEL)
    return None if channel is None else int(channel) - 1


def _columns(row: Mapping[str, str], times: tuple[str, str]) -> dict[str, str]:
    label = next((row[key] for key in _LABELS if row.get(key)), "")
    rest = {key: value for key, value in row.items() if key not in (*_NO_COLUMNS, *times, _CHANNEL)}
    return text_columns({**rest, "label": label})
