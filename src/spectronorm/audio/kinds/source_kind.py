"""Contract of a source kind: the places that it takes, and the clips that it finds there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import PluginError, SpectronormError
from spectronorm.registry import Registry, is_built_in


class SourceKind(ABC):
    """Lists the clips of a source, given by text (a path, a URL), as references; nothing is decoded yet.

    >>> import spectronorm as sn
    >>> sn.audio.SOURCES.classes()["table"].takes
    'a .csv, .tsv, .jsonl or .parquet table with a column path'
    """

    takes: ClassVar[str] = ""
    """Description of the places that the kind takes, for help texts, such as `a folder`."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    """Lower-case ends of the names of files that the kind takes."""

    unread: Mapping[str, int] = MappingProxyType({})
    """Number of files of a folder that are not read, by suffix; known when the clips are listed."""

    listing: Sequence[str] = ()
    """Files besides the clips that say which clips there are; known when the clips are listed."""

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


def kind_of(place: str) -> type[SourceKind]:
    """Return the kind that takes the place: a plug-in's kind, or else the first built-in kind, or else `file`."""
    classes = SOURCES.classes()
    matching = [name for name, cls in classes.items() if not is_built_in(cls) and _takes(name, cls, place)]
    if len(matching) > 1:
        both = " and ".join(f"{name} ({SOURCES.plugin_of(name)})" for name in matching)
        raise PluginError(f"{place}: the source kinds {both} both take it; uninstall one of them")
    if matching:
        return classes[matching[0]]
    file = classes["file"]
    if file().matches(place):  # first, since the other kinds look for files beside the place and in it
        return file
    return next((cls for cls in classes.values() if is_built_in(cls) and cls().matches(place)), file)


def _takes(name: str, cls: type[SourceKind], place: str) -> bool:
    """Ask a plug-in's kind."""
    try:
        return cls().matches(place)
    except SpectronormError:
        raise
    except Exception as error:
        plugin = SOURCES.plugin_of(name)
        raise PluginError(f"{place}: the source kind {name} of {plugin} fails ({error}); uninstall it") from None
