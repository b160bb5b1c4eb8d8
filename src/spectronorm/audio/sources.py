"""Sources of clips: one file, a folder, a folder in ESC-50's layout, an archive, a table, or a URL."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path, PurePosixPath

import numpy as np

from spectronorm.arrays import column_values
from spectronorm.audio.places.archive import clean_name, is_archive, list_archive, list_shard
from spectronorm.audio.places.manifests.table import read_table
from spectronorm.audio.places.names import listed_names
from spectronorm.audio.places.place import is_url
from spectronorm.audio.places.reference import ClipReference, label_columns
from spectronorm.audio.places.remote import list_remote
from spectronorm.audio.read import Reader
from spectronorm.errors import ArgumentError, SourceError

_SUFFIXES = """
    .aif .aifc .aiff .au .avr .caf .flac .htk .ircam .mat4 .mat5 .mp1 .mp2 .mp3 .mpc2k .nist .oga .ogg .opus .paf
    .pvf .rf64 .sd2 .sds .sf .snd .sph .svx .voc .w64 .wav .wave .wavex .wve .xi
"""
_name = attrgetter("name")
_ESC50 = ("meta", "esc50.csv")
AUDIO_SUFFIXES = frozenset(_SUFFIXES.split())
"""Suffixes that a folder scan accepts as audio; a table may name any file."""


@dataclass(frozen=True)
class Source:
    """Clips in stable order, sorted by name; iterates again and again, and pickles without opening a file.

    Attributes:
        clips: The clips.
        reader: The way in which clips are read.
        left_out: What was taken out by `without`.
        listing: Local files besides the clips that say which clips there are, such as a table.
    """

    clips: tuple[ClipReference, ...]
    reader: Reader = field(default_factory=Reader)
    left_out: tuple[str, ...] = ()
    listing: tuple[str, ...] = ()

    @classmethod
    def of(cls, clips: Iterable[ClipReference], reader: Reader | None = None) -> Source:
        """Build a source of these clips, in a stable order that does not depend on the given one."""
        by_name = groupby(sorted(clips, key=_name), key=_name)
        ordered = (clip for _, same in by_name for clip in sorted(same, key=lambda clip: os.fsencode(clip.location)))
        return cls(tuple(ordered), Reader() if reader is None else reader)

    def __iter__(self) -> Iterator[ClipReference]:
        return iter(self.clips)

    def __len__(self) -> int:
        return len(self.clips)

    def column_names(self) -> list[str]:
        """Every column that at least one clip has."""
        return sorted({name for clip in self.clips for name in clip.columns})

    def select(self, **columns: object) -> Source:
        """Select the clips whose columns have these values, or one of several in a list; values compare as text."""
        return self._where({name: column_values(name, value) for name, value in columns.items()}, keep=True)

    def without(self, **columns: object) -> Source:
        """Remove the clips whose columns have these values, or one of several values in a list."""
        return self._where({name: column_values(name, value) for name, value in columns.items()}, keep=False)

    def _where(self, wanted: Mapping[str, Sequence[str]], *, keep: bool) -> Source:
        for name, several in wanted.items():
            values = sorted({clip.columns[name] for clip in self.clips if name in clip.columns})
            for value in (one for one in several if one not in values):
                known = (
                    f"{name} is one of {', '.join(values[:12])}"
                    if values
                    else (f"the columns are {', '.join(self.column_names()) or 'none'}")
                )
                raise ArgumentError(f"{name}={value}: no clip of this source has it; {known}")
        matches = [all(clip.columns.get(name) in several for name, several in wanted.items()) for clip in self.clips]
        kept = tuple(clip for clip, match in zip(self.clips, matches, strict=True) if match is keep)
        if keep:
            return replace(self, clips=kept)
        text = ", ".join(f"{name}={' or '.join(several)}" for name, several in wanted.items())
        return replace(self, clips=kept, left_out=(*self.left_out, text))


def open_source(target: str | Path | Source, reader: Reader | None = None) -> Source:
    """Open one audio file, a folder (recursively), an archive, a table, or any of them at an fsspec URL.

    A folder in ESC-50's layout provides the columns of its `meta/esc50.csv`. A `.csv` or `.parquet` table has a column
    `path` (relative to the table's folder, or absolute) and any other columns (`label`, `fold`, `split`, …). Archives
    (`.tar`, `.tar.gz`, `.zip`, …) are read member by member and never extracted; a folder that holds archives and no
    audio is treated as shards. In a folder or archive, the first subfolder is the label. Hidden files are left out, and
    links are followed, but never in circles.

    Args:
        target: A path, a URL such as `s3://bucket/folder` (extra `remote`), or a source.
        reader: Settings for reading clips: untrusted files, silent clips; by default `Reader()`, or the source's own.

    Returns:
        The source.

    Raises:
        SourceError: if there is no such file or folder, it holds no audio, or a table has no `path`.
        MissingExtra: if a URL is given and fsspec is not installed.
    """
    if isinstance(target, Source):
        return target if reader is None else replace(target, reader=reader)
    place = os.fspath(target)
    clips = list_remote(place, is_audio) if is_url(place) else _local(Path(place))
    if not clips:
        raise SourceError(f"{place}: holds no audio file; known suffixes are {' '.join(sorted(AUDIO_SUFFIXES))}")
    places = () if is_url(place) else (Path(place), Path(place, *_ESC50))
    return replace(Source.of(clips, reader), listing=tuple(str(path) for path in places if path.is_file()))


def is_audio(name: str) -> bool:
    """True if a file with this name counts as audio: a known suffix, and not hidden."""
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
    return not hidden and PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES


def _local(path: Path) -> list[ClipReference]:
    if path.is_dir():
        meta = path.joinpath(*_ESC50)
        return _esc50(path, meta) if meta.is_file() and (path / "audio").is_dir() else _folder(path)
    if path.suffix.lower() in (".csv", ".parquet"):
        return _table(path)
    if is_archive(path.name) and path.is_file():
        return list_archive(str(path), is_audio)
    if not os.path.lexists(path):
        raise SourceError(f"{path}: there is no such file or folder; check the path")
    return [ClipReference(path.name, path)]


def random_sample(source: Source, fraction: float, seed: int) -> Source:
    """Draw a random share of the clips (at least one), reproducibly for a seed, whatever the order of the source.

    Raises:
        ArgumentError: if `fraction` is not in (0, 1].
    """
    if not 0 < fraction <= 1:
        raise ArgumentError(f"sample={fraction} must be above 0 and at most 1 (20% is 0.2)")
    count = max(1, round(fraction * len(source)))
    chosen = np.sort(np.random.default_rng(seed).choice(len(source), size=count, replace=False))
    return replace(source, clips=tuple(source.clips[index] for index in chosen))


def _folder(root: Path) -> list[ClipReference]:
    clips = []
    shards = sorted(path for path in root.iterdir() if is_archive(path.name) and not path.name.startswith("."))
    for path in _walk(root, ()):
        name = path.relative_to(root).as_posix()
        clips.append(ClipReference(name, path, label_columns(name)))
    return clips or [clip for shard in shards for clip in list_shard(str(shard), is_audio)]


def _walk(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    """Yield audio files below `folder`; `above` holds the parent folders, so that a circle of links ends."""
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    names, folders = [], set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if _is_folder(entry):
                    folders.add(entry.name)
                elif Path(entry.name).suffix.lower() not in AUDIO_SUFFIXES:
                    continue
                names.append(entry.name)
    except OSError as error:
        raise SourceError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from None
    for name in sorted(names):
        if name in folders:
            yield from _walk(folder / name, (*above, here))
        else:
            yield folder / name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _esc50(root: Path, meta: Path) -> list[ClipReference]:
    with meta.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    clips = []
    for row in rows:
        if not row.get("filename"):
            raise SourceError(f"{meta}: needs a column filename with a value in each row, as ESC-50 has it")
        columns = {key: value for key, value in row.items() if key and value and key != "filename"}
        if "category" in columns:
            columns["label"] = columns["category"]
        clips.append(ClipReference(clean_name(row["filename"]), root / "audio" / row["filename"], columns))
    return clips


def _table(path: Path) -> list[ClipReference]:
    rows: Sequence[Mapping[str, str]] = read_table(path)
    if rows and "path" not in rows[0]:
        raise SourceError(
            f"{path}: has no column path (its columns are {', '.join(rows[0])}); "
            "name the column that holds the audio files path"
        )
    for number, row in enumerate(rows, start=2):
        if not row["path"]:
            raise SourceError(f"{path}: row {number} has no path; every row needs one")
    clips = []
    for name, row in zip(listed_names(path.parent, [row["path"] for row in rows]), rows, strict=True):
        columns = {key: value for key, value in row.items() if key != "path" and value}
        clips.append(ClipReference(name, path.parent / row["path"], columns))
    return clips
