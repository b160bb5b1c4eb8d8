"""Identifies the process that started a run, so that a remote worker can refuse work it would not reproduce exactly.

A worker on another machine may have other versions of the libraries that determine a sample's last bit, may not see the
files, or may see another folder under the given name. Each of these cases is refused before anything is read.
"""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spectronorm.audio import ClipReference, Source
from spectronorm.audio.places.place import file_system, is_url
from spectronorm.errors import EngineError, SpectronormError
from spectronorm.runs.lock import path_beside
from spectronorm.runs.versions import libraries

_PROBES = 3
_THERE = "install the same versions there, otherwise the result would depend on which machine ran it"


@dataclass(frozen=True)
class Origin:
    """Process that started a run.

    Attributes:
        machine: Its host name.
        process: Its process id.
        folder: Its working directory if any path of the run is relative, else None.
        libraries: Names and versions of the libraries that determine the result's bytes.
        places: A few of the files or URLs that are read, with their sizes (None for URLs).
        output: The folder that every worker writes into, or None.
        lock: Content of the lock file next to that folder.
    """

    machine: str
    process: int
    folder: str | None
    libraries: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, int | None], ...]
    output: Path | None
    lock: bytes

    @classmethod
    def of(cls, source: Source, output: Path | None = None) -> Origin:
        """Describe this process, before it reads a source and writes into a folder whose lock it holds."""
        places = [_place(clip) for clip in _spread(source.clips) if clip.part is None or clip.part.held is None]
        local = [place for place in places if not is_url(place)]
        paths = [Path(place) for place in local] if output is None else [*map(Path, local), output]
        return cls(
            machine=socket.gethostname(),
            process=os.getpid(),
            folder=None if all(path.is_absolute() for path in paths) else str(Path.cwd()),
            libraries=tuple(sorted(libraries().items())),
            places=tuple((place, _size(place)) for place in dict.fromkeys(places)),
            output=output,
            lock=b"" if output is None else _lock(output),
        )

    def require_same(self) -> None:
        """Check that this process would reproduce the run.

        Raises:
            EngineError: if it would not.
        """
        if (self.process, self.machine) != (os.getpid(), socket.gethostname()):
            problem = _problem(self)
            if problem is not None:
                raise EngineError(f"worker {os.getpid()} on {socket.gethostname()}: {problem}")


@functools.lru_cache(maxsize=16)
def _problem(origin: Origin) -> str | None:
    """Describe the difference of this process, if any; checked once in each process."""
    here = libraries()
    for name, version in origin.libraries:
        if here.get(name) != version:
            return f"has {name} {here.get(name)}, but the run was started with {version}; {_THERE}"
    if origin.folder is not None and origin.folder != str(Path.cwd()):
        return (
            f"works in {Path.cwd()}, but the run's paths are relative to {origin.folder}; give absolute paths, or "
            "start the workers in that folder"
        )
    for place, size in origin.places:
        problem = _unlike(place, size)
        if problem is not None:
            return problem
    if origin.output is not None and _lock(origin.output) != origin.lock:
        return f"{origin.output} is not the folder that it is at the run's origin; write into a shared file system"
    return None


def _unlike(place: str, size: int | None) -> str | None:
    """Describe the difference between a file here and at the origin; None if there is none."""
    if is_url(place):
        try:
            system, path = file_system(place)
            if "memory" in _protocols(system):
                return f"{place} lies in the memory of one process; put it where every worker can read it"
            system.info(path)
        except SpectronormError as error:
            return str(error)
        except Exception as error:  # Each remote file system has its own errors.
            return f"{place} cannot be read ({type(error).__name__}: {error}); give the workers access to it"
        return None
    found = _size(place)
    if size is not None and found != size:
        what = "is not there" if found is None else f"has {found} bytes, but {size} at the run's origin"
        return f"{place} {what}; put the source where every worker sees it under this name, or give a URL"
    return None


def _protocols(system: object) -> Sequence[str]:
    protocol: str | Sequence[str] = getattr(system, "protocol", "")
    return (protocol,) if isinstance(protocol, str) else protocol


def _spread(clips: Sequence[ClipReference]) -> list[ClipReference]:
    """Return the first, the middle and the last clip."""
    count = min(_PROBES, len(clips))
    return [clips[(len(clips) - 1) * i // max(1, count - 1)] for i in range(count)]


def _place(clip: ClipReference) -> str:
    return str(clip.location) if clip.part is None else clip.part.place


def _size(place: str) -> int | None:
    """Return the size of a file in bytes; None for URLs and missing files."""
    try:
        return None if is_url(place) else Path(place).stat().st_size
    except (OSError, ValueError):
        return None


def _lock(output: Path) -> bytes:
    try:
        return path_beside(output, "lock").read_bytes()
    except OSError:
        return b""
