"""Data sets as Hugging Face's `datasets` writes them: Parquet or Arrow files with bytes in rows (extra `parquet`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.manifests.hugging_face_features import (
    Features,
    features_from,
    features_of,
    is_clip_column,
)
from spectronorm.audio.places.reference import ClipReference, Part
from spectronorm.audio.places.row_bytes import ARROW_ROW, PARQUET_ROW, odd_table, open_arrow, pyarrow
from spectronorm.errors import SourceError

_ROWS_AT_ONCE = 1 << 14
_SPLITS = ("train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval")


def is_parquet(name: str) -> bool:
    """True for names of Parquet files that are not hidden."""
    return name.lower().endswith(".parquet") and not name.startswith(".")


def has_audio(path: Path) -> bool:
    """Tell if a Parquet file has a column of audio; false for tables, and for files that cannot be read."""
    try:
        return features_of(pyarrow().parquet.read_schema(path)) is not None
    except odd_table():
        return False


def list_rows(root: Path, files: Sequence[Path]) -> list[ClipReference]:
    """The rows of Parquet files below a folder as clips, in the order of the files.

    A clip is named by its path in the data set if all paths differ, else by its file and row; files that begin with the
    name of a split give the column `split`.

    Raises:
        SourceError: if a file cannot be read.
    """
    rows = [row for path in files for row in _rows_of_parquet(path, _Origin.of(root, path))]
    return named(rows)


@dataclass(frozen=True)
class RowOfFile:
    """One row: the file's name in the data set, the row in it, the path that the data set gives it, and its columns."""

    file: str
    part: Part
    path: str
    columns: Mapping[str, str]


def named(rows: Sequence[RowOfFile]) -> list[ClipReference]:
    """The clips of rows, with names that differ."""
    wanted = [clean_name(row.path) if row.path else "" for row in rows]
    distinct = "" not in wanted and len(set(wanted)) == len(wanted)
    return [
        ClipReference(want if distinct else _by_row(row, want), row.part.place, row.columns, row.part)
        for row, want in zip(rows, wanted, strict=True)
    ]


def _by_row(row: RowOfFile, want: str) -> str:
    base = PurePosixPath(want).name if want else "row"
    return f"{row.file}/{row.part.start:06d}-{base}"


@dataclass(frozen=True)
class _Origin:
    """File of some rows: its name in the data set, its path, the method of reading, and the split that it is of."""

    name: str
    place: str
    method: str
    split: str

    @classmethod
    def of(cls, root: Path, path: Path) -> _Origin:
        """A Parquet file below the folder of a data set."""
        inside = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
        return cls(clean_name(inside.with_suffix("").as_posix()), str(path), PARQUET_ROW, _split_of(inside))


def _rows_of_parquet(path: Path, origin: _Origin) -> Iterator[RowOfFile]:
    try:
        with pyarrow().parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            schema = file.schema_arrow
            features = features_of(schema)
            if features is None:
                raise SourceError(f"{path}: has no column of audio (its columns are {', '.join(schema.names)})")
            wanted = _wanted(schema, features)
            batches = file.iter_batches(_ROWS_AT_ONCE, columns=wanted) if wanted else _empty(file.metadata.num_rows)
            yield from _rows(batches, features, origin)
    except odd_table() as error:
        raise SourceError(f"{path}: cannot be read as Parquet ({error}); make or fetch it again") from None


def _wanted(schema: Any, features: Features) -> list[str]:
    """The columns that a listing reads: scalars, and the paths of the sounds, but not the bytes."""
    types = pyarrow().types
    wanted = []
    for field in schema:
        if field.name == features.audio:
            if types.is_struct(field.type) and field.type.get_field_index("path") >= 0:
                wanted.append(f"{field.name}.path")
        elif is_clip_column(field.type):
            wanted.append(field.name)
    return wanted


def _empty(rows: int) -> Iterator[Any]:
    arrow = pyarrow()
    for start in range(0, rows, _ROWS_AT_ONCE):
        yield arrow.record_batch({"": arrow.nulls(min(_ROWS_AT_ONCE, rows - start))})


def _rows(batches: Iterable[Any], features: Features, origin: _Origin, first: int = 0) -> Iterator[RowOfFile]:
    row = first
    for batch in batches:
        names = [name for name in batch.schema.names if name != features.audio]
        values = [batch.column(batch.schema.get_field_index(name)).to_pylist() for name in names]
        paths = _paths(batch, features.audio)
        for number in range(batch.num_rows):
            columns = features.columns({name: some[number] for name, some in zip(names, values, strict=True)})
            if origin.split:
                columns.setdefault("split", origin.split)
            part = Part(origin.place, row, method=origin.method, array=features.audio)
            yield RowOfFile(origin.name, part, paths[number] or "", columns)
            row += 1


def _paths(batch: Any, audio: str) -> list[str | None]:
    index = batch.schema.get_field_index(audio)
    column = None if index < 0 else batch.column(index)
    if column is None or not pyarrow().types.is_struct(column.type) or column.type.get_field_index("path") < 0:
        return [None] * batch.num_rows
    return [str(path) if isinstance(path, str) else None for path in column.field("path").to_pylist()]


def _split_of(inside: Path) -> str:
    """The split that a file's name or folder tells, as `datasets` understands them; empty for none."""
    for part in reversed(inside.parts):
        word = part.lower().replace("_", "-").partition("-")[0].partition(".")[0]
        if word in _SPLITS:
            return word
    return ""


def list_saved(folder: Path) -> list[ClipReference]:
    """The clips of a folder that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote.

    Raises:
        SourceError: if its files cannot be read, or none of its columns is audio.
    """
    return named([row for part, split in _folders(folder) for row in _saved_rows(part, split)])


def _folders(folder: Path) -> list[tuple[Path, str]]:
    about = folder / "dataset_dict.json"
    if not about.is_file():
        return [(folder, "")]
    splits = _json(about).get("splits")
    if not isinstance(splits, list) or not all(isinstance(one, str) for one in splits):
        raise SourceError(f"{about}: has no list of splits; save the data set again")
    return [(folder / clean_name(split), split) for split in splits]


def _saved_rows(folder: Path, split: str) -> Iterator[RowOfFile]:
    declared = _json(folder / "dataset_info.json").get("features")
    for name in _data_files(folder):
        path = folder / name
        origin = _Origin(f"{split}/{path.stem}" if split else path.stem, str(path), ARROW_ROW, split)
        try:
            row = 0
            for batch in open_arrow(str(path)):
                features = features_from(declared if isinstance(declared, dict) else {}, batch.schema)
                if features is None:
                    raise SourceError(
                        f"{path}: has no column of audio (its columns are {', '.join(batch.schema.names)})"
                    )
                batch.validate(full=True)
                kept = [one.name for one in batch.schema if one.name == features.audio or is_clip_column(one.type)]
                yield from _rows([batch.select(kept)], features, origin, row)
                row += batch.num_rows
        except odd_table() as error:
            raise SourceError(f"{path}: cannot be read as an Arrow file ({error}); save the data set again") from None


def _data_files(folder: Path) -> list[str]:
    files = _json(folder / "state.json").get("_data_files")
    names = [one.get("filename") for one in files if isinstance(one, dict)] if isinstance(files, list) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise SourceError(f"{folder / 'state.json'}: names no data files; save the data set again")
    return [clean_name(str(name)) for name in names]


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{path}: cannot be read as JSON ({error}); save the data set again") from None
    if not isinstance(found, dict):
        raise SourceError(f"{path}: holds no JSON object; save the data set again")
    return found
