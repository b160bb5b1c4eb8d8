"""Playlists as sources."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from spectronorm.audio import ClipReference, SourceKind
from spectronorm.errors import SourceError


class Playlist(SourceKind):
    """The files that an `.m3u` playlist lists, one a line; its folder is where relative names begin."""

    takes: ClassVar[str] = "an .m3u playlist"

    def matches(self, place: str) -> bool:
        """True for files that end in `.m3u`."""
        return place.lower().endswith(".m3u") and Path(place).is_file()

    def clips(self, place: str) -> list[ClipReference]:
        """One clip a line that is no comment."""
        path = Path(place)
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{path}: cannot be read as a playlist ({error}); write it as UTF-8 text") from None
        names = [line for line in lines if line and not line.startswith("#")]
        return [
            ClipReference(f"{number:04d}/{Path(name).name}", path.parent / name)
            for number, name in enumerate(names, start=1)
        ]
