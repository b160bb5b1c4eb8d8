"""Source kind of manifests, recognized by their content."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Set
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.archive import is_archive
from spectronorm.audio.places.folder import list_folder
from spectronorm.audio.places.manifests import MANIFESTS
from spectronorm.audio.places.manifests.joined import clips_of_rows
from spectronorm.audio.places.manifests.manifest import Manifest
from spectronorm.audio.places.manifests.text import head_of
from spectronorm.audio.places.place import is_url
from spectronorm.audio.places.reference import ClipReference
from spectronorm.audio.places.suffixes import AUDIO_SUFFIXES, suffix_of
from spectronorm.errors import SourceError


@SOURCES.register("manifest")
class ManifestSource(SourceKind):
    """Clips that a manifest lists: whole files, sections of recordings, or channels of them."""

    takes: ClassVar[str] = "a manifest (Kaldi, Lhotse, NeMo, SpeechBrain, Common Voice, AudioFolder, Raven, Audacity)"

    @override
    def matches(self, place: str) -> bool:
        return _manifest_of(place) is not None

    @override
    def clips(self, place: str) -> list[ClipReference]:
        path, manifest = Path(place), _manifest_of(place)
        if manifest is None:
            raise SourceError(f"{place}: is not a known manifest ({known_manifests()})")
        listing = manifest.read(path)
        rows = list(listing.rows)
        self.listing = tuple(str(file) for file in listing.files)
        if not rows:
            raise SourceError(f"{place}: lists no clip (it was read as {manifest.takes})")
        clips = clips_of_rows(rows, listing.folders)
        unread = Counter(listing.skipped)
        if path.is_dir():
            read = {str(clip.location) if clip.part is None else clip.part.place for clip in clips}
            unread.update(_others(path, {*read, *self.listing}))
        self.unread = dict(sorted(unread.items()))
        return clips


def _others(folder: Path, read: Set[str]) -> Iterator[str]:
    """The suffixes of files of a folder that are neither clips nor parts of the manifest."""
    known = {os.path.abspath(path) for path in read}  # noqa: PTH100  (links stay what they are called)
    for path in list_folder(folder, lambda _: True).files:
        if os.path.abspath(path) not in known:  # noqa: PTH100
            yield suffix_of(path.name)


def _manifest_of(place: str) -> Manifest | None:
    """The kind of manifest at a place; None for audio, and for everything that is none."""
    if is_url(place):
        return None
    path = Path(place)
    if (path.suffix.lower() in AUDIO_SUFFIXES or is_archive(path.name)) and not path.is_dir():
        return None
    head = head_of(path)
    return next((kind for kind in (cls() for cls in MANIFESTS.classes().values()) if kind.matches(path, head)), None)


def known_manifests() -> str:
    """The kinds of manifests that are recognized, for messages."""
    return ", ".join(cls.takes for cls in MANIFESTS.classes().values())
