"""Source kind of one audio file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.decoding.containers.container import look
from spectronorm.audio.decoding.containers.foreign import foreign
from spectronorm.audio.decoding.containers.view import FileBytes
from spectronorm.audio.decoding.decode import header_of, open_regular
from spectronorm.audio.kinds.manifest import known_manifests
from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.manifests.table import TABLE_SUFFIXES
from spectronorm.audio.places.reference import ClipReference
from spectronorm.audio.places.suffixes import AUDIO_SUFFIXES
from spectronorm.errors import AudioError, SourceError


@SOURCES.register("file")
class File(SourceKind):
    """One clip: a file with a known suffix, and every place that no other kind takes."""

    takes: ClassVar[str] = "an audio file"
    suffixes: ClassVar[tuple[str, ...]] = tuple(sorted(AUDIO_SUFFIXES))

    @override
    def matches(self, place: str) -> bool:
        return place.lower().endswith(self.suffixes) and Path(place).is_file()

    @override
    def clips(self, place: str) -> list[ClipReference]:
        path = Path(place)
        if not os.path.lexists(path):
            raise SourceError(f"{path}: there is no such file or folder; check the path")
        if path.suffix.lower() not in AUDIO_SUFFIXES and not _may_be_audio(path):
            raise SourceError(
                f"{path}: is neither audio nor a table or manifest that is known ({known_manifests()}; tables are "
                f"{', '.join(TABLE_SUFFIXES)} with a column path); files of spectrograms are measured with fit --levels"
            )
        return [ClipReference(path.name, path)]


def _may_be_audio(path: Path) -> bool:
    """False for a file of which no decoder knows the beginning; reading tells what is wrong with all others."""
    try:
        descriptor = open_regular(path)
    except AudioError:
        return True
    try:
        look(descriptor)  # A container that is known and damaged is audio, of which reading tells the damage.
        return foreign(FileBytes(descriptor)) is not None or header_of(descriptor)[0] > 0
    except AudioError:
        return True
    finally:
        os.close(descriptor)
