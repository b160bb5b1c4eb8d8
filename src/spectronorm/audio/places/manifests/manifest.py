"""Contract of a manifest: a file or folder that lists clips, recognized by its content."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from spectronorm.audio.places.reference import Part, Span
from spectronorm.registry import Registry


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One clip that a manifest lists.

    Attributes:
        path: Path or URL of the recording, as the manifest has it.
        columns: Everything else that the manifest tells, as text.
        span: Section of the recording; None for the whole.
        channel: Channel of the recording, from 0; None for all.
        name: The manifest's own id of the clip; empty for a name by path and span.
        problem: Reason why the clip cannot be read; empty if it can be read.
        part: The bytes, if they lie in an archive.
    """

    path: str
    columns: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = None
    channel: int | None = None
    name: str = ""
    problem: str = ""
    part: Part | None = None


@dataclass(frozen=True)
class Listing:
    """Rows of a manifest.

    Attributes:
        rows: The rows, read as they are asked for.
        folders: Folders from which relative paths lead, in the order in which they are tried.
        files: Files that the rows are read from.
        skipped: Number of entries that are no clips, by kind; complete when the rows have been read.
    """

    rows: Iterable[ManifestRow]
    folders: Sequence[Path]
    files: Sequence[Path]
    skipped: Mapping[str, int] = field(default_factory=dict)


class Manifest(ABC):
    """A kind of manifest; each is one file, and one line in this package."""

    takes: ClassVar[str] = ""
    """Description for lists and messages, such as `NeMo JSONL`."""

    @abstractmethod
    def matches(self, path: Path, head: str) -> bool:
        """Return true for a manifest of this kind; `head` is the beginning of a text file, empty for anything else."""

    @abstractmethod
    def read(self, path: Path) -> Listing:
        """Open a manifest that matches.

        Raises:
            SourceError: if it cannot be read, here or while its rows are asked for.
        """


MANIFESTS: Registry[Manifest] = Registry("manifests", "manifest", Manifest, settings=False, extensible=False)
"""Every kind of manifest by name, in the order in which they are tried. Other packages add source kinds instead."""
