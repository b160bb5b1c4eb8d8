"""Source kind of an fsspec URL: one object, every object below a prefix, or archives."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.place import is_url
from spectronorm.audio.places.reference import ClipReference
from spectronorm.audio.places.remote import list_remote
from spectronorm.audio.places.suffixes import AudioNames


@SOURCES.register("url")
class Url(SourceKind):
    """Clips at a URL (extra `remote`), named relative to it."""

    takes: ClassVar[str] = "an fsspec URL"

    @override
    def matches(self, place: str) -> bool:
        return is_url(place)

    @override
    def clips(self, place: str) -> list[ClipReference]:
        names = AudioNames()
        listed = list_remote(place, names, names.unread)
        self.unread = dict(sorted(names.unread.items()))
        return listed
