"""The contract of a source kind: which targets it takes, and the clips that it finds there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from spectronorm.audio.places.reference import ClipReference
from spectronorm.registry import Registry


class SourceKind(ABC):
    """Turns the text that names a source (a path, a URL) into references to its clips; nothing is decoded yet."""

    takes: ClassVar[str] = ""
    """What it takes, for help texts, such as `a folder`."""

    @abstractmethod
    def matches(self, place: str) -> bool:
        """True if this kind takes the place; only cheap looks at the name and the file system are in order."""

    @abstractmethod
    def clips(self, place: str) -> list[ClipReference]:
        """The clips at a place that matches; raises `SourceError` when it cannot be listed."""


SOURCES: Registry[SourceKind] = Registry("sources", "source kind", SourceKind, settings=False)
"""Every source kind by name. Plug-ins are asked before the built-in kinds, and those in the order of their imports."""
