"""Sources at fsspec URLs: one object, everything below a prefix, or archives, read member by member."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from spectronorm.audio.places.archive import clean_name, is_archive, list_archive, list_shard
from spectronorm.audio.places.place import file_system
from spectronorm.audio.places.reference import ClipReference, Part, label_columns
from spectronorm.errors import SourceError


def list_remote(url: str, wanted: Callable[[str], bool], unread: Tally[str] | None = None) -> list[ClipReference]:
    """List the clips at `url`: names relative to the URL, the first subfolder as label; `unread` as in `list_archive`.

    Raises:
        SourceError: if there is nothing at the URL, or it cannot be listed.
        MissingExtra: if fsspec or the protocol's own package is missing.
    """
    if is_archive(url):
        return list_archive(url, wanted, unread=unread)
    system, root = file_system(url)
    try:
        found = sorted(str(path) for path in system.find(root))
    except Exception as error:  # Each remote file system has its own errors.
        raise SourceError(f"{url}: cannot be listed ({error}); check the URL and your access to it") from None
    if found == [root]:
        return [ClipReference(clean_name(PurePosixPath(root).name), Path(root), part=_object(system, root))]
    relative = {path: path.removeprefix(root).lstrip("/") for path in found}
    shards = {path: name for path, name in relative.items() if is_archive(name) and "/" not in name}
    others = {path: name for path, name in relative.items() if path not in shards}
    clips = [_reference(system, path, name) for path, name in others.items() if wanted(name)]
    if clips:
        for name in shards.values():
            wanted(name)  # which counts what is not read
        return clips
    return [clip for shard in shards for clip in list_shard(system.unstrip_protocol(shard), wanted, unread)]


def _reference(system: object, path: str, name: str) -> ClipReference:
    cleaned = clean_name(name)
    return ClipReference(cleaned, Path(path), label_columns(cleaned), _object(system, path))


def _object(system: object, path: str) -> Part:
    return Part(system.unstrip_protocol(path))  # type: ignore[attr-defined]
