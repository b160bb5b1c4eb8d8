"""Contract of a source kind: the places that it takes, and the clips that it finds there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import PluginError, SpectronormError
from spectronorm.registry import Registry


class SourceKind(ABC):
    """Lists the clips of a source, given by text (a path, a URL), as references; nothing is decoded yet."""

    takes: ClassVar[str] = ""
    """Description of the places that the kind takes, for help texts, such as `a folder`."""

    unread: Mapping[str, int] = MappingProxyType({})
    """Number of files of a folder that are not read, by suffix; known when the clips are listed."""

    listing: Sequence[str] = ()
    """Files besides the clips that say which clips there are; known when the clips are listed."""

    @abstractmethod
    def matches(self, place: str) -> bool:
        """Return true if this kind takes the place; check only the name and the file system, which is cheap."""

    @abstractmethod
    def clips(self, place: str) -> list[ClipReference]:
        """List the clips at a place that matches.

        Raises:
            SourceError: if the place cannot be listed.
        """


SOURCES: Registry[SourceKind] = Registry("sources", "source kind", SourceKind, settings=False)
"""Every source kind by name. Plug-ins are tried before the built-in kinds, in the order of their imports."""


def kind_of(place: str) -> type[SourceKind]:
    """Return the kind that takes the place: a plug-in's kind, or else the first built-in kind."""
    classes = SOURCES.classes()
    matching = [name for name, cls in classes.items() if _takes(name, cls, place)]
    plugged = [name for name in matching if SOURCES.plugin_of(name) is not None]
    if len(plugged) > 1:
        both = " and ".join(f"{name} ({SOURCES.plugin_of(name)})" for name in plugged)
        raise PluginError(f"{place}: the source kinds {both} both take it; uninstall one of them")
    return classes[(plugged or matching)[0]]


def _takes(name: str, cls: type[SourceKind], place: str) -> bool:
    try:
        return cls().matches(place)
    except Exception as error:
        plugin = SOURCES.plugin_of(name)
        if plugin is None or isinstance(error, SpectronormError):
            raise
        raise PluginError(f"{place}: the source kind {name} of {plugin} fails ({error}); uninstall it") from None
