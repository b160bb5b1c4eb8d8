"""Source kind of a folder of audio, or of archives that are its shards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.archive import is_archive, list_shard
from spectronorm.audio.places.folder import list_folder
from spectronorm.audio.places.manifests.hugging_face import has_audio, is_parquet, list_rows
from spectronorm.audio.places.reference import ClipReference, label_columns
from spectronorm.audio.places.suffixes import AudioNames, is_audio, suffix_of


@SOURCES.register("folder")
class Folder(SourceKind):
    """Audio files in a folder, with the first subfolder as label; else archives; else Parquet files with audio."""

    takes: ClassVar[str] = "a folder"

    @override
    def matches(self, place: str) -> bool:
        return Path(place).is_dir()

    @override
    def clips(self, place: str) -> list[ClipReference]:
        root = Path(place)
        listed = list_folder(root, is_audio)
        self.unread = listed.unread
        files = zip(listed.names, listed.files, strict=True)
        clips = [ClipReference(name, path, label_columns(name)) for name, path in files]
        return clips or self._of_shards(root) or self._of_parquet(root)

    def _of_shards(self, root: Path) -> list[ClipReference]:
        shards = sorted(path for path in root.iterdir() if is_archive(path.name) and not path.name.startswith("."))
        names = AudioNames()
        members = [clip for shard in shards for clip in list_shard(str(shard), names, names.unread)]
        if members:
            beside = Counter(self.unread) - Counter(suffix_of(shard.name) for shard in shards)
            self.unread = dict(sorted((beside + names.unread).items()))
        return members

    def _of_parquet(self, root: Path) -> list[ClipReference]:
        files = [path for path in list_folder(root, is_parquet).files if has_audio(path)]
        if files:
            self.unread = dict(sorted((Counter(self.unread) - Counter({".parquet": len(files)})).items()))
        return list_rows(root, files)
