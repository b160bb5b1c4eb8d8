"""Several labels of one clip in one column, with a separator between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Integers
from spectronorm.audio import ClipReference, Source
from spectronorm.errors import ArgumentError, SourceError


def names_of(clip: ClipReference, label: str, separator: str) -> tuple[str, ...]:
    """Return the labels of a clip, each once; none if the column is empty or not there.

    Args:
        clip: The clip.
        label: The column of labels.
        separator: Text between two labels; "" if the column holds one label.
    """
    text = clip.columns.get(label, "")
    parts = text.split(separator) if separator else [text]
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def read_labels(source: Source, label: str, separator: str) -> tuple[tuple[str, ...], Integers]:
    """Return the names of the classes in order, and zeros and ones `(clip, class)`.

    Clips without a label are of no class, which a sound event may be.

    Raises:
        ArgumentError: if the separator is empty space.
        SourceError: if no clip has a label.
    """
    if not separator.strip():
        raise ArgumentError(f"separator={separator!r} must be the text between two labels, such as ;")
    found = [names_of(clip, label, separator) for clip in source]
    classes = tuple(sorted({name for names in found for name in names}))
    if not classes:
        known = ", ".join(source.column_names()) or "none"
        raise SourceError(f"no clip has a {label}; name the column with --label COLUMN (the columns are: {known})")
    return classes, marked(found, classes)


def marked(found: list[tuple[str, ...]], classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Return a one for each class of each clip, `(clip, class)`."""
    number = {name: index for index, name in enumerate(classes)}
    labels = np.zeros((len(found), len(classes)), dtype=np.int64)
    for row, names in enumerate(found):
        labels[row, [number[name] for name in names]] = 1
    return labels
