"""Clips of the rows of a manifest: their files found, their sections cut, their names made safe."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path, PurePosixPath

from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.manifests.manifest import ManifestRow
from spectronorm.audio.places.names import listed_names
from spectronorm.audio.places.place import is_url
from spectronorm.audio.places.reference import RECORDING, ClipReference, Part

_TRIED = 100
"""Rows by which the folder of relative paths is found."""


def clips_of_rows(rows: Sequence[ManifestRow], folders: Sequence[Path]) -> list[ClipReference]:
    """The clips of rows, in their order.

    A clip has the manifest's id as its name, else the path, and the section behind it. Absolute paths and `..` are
    followed for reading; names never lead out of a source.

    Args:
        rows: The rows.
        folders: Folders from which relative paths lead: the first in which a file of the first rows is found, or the
            last, is taken for all.
    """
    folder = _folder_of(rows, folders)
    names = listed_names(folder, [row.path for row in rows])
    pieces = any(row.span is not None or row.channel is not None for row in rows)
    return [_clip(row, name, folder, pieces=pieces) for row, name in zip(rows, names, strict=True)]


def _folder_of(rows: Sequence[ManifestRow], folders: Sequence[Path]) -> Path:
    paths = [row.path for row in islice((row for row in rows if not row.problem and row.part is None), _TRIED)]
    relative = [path for path in paths if not is_url(path) and not os.path.isabs(path)]  # noqa: PTH117
    for folder in folders:
        if any(_is_file(folder, path) for path in relative):
            return folder
    return folders[-1] if len(folders) < 3 else folders[0]


def _is_file(folder: Path, path: str) -> bool:
    try:
        return (folder / path).is_file()
    except (OSError, ValueError):
        return False


def _clip(row: ManifestRow, name: str, folder: Path, *, pieces: bool) -> ClipReference:
    part = row.part
    if row.problem:
        part = Part(row.path, problem=row.problem)
    elif part is None and is_url(row.path):
        part = Part(row.path)
    location = row.path if part is not None else os.path.join(folder, row.path)  # noqa: PTH118
    own = clean_name(row.name) if row.name else ""
    recording = row.columns.get(RECORDING)
    file = ClipReference(_without_scheme(name) if part is not None else name, location, row.columns, part)
    if row.span is None and row.channel is None and not pieces:
        columns = {key: value for key, value in row.columns.items() if key != RECORDING or value != row.name}
        return ClipReference(own or file.name, location, columns, part)
    if row.span is None and row.channel is None:
        return ClipReference(own or file.name, location, {RECORDING: recording or file.name, **row.columns}, part)
    if own:
        return file.piece(row.span, row.channel, name=own)
    named = ClipReference(file.name, location, {**row.columns, RECORDING: recording or file.name}, part)
    return named.piece(row.span, row.channel)


def _without_scheme(name: str) -> str:
    """The name of a URL: its path, without the scheme."""
    scheme, colon, rest = name.partition(":/")
    return clean_name(rest) if colon and PurePosixPath(scheme).name == scheme else name
