"""Contract of a source kind: the places that it takes, and the clips that it finds there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from spectronorm.audio.places.reference import ClipReference
from spectronorm.registry import Registry


class SourceKind(ABC):
    """Lists the clips of a source, given by text (a path, a URL), as references; nothing is decoded yet."""

    takes: ClassVar[str] = ""
    """Description of the places that the kind takes, for help texts, such as `a folder`."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    """Lower-case ends of the names of files that the kind takes."""

    unread: Mapping[str, int] = MappingProxyType({})
    """Number of files of a folder that are not read, by suffix; known when the clips are listed."""

    def matches(self, place: str) -> bool:
        """Return true if this kind takes the place, by default a file with one of the `suffixes`, or a missing one.

        Check only the name and the file system, which is cheap.
        """
        return place.lower().endswith(self.suffixes) and (Path(place).is_file() or not Path(place).exists())

    @abstractmethod
    def clips(self, place: str) -> list[ClipReference]:
        """List the clips at a place that matches.

        Raises:
            SourceError: if the place cannot be listed.
        """


SOURCES: Registry[SourceKind] = Registry("sources", "source kind", SourceKind, settings=False)
"""Every source kind by name. Plug-ins are tried before the built-in kinds, in the order of their imports."""
