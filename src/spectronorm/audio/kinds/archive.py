"""Source kind of a tar or zip archive, read member by member."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.archive import is_archive, list_archive
from spectronorm.audio.places.reference import ClipReference
from spectronorm.audio.places.suffixes import AudioNames


@SOURCES.register("archive")
class Archive(SourceKind):
    """Audio in an archive, never extracted; the first folder is the label, small files beside a clip are columns."""

    takes: ClassVar[str] = "a .tar or .zip archive"

    @override
    def matches(self, place: str) -> bool:
        return is_archive(Path(place).name) and Path(place).is_file()

    @override
    def clips(self, place: str) -> list[ClipReference]:
        names = AudioNames()
        listed = list_archive(place, names, unread=names.unread)
        self.unread = dict(sorted(names.unread.items()))
        return listed
