"""Recordings of tables that do not name them: the audio file beside a table that has its name."""

from __future__ import annotations

import re
from pathlib import Path

from spectronorm.audio.places.suffixes import is_audio
from spectronorm.errors import SourceError

_ENDINGS = re.compile(r"(?i)\.(table\.|selections|selection\.|birdnet|results|label|txt$|csv$|tsv$).*")


def recording_of(table: Path) -> str:
    """The name of the audio file that a table is about, in the table's folder.

    Raises:
        SourceError: if there is none, or more than one.

    >>> _ENDINGS.sub("", "site1.Table.1.selections.txt"), _ENDINGS.sub("", "a.b.txt")
    ('site1', 'a.b')
    """
    stem = _ENDINGS.sub("", table.name)
    try:
        names = [path.name for path in table.parent.iterdir() if is_audio(path.name)]
    except OSError as error:
        raise SourceError(f"{table.parent}: cannot be listed ({error.strerror}); check its permissions") from None
    found = [name for name in names if stem in (name, name.rpartition(".")[0])]
    if len(found) != 1:
        there = "no recording" if not found else f"{len(found)} recordings ({', '.join(sorted(found)[:4])})"
        raise SourceError(
            f"{table}: names no recording, and {there} with the name {stem!r} beside it; put one there, or add a "
            "column with the recording's path"
        )
    return found[0]
