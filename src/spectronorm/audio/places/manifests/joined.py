"""Clips of the rows of a manifest: their files found, their sections cut, their names made safe."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath

from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.manifests.manifest import ManifestRow
from spectronorm.audio.places.names import listed_names
from spectronorm.audio.places.place import is_url
from spectronorm.audio.places.reference import RECORDING, ClipReference, Part, piece_name

_TRIED = 100
"""Rows by which the folder of relative paths is found."""


def clips_of_rows(rows: list[ManifestRow], folders: Sequence[Path]) -> list[ClipReference]:
    """The clips of rows, in their order; the list of rows is empty afterwards, since there may be millions.

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
    rows.reverse()
    return [_clip(rows.pop(), name, folder, pieces=pieces) for name in names]


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
    file = _without_scheme(name) if part is not None else name
    own = clean_name(row.name) if row.name else ""
    columns = dict(row.columns)
    recording = columns.pop(RECORDING, "")
    if pieces or recording not in ("", row.name):
        columns[RECORDING] = recording or file
    if row.channel is not None:
        columns["channel"] = str(row.channel)
    named = own or (file if row.span is None else piece_name(file, row.span))
    if row.channel is not None and not own:
        named = f"{named}#{row.channel}"
    return ClipReference(named, location, _shared(tuple(columns.items())), part, row.span, row.channel)


@lru_cache(maxsize=1 << 12)
def _shared(columns: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """One mapping for all clips with equal columns: there may be millions of them."""
    return dict(columns)


def _without_scheme(name: str) -> str:
    """The name of a URL: its path, without the scheme."""
    scheme, colon, rest = name.partition(":/")
    return clean_name(rest) if colon and PurePosixPath(scheme).name == scheme else name
