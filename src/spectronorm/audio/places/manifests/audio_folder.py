"""AudioFolder of Hugging Face: `metadata.csv`, `.jsonl` or `.parquet` in a folder, whose `file_name` names sounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.folder import subfolders
from spectronorm.audio.places.manifests.manifest import MANIFESTS, Listing, Manifest, ManifestRow
from spectronorm.audio.places.manifests.table import read_table
from spectronorm.audio.places.manifests.text import first_object, header_of_table, objects_of, rows_of
from spectronorm.errors import SpectronormError

_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_KEY = "file_name"
_SPLITS = ("train", "validation", "valid", "val", "dev", "test", "eval")


@MANIFESTS.register("audiofolder")
class AudioFolder(Manifest):
    """Every `metadata` file below a folder, with its columns; the folder of a split gives the column `split`."""

    takes: ClassVar[str] = "AudioFolder with metadata.csv, .jsonl or .parquet"

    @override
    def matches(self, path: Path, head: str) -> bool:
        if path.is_dir():
            return bool(_tables(path))
        names = set(header_of_table(head, ",")) | set(first_object(head))
        return path.suffix.lower() in (".csv", ".jsonl") and "path" not in names and bool(_keys(names))

    @override
    def read(self, path: Path) -> Listing:
        root = path if path.is_dir() else path.parent
        tables = _tables(path) if path.is_dir() else [path]
        return Listing((row for table in tables for row in _rows(root, table)), (root,), tables)


def _tables(folder: Path) -> list[Path]:
    """The metadata of a folder, or else of its subfolders, such as those of splits."""
    here = [folder / name for name in _NAMES if (folder / name).is_file()]
    if here:
        return here[:1] if _has_key(here[0]) else []
    below = subfolders(folder)[:1000]
    tables = [next((one / name for name in _NAMES if (one / name).is_file()), None) for one in below]
    return [table for table in tables if table is not None and _has_key(table)]


def _has_key(table: Path) -> bool:
    try:
        first: Mapping[str, Any] = next(_values(table), {})
    except SpectronormError:  # reading it says what is wrong
        return True
    return bool(_keys(first)) or not first


def _keys(names: Any) -> list[str]:
    return [name for name in names if isinstance(name, str) and (name == _KEY or name.endswith(f"_{_KEY}"))]


def _values(table: Path) -> Iterator[Mapping[str, Any]]:
    if table.suffix.lower() == ".csv":
        yield from rows_of(table, ",")
    elif table.suffix.lower() == ".jsonl":
        yield from (found for _, found in objects_of(table))
    else:
        yield from read_table(table)


def _rows(root: Path, table: Path) -> Iterator[ManifestRow]:
    inside = table.parent.relative_to(root)
    split = next((part for part in inside.parts if part.lower() in _SPLITS), "")
    for number, row in enumerate(_values(table), start=2):
        key = _KEY if _KEY in row else next(iter(_keys(row)), "")
        place = row.get(key)
        columns = text_columns({key_: value for key_, value in row.items() if key_ not in _keys(row)})
        if split:
            columns.setdefault("split", split)
        if not isinstance(place, str) or not place:
            yield ManifestRow(f"row {number}", columns, problem=f"row {number} of {table.name} has no {_KEY}")
        else:
            yield ManifestRow(str(inside / place), columns)
