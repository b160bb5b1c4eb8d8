"""Source kind of a folder of audio, or of archives that are its shards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.kinds.suffixes import AudioNames, is_audio, suffix_of
from spectronorm.audio.places.archive import is_archive, list_shard
from spectronorm.audio.places.folder import list_folder
from spectronorm.audio.places.reference import ClipReference, label_columns


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
        listed = list_folder(root, is_audio)
        self.unread = listed.unread
        for path in listed.files:
            name = path.relative_to(root).as_posix()
            clips.append(ClipReference(name, path, label_columns(name)))
        if clips:
            return clips
        names = AudioNames()
        members = [clip for shard in shards for clip in list_shard(str(shard), names)]
        beside = Counter(self.unread) - Counter(suffix_of(shard.name) for shard in shards)
        self.unread = dict(sorted((beside + names.unread).items()))
        return members
