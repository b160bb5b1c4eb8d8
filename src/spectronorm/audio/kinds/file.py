"""Source kind of one audio file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import SourceError


@SOURCES.register("file")
class File(SourceKind):
    """One clip with any suffix: this kind takes every place that no other kind takes."""

    takes: ClassVar[str] = "an audio file"

    @override
    def matches(self, place: str) -> bool:
        return True

    @override
    def clips(self, place: str) -> list[ClipReference]:
        path = Path(place)
        if not os.path.lexists(path):
            raise SourceError(f"{path}: there is no such file or folder; check the path")
        return [ClipReference(path.name, path)]
