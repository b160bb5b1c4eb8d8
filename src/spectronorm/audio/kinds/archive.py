"""Source kind of a tar or zip archive, read member by member."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.archive import ARCHIVE_SUFFIXES, list_archive
from spectronorm.audio.places.reference import ClipReference
from spectronorm.audio.places.suffixes import AudioNames


@SOURCES.register("archive")
class Archive(SourceKind):
    """Audio in an archive, never extracted; the first folder is the label, small files beside a clip are columns."""

    takes: ClassVar[str] = "a .tar or .zip archive"
    suffixes: ClassVar[tuple[str, ...]] = ARCHIVE_SUFFIXES

    @override
    def clips(self, place: str) -> list[ClipReference]:
        names = AudioNames()
        listed = list_archive(place, names, unread=names.unread)
        self.unread = dict(sorted(names.unread.items()))
        return listed
