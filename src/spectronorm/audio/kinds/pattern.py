"""Source kind of a pattern: wildcards of the shell, and braces such as `train-{000..011}.tar`."""

from __future__ import annotations

import glob
import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind, kind_of
from spectronorm.audio.places.archive import clean_name, is_archive, list_shard
from spectronorm.audio.places.folder import list_folder
from spectronorm.audio.places.place import is_url
from spectronorm.audio.places.reference import ClipReference, label_columns
from spectronorm.audio.places.suffixes import is_audio, suffix_of
from spectronorm.errors import SourceError

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,12})\.\.(\d{1,12})")
_MOST = 1 << 20


@SOURCES.register("pattern")
class Pattern(SourceKind):
    """Audio files, archives and folders by a pattern; folders below the pattern's fixed part are labels."""

    takes: ClassVar[str] = "a pattern such as 'clips/*.wav' or 'train-{000..011}.tar'"

    @override
    def matches(self, place: str) -> bool:
        if os.path.lexists(place):
            return False
        braces = _BRACES.search(place) is not None
        return braces or (glob.has_magic(place) and not is_url(place))

    @override
    def clips(self, place: str) -> list[ClipReference]:
        places = [found for one in expanded(place) for found in _globbed(one)]
        root = _fixed_part(place)
        unread: Counter[str] = Counter()
        clips = [clip for one in dict.fromkeys(places) for clip in _clips_of(one, root, unread)]
        self.unread = dict(sorted(unread.items()))
        if not places:
            raise SourceError(f"{place}: no file has a name like this; check the pattern")
        return clips


def _clips_of(place: str, root: str, unread: Counter[str]) -> Iterator[ClipReference]:
    if is_archive(place) and (is_url(place) or not Path(place).is_dir()):
        yield from list_shard(place, is_audio, unread)
        return
    if is_url(place):
        raise SourceError(f"{place}: only archives can be given by a pattern of URLs; give the URL of the folder")
    path = Path(place)
    if path.is_dir():
        listed = list_folder(path, is_audio)
        unread.update(listed.unread)
        files = listed.files
    elif is_audio(path.name):
        files = (path,)
    else:
        yield from _listed_in(place, unread)
        return
    for file in files:
        name = clean_name(os.path.relpath(file, root or os.curdir))
        yield replace(ClipReference(name, file), columns=label_columns(name))


def _listed_in(place: str, unread: Counter[str]) -> Iterator[ClipReference]:
    """The clips of a manifest or table; any other file is counted as not read."""
    kind = kind_of(place)()
    if SOURCES.name_of(kind) == "file":
        unread[suffix_of(place)] += 1
        return
    yield from kind.clips(place)
    unread.update(kind.unread)


def _fixed_part(place: str) -> str:
    """The folder up to the first wildcard or brace."""
    at = re.search(r"[*?\[{]", place)
    return os.path.dirname(place[: at.start()] if at else place)  # noqa: PTH120


def _globbed(place: str) -> list[str]:
    if is_url(place) or not glob.has_magic(place):
        return [place]
    return sorted(glob.glob(place, recursive=True))  # noqa: PTH207


def expanded(place: str) -> list[str]:
    """The places of a pattern with braces: numbers from one to another, with zeros in front, or a list.

    Raises:
        SourceError: if there are more than a million.

    >>> expanded("s-{08..10}.tar"), expanded("{a,b}.wav")
    (['s-08.tar', 's-09.tar', 's-10.tar'], ['a.wav', 'b.wav'])
    """
    parts = _BRACES.split(place)
    choices = [[part] if number % 2 == 0 else _values(part) or [f"{{{part}}}"] for number, part in enumerate(parts)]
    if math.prod(map(len, choices)) > _MOST:
        raise SourceError(f"{place}: stands for more than {_MOST} places")
    return ["".join(chosen) for chosen in product(*choices)]


def _values(inside: str) -> list[str] | None:
    match = _RANGE.fullmatch(inside)
    if match is None:
        return inside.split(",") if "," in inside else None
    first, last = int(match[1]), int(match[2])
    if abs(last - first) > _MOST:
        return [""] * (_MOST + 1)
    step = 1 if last >= first else -1
    width = len(match[1]) if match[1].startswith("0") or len(match[1]) == len(match[2]) else 0
    return [f"{number:0{width}d}" for number in range(first, last + step, step)]
