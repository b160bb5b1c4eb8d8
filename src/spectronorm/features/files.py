"""The clips of a folder, table or file of levels: `.npy`, `.npz`, `.safetensors`, `.h5`, and archives of `.npy`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from spectronorm.audio import ClipReference, Openable, Reader, Source, each_channel, open_source
from spectronorm.audio.channels import EACH, STACK
from spectronorm.audio.places.archive import clean_name, is_archive, list_archive
from spectronorm.audio.places.folder import list_folder
from spectronorm.audio.places.manifests.spans import spans_of
from spectronorm.audio.places.manifests.table import TABLE_SUFFIXES, read_table
from spectronorm.audio.places.reference import Part, label_columns
from spectronorm.errors import ArgumentError, AudioError, MissingExtra, SourceError
from spectronorm.features.hdf5 import HDF5_SUFFIXES, list_hdf5
from spectronorm.features.parquet import is_table, list_parquet
from spectronorm.features.tensors import list_tensors
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels

FEATURE_SUFFIXES = (".npy", ".npz", ".safetensors", *HDF5_SUFFIXES)
"""Suffixes that a folder scan recognizes as levels; archives are searched for `.npy`."""
INDEX_NAME, DESCRIPTION_NAME = "index.csv", "levels.json"


def open_for(target: Openable, front_end: AnyFrontEnd, reader: Reader | None = None) -> Source:
    """The clips that a front end can measure: files of levels for a description of levels, audio otherwise."""
    if isinstance(front_end, Levels):
        if not isinstance(target, str | os.PathLike | Source):
            raise ArgumentError("files of levels are given by their path; measure arrays of levels with Meter")
        opened = open_features(target)
        return opened if reader is None else replace(opened, reader=reader)
    opened = open_source(target, reader)
    if opened.reader.channels == front_end.channels and front_end.channels != EACH:
        return opened
    opened = replace(opened, reader=replace(opened.reader, channels=front_end.channels))
    return each_channel(opened) if front_end.channels == EACH else opened


def with_all_channels(front_end: AnyFrontEnd, source: Source) -> AnyFrontEnd:
    """The front end, whose `stack` of channels is as high as that of the first clip that can be read.

    Raises:
        SourceError: if no clip can be read.
    """
    if isinstance(front_end, Levels) or front_end.channels != STACK:
        return front_end
    for clip in source:
        try:
            return as_high_as(front_end, clip, source.reader)
        except AudioError:
            continue
    raise SourceError("channels='stack': no clip of the source can be read, so how many channels there are is unknown")


def as_high_as(front_end: FrontEnd, clip: ClipReference, reader: Reader | None = None) -> FrontEnd:
    """The front end, whose `stack` of channels is as high as that of this clip.

    Raises:
        AudioError: if its header cannot be read.
    """
    if front_end.channels != STACK:
        return front_end
    return replace(front_end, channels=f"{STACK}:{(reader or Reader()).channel_count(clip)}")


def read_as_one(source: Source, front_end: FrontEnd) -> Source:
    """A source whose clips are read as the front end says, for work on one channel.

    Raises:
        ArgumentError: if the front end keeps several channels, or makes a clip of each.
    """
    if front_end.channels == EACH or front_end.channels.startswith(STACK):
        raise ArgumentError(
            f"channels={front_end.channels!r}: this works on one channel; choose mean, first or a number"
        )
    return replace(source, reader=replace(source.reader, channels=front_end.channels))


def open_features(target: str | Path | Source) -> Source:
    """Open files of levels: one file, a folder (recursively), an archive of `.npy`, or a table.

    A `.npy` file is a clip; so is each array of an `.npz`, each tensor of a `.safetensors`, each data set of an `.h5`
    file (extra `hdf5`) and each row of a `.parquet` shard that `apply` wrote (extra `parquet`), named `FILE/ARRAY`. A
    folder with an `index.csv`, as `spectronorm apply` writes it, is read by that table; otherwise the first folder
    below is taken for the label. A `.csv` or `.parquet` table has a column `path`, of a file or an array in one, and
    any others; where it has `frames`, frames beyond are padding.

    Raises:
        SourceError: if there is no such thing, it holds no levels, or a table has no `path`.
        MissingExtra: if an `.h5` file is given and h5py is not installed.

    >>> import pathlib, tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (pathlib.Path(folder) / "dog").mkdir()
    ...     np.save(pathlib.Path(folder) / "dog" / "a.npy", np.zeros((40, 100), np.float32))
    ...     source = open_features(folder)
    >>> [(clip.name, clip.columns["label"]) for clip in source.clips]
    [('dog/a.npy', 'dog')]
    """
    if isinstance(target, Source):
        return target
    path = Path(target)
    if not os.path.lexists(path):
        raise SourceError(f"{str(path)!r}: there is no such file or folder; check the path")
    table = path / INDEX_NAME if path.is_dir() else path
    if table.is_file() and (table.suffix.lower() in TABLE_SUFFIXES[:-1] or is_table(table)):
        return replace(Source.of(_of_table(table)), listing=(str(table),))
    opened = _of_folder(path) if path.is_dir() else Source(tuple(_of_file(path, path.name)))
    if not opened.clips:
        raise SourceError(
            f"{str(path)!r}: holds no file of levels; known suffixes are {' '.join(FEATURE_SUFFIXES)}, and archives "
            "of .npy"
        )
    return opened if path.is_dir() else Source.of(opened.clips)


def _of_folder(root: Path) -> Source:
    """The clips of every file of levels below a folder, and how many other files there are by suffix."""
    listed = list_folder(root, _is_wanted)
    unread = Counter(listed.unread)
    clips: list[ClipReference] = []
    for path in listed.files:
        if path.name in (INDEX_NAME, DESCRIPTION_NAME):
            continue
        if path.suffix.lower() == ".parquet" and not _is_shard(path):
            unread[".parquet"] += 1
            continue
        clips += _of_file_or_bad(path, path.relative_to(root).as_posix())
    labelled = (replace(clip, columns=label_columns(clip.name)) for clip in clips)
    return replace(Source.of(labelled), unread=dict(sorted(unread.items()))) if clips else Source(())


def _is_wanted(name: str) -> bool:
    known = name in (INDEX_NAME, DESCRIPTION_NAME) or PurePosixPath(name).suffix.lower() == ".parquet"
    return known or is_archive(name) or is_feature(name)


def _is_shard(path: Path) -> bool:
    """Tell if a Parquet file is a shard of levels; without pyarrow none is."""
    try:
        return not is_table(path)
    except MissingExtra:
        return False


def _of_file_or_bad(path: Path, name: str) -> list[ClipReference]:
    """The clips of one file among others; one that cannot be opened is a clip that cannot be read."""
    try:
        return list(_of_file(path, name))
    except SourceError as error:
        return [ClipReference(name, path, part=Part(str(path), problem=str(error)))]


def _of_file(path: Path, name: str) -> Iterator[ClipReference]:
    """The clips of one file."""
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        yield from list_tensors(path, name)
    elif suffix == ".parquet":
        yield from list_parquet(path, name)
    elif suffix in HDF5_SUFFIXES:
        yield from list_hdf5(path, name)
    elif suffix == ".npz" or is_archive(path.name):
        for clip in list_archive(str(path), lambda member: member.endswith(".npy"), zipped=suffix == ".npz"):
            yield replace(clip, name=f"{name}/{clip.name}", columns={})
    else:
        yield ClipReference(name, path)


def _of_table(table: Path) -> Iterator[ClipReference]:
    rows = read_table(table)
    if not rows:
        raise SourceError(f"{str(table)!r}: has no rows")
    if "path" not in rows[0]:
        raise SourceError(f"{str(table)!r}: has no column path (its columns are {', '.join(map(repr, rows[0]))})")
    if any(span is not None for span in spans_of(table, rows)):
        raise SourceError(f"{str(table)!r}: names pieces of files, but pieces are cut from audio, not from levels")
    files: dict[Path, Mapping[str, ClipReference]] = {}
    for number, row in enumerate(rows, start=2):
        if not row["path"]:
            raise SourceError(f"{str(table)!r}: row {number} has no path; every row needs one")
        columns = {key: value for key, value in row.items() if key != "path" and value}
        yield replace(_of_row(table.parent, row["path"], files), columns=columns)


def _of_row(folder: Path, name: str, files: dict[Path, Mapping[str, ClipReference]]) -> ClipReference:
    """The clip that a table names: a file, or an array in the file that its first part names."""
    path = folder / name
    for parent in [] if path.exists() else path.parents:
        if parent.is_file():
            inside = path.relative_to(parent).as_posix()
            if parent not in files:
                files[parent] = {clip.name.partition("/")[2]: clip for clip in _of_file(parent, parent.name)}
            found = files[parent].get(inside) or files[parent].get(f"{inside}.npy")
            if found is not None:
                return replace(found, name=clean_name(name))
            break
    return ClipReference(clean_name(name), path)


def is_feature(name: str) -> bool:
    """Tell if a file of this name is taken for levels."""
    return PurePosixPath(name).suffix.lower() in FEATURE_SUFFIXES
