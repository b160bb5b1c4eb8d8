"""Source kind of a folder of audio, or of archives that are its shards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.kinds.suffixes import AUDIO_SUFFIXES, is_audio
from spectronorm.audio.places.archive import is_archive, list_shard
from spectronorm.audio.places.reference import ClipReference, label_columns
from spectronorm.errors import SourceError


@SOURCES.register("folder")
class Folder(SourceKind):
    """Audio files in a folder, with the first subfolder as label; archives, if there is no audio file."""

    takes: ClassVar[str] = "a folder"

    @override
    def matches(self, place: str) -> bool:
        return Path(place).is_dir()

    @override
    def clips(self, place: str) -> list[ClipReference]:
        root = Path(place)
        clips = []
        shards = sorted(path for path in root.iterdir() if is_archive(path.name) and not path.name.startswith("."))
        for path in _walk(root, ()):
            name = path.relative_to(root).as_posix()
            clips.append(ClipReference(name, path, label_columns(name)))
        return clips or [clip for shard in shards for clip in list_shard(str(shard), is_audio)]


def _walk(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    """Yield the audio files below `folder`; `above` are its parent folders, so that a circle of links ends."""
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
    except OSError:  # A link that leads to itself.
        return False
