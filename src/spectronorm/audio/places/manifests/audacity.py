"""Labels of Audacity: begin, end and text with tabs between, about the recording with the name of the file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.manifests.beside import recording_of
from spectronorm.audio.places.manifests.manifest import MANIFESTS, Listing, Manifest, ManifestRow
from spectronorm.audio.places.manifests.text import lines_of
from spectronorm.audio.places.reference import Span
from spectronorm.errors import SourceError

_POINTS = "labels of a point"


@MANIFESTS.register("audacity")
class Audacity(Manifest):
    """Labels of sections; labels of points, whose begin is their end, are counted and left out."""

    takes: ClassVar[str] = "Audacity labels"

    @override
    def matches(self, path: Path, head: str) -> bool:
        lines = [line for line in head.lstrip("\ufeff").splitlines()[:20] if line and not line.startswith("\\")]
        whole = lines if len(lines) < 2 else lines[:-1]
        return bool(whole) and all(_times(line) is not None for line in whole)

    @override
    def read(self, path: Path) -> Listing:
        skipped: Counter[str] = Counter()
        return Listing(_rows(path, skipped), (path.parent,), (path,), skipped)


def _times(line: str) -> tuple[float, float, str] | None:
    parts = line.split("\t")
    if len(parts) not in (2, 3):
        return None
    try:
        # Audacity writes the comma of some languages.
        begin, end = (float(part.strip().replace(",", ".")) for part in parts[:2])
    except ValueError:
        return None
    return begin, end, parts[2].strip() if len(parts) == 3 else ""


def _rows(path: Path, skipped: Counter[str]) -> Iterator[ManifestRow]:
    recording = recording_of(path)
    for number, line in enumerate(lines_of(path), start=1):
        if not line.strip() or line.startswith("\\"):  # the frequencies of the label above
            continue
        found = _times(line)
        if found is None or math.isnan(found[0] + found[1]):
            raise SourceError(f"{path}: line {number} is {line[:80]!r}, but a label is two times and a text, with tabs")
        begin, end, text = found
        if begin == end:
            skipped[_POINTS] += 1
            continue
        yield ManifestRow(recording, text_columns({"label": text}), Span(begin, end))
