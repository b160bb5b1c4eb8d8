"""Sources of clips: one file, a folder, a folder in ESC-50's layout, an archive, a table, or a URL."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from typing_extensions import TypeIs

from spectronorm.arrays import column_values
from spectronorm.audio.hugging_face_objects import (
    clips_of_dataset,
    clips_of_dataset_dict,
    is_dataset,
    is_dataset_dict,
    items_of,
)
from spectronorm.audio.items import clips_of_values, size_of
from spectronorm.audio.kinds.source_kind import kind_of
from spectronorm.audio.places.place import is_url
from spectronorm.audio.places.reference import ClipReference, Part
from spectronorm.audio.places.suffixes import AUDIO_SUFFIXES
from spectronorm.audio.read import Reader
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, AudioError, SourceError
from spectronorm.html_summary import MOST_ROWS, html_columns
from spectronorm.short_repr import shortened
from spectronorm.suggestion import known_keywords, known_settings

_name = attrgetter("name")
_AT_ONCE, _BYTES_AT_ONCE = 512, 1 << 26
"""Clips and bytes of an iterator that are held at a time."""
_ESC50 = ("meta", "esc50.csv")
_READER = Reader()


@known_settings
@dataclass(frozen=True, repr=False)
class Source:
    """Clips in stable order, sorted by name; iterates again and again, and pickles without opening a file.

    Attributes:
        clips: The clips.
        reader: The way in which clips are read.
        left_out: What was taken out by `without`.
        listing: Local files besides the clips that say which clips there are, such as a table.
        unread: How many files of a folder are not read, by suffix.
        whole: The values of each column in the source that this one was selected from; empty for a whole source.

    >>> import numpy as np, spectronorm as sn
    >>> items = [{"audio": (np.full(8000, 0.1 * n), 8000), "label": "ab"[n % 2]} for n in range(1, 5)]
    >>> source = sn.open_source(items)
    >>> len(source.clips), source.column_names(), source.values("label")
    (4, ['label'], ('a', 'b'))
    >>> len(source.select(label="a").clips), len(source.without(label="a").clips)
    (2, 2)
    """

    clips: tuple[ClipReference, ...]
    reader: Reader = field(default_factory=Reader)
    left_out: tuple[str, ...] = ()
    listing: tuple[str, ...] = field(default=(), compare=False)
    unread: Mapping[str, int] = field(default_factory=dict, compare=False)
    whole: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        columns = ", ".join(self.column_names())
        return shortened(f"Source({counted(len(self.clips), 'clip')}{f', columns {columns}' if columns else ''})")

    def _repr_html_(self) -> str:
        names = list(dict.fromkeys(name for clip in self.clips[:MOST_ROWS] for name in clip.columns))
        rows = [(clip.name, *(clip.columns.get(name, "") for name in names)) for clip in self.clips[:MOST_ROWS]]
        return html_columns(f"Source of {counted(len(self.clips), 'clip')}", ("name", *names), rows, len(self.clips))

    @classmethod
    def of(cls, clips: Iterable[ClipReference], reader: Reader | None = None) -> Source:
        """Build a source of these clips, in a stable order that does not depend on the given one."""
        by_name = groupby(sorted(clips, key=_name), key=_name)
        ordered = (clip for _, same in by_name for clip in sorted(same, key=lambda clip: os.fsencode(clip.location)))
        return cls(tuple(ordered), _READER if reader is None else reader)

    def __iter__(self) -> Iterator[ClipReference]:
        return iter(self.clips)

    def __len__(self) -> int:
        return len(self.clips)

    def column_names(self) -> list[str]:
        """Every column that at least one clip has."""
        return sorted({name for clip in self.clips for name in clip.columns})

    def values(self, column: str) -> tuple[str, ...]:
        """The distinct values of a column, sorted: of the whole source, if this one was selected from another."""
        if self.whole:
            return self.whole.get(column, ())
        return tuple(sorted({clip.columns[column] for clip in self.clips if column in clip.columns}))

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
        whole = self.whole or {name: self.values(name) for name in self.column_names()}
        if keep:
            return replace(self, clips=kept, whole=whole)
        text = ", ".join(f"{name}={' or '.join(several)}" for name, several in wanted.items())
        return replace(self, clips=kept, whole=whole, left_out=(*self.left_out, text))


Openable: TypeAlias = str | Path | Source | Iterable[Any]
"""Everything that `open_source` takes."""


@known_keywords
def open_source(target: Openable, reader: Reader | None = None) -> Source:
    """Open audio in files, folders, archives, tables, manifests and data sets, at URLs, or given by Python code.

    A folder in ESC-50's layout provides the columns of its `meta/esc50.csv`. A `.csv` or `.parquet` table has a column
    `path` (relative to the table's folder, or absolute) and any other columns (`label`, `fold`, `split`, …). Archives
    (`.tar`, `.tar.gz`, `.zip`, …) are read member by member and never extracted; a folder that holds archives and no
    audio is treated as shards. In a folder or archive, the first subfolder is the label. Hidden files are left out, and
    links are followed, but never in circles. Wildcards and braces (`train-{000..011}.tar`) stand for several places.

    Python code gives a list or another iterable of paths, bytes, open files, pairs `(wave, rate)`, and dictionaries
    with one of them under `audio` and columns beside it; or a `Dataset` of Hugging Face. Sounds of an iterator are held
    in memory: `fit` goes through it once instead.

    Args:
        target: A path, a URL such as `s3://bucket/folder` (extra `remote`), an iterable, or a source.
        reader: Settings for reading clips: untrusted files, silent clips; by default `Reader()`, or the source's own.

    Returns:
        The source.

    Raises:
        SourceError: if there is no such file or folder, it holds no audio, or a table has no `path`.
        ArgumentError: if a value is not a sound.
        MissingExtra: if a URL is given and fsspec is not installed.

    >>> import numpy as np, spectronorm as sn
    >>> source = sn.open_source([(np.zeros(16_000), 16_000), (np.ones(8_000), 8_000)])
    >>> len(source)
    2
    """
    if isinstance(target, Source):
        return target if reader is None else replace(target, reader=reader)
    if not isinstance(target, str | os.PathLike):
        return _of_values(target, reader)
    place = os.fsdecode(target)
    kind = kind_of(place)()
    clips = kind.clips(place)
    if not clips:
        raise SourceError(
            f"{place}: holds no audio file; known suffixes are {' '.join(sorted(AUDIO_SUFFIXES))}; "
            "files of spectrograms are measured with fit --levels"
        )
    places = () if is_url(place) else (Path(place), Path(place, *_ESC50))
    listing = tuple(dict.fromkeys([*(str(path) for path in places if path.is_file()), *kind.listing]))
    return replace(Source.of(clips, reader), listing=listing, unread=dict(kind.unread))


def _of_values(target: object, reader: Reader | None) -> Source:
    """The source of a Python value that is not a path."""
    if is_dataset_dict(target):
        clips = clips_of_dataset_dict(cast(Mapping[str, Any], target))
    elif is_dataset(target) and hasattr(target, "__len__"):
        clips = clips_of_dataset(target)
    else:
        clips = clips_of_values(values_of(target), lambda place: open_source(place).clips)
    if not clips:
        raise SourceError("the iterable gives no sound; give at least one")
    return Source.of(clips, reader)


def values_of(target: object) -> Iterable[object]:
    """The sounds that a Python value stands for, one after the other.

    Raises:
        ArgumentError: if it is neither an iterable nor a single sound.
    """
    if is_dataset(target):
        return items_of(target)
    single = isinstance(target, bytes | bytearray | Mapping) or callable(getattr(target, "read", None))
    pair = isinstance(target, tuple) and len(target) == 2 and hasattr(target[0], "shape")
    if single or pair:
        return [target]
    if hasattr(target, "shape") or not (isinstance(target, Iterable) or hasattr(target, "__getitem__")):
        raise ArgumentError(
            f"a source is a path, a URL, an iterable of sounds, or a Source, not {type(target).__name__}; waves are "
            "given with their rates, as [(wave, rate), ...]"
        )
    return cast(Iterable[object], target)


def is_one_pass(target: object) -> TypeIs[Iterable[object]]:
    """True for what can be gone through only once, or has no length: iterators, and data sets that are streamed."""
    if isinstance(target, str | os.PathLike | Source | Mapping | bytes) or callable(getattr(target, "read", None)):
        return False
    return isinstance(target, Iterable) and not hasattr(target, "__len__")


def sources_of_values(values: Iterable[object], reader: Reader | None = None) -> Iterator[Source]:
    """Go through an iterable once, and give its sounds as sources of a few hundred clips, or 64 MB, each."""
    some: list[object] = []
    first, held = 0, 0
    for value in values_of(values):
        if len(some) >= _AT_ONCE or held > _BYTES_AT_ONCE:
            yield _part(some, first, reader)
            first, held, some = first + len(some), 0, []
        held += size_of(value)
        some.append(value)
    if some:
        yield _part(some, first, reader)


def _part(values: Sequence[object], first: int, reader: Reader | None) -> Source:
    return Source.of(clips_of_values(values, lambda place: open_source(place).clips, first), reader)


def each_channel(source: Source) -> Source:
    """Every channel of every clip as a clip of its own, named `NAME#0` and so on, with a column `channel`.

    Clips that are one channel already, or whose channels cannot be told, stay what they are: reading them says why.
    """
    counts: dict[tuple[str | Path, Part | None], int] = {}

    def parts(clip: ClipReference) -> Iterator[ClipReference]:
        file = clip.location, clip.part
        if clip.channel is None and file not in counts:
            counts[file] = _channels_of(clip, source.reader)
        count = 0 if clip.channel is not None else counts[file]
        if not count:
            yield clip
        for channel in range(count):
            yield clip.piece(None, channel)

    return replace(source, clips=tuple(part for clip in source for part in parts(clip)))


def _channels_of(clip: ClipReference, reader: Reader) -> int:
    try:
        return reader.channel_count(clip)
    except AudioError:
        return 0


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
