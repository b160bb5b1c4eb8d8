"""Labelled levels of a source, as a model's front end makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Integers
from spectronorm.audio import Source
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError
from spectronorm.experiment.clips.levels import Waves, usual_seconds
from spectronorm.experiment.clips.several_labels import marked, names_of
from spectronorm.front_end import FrontEnd
from spectronorm.passes.fit import fit
from spectronorm.profile.bad_files import BadFile
from spectronorm.profile.groups import GROUP_COLUMNS
from spectronorm.runs.progress import Progress, silent
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True, eq=False)
class LabelledLevels:
    """Levels with the class and the recording of each clip.

    Attributes:
        levels: Array `(clip, band, frame)`.
        labels: Index of each clip's class among the model's outputs; with several labels a clip zeros and ones,
            `(clip, class)`.
        groups: Recording or speaker of each clip.
        classes: Names of the classes in the order of the model's outputs, for messages.

    Raises:
        ArgumentError: if the three do not fit, or if the clips are of one class or of one group, or all alike.

    >>> import numpy as np
    >>> levels = np.random.default_rng(0).normal(-40.0, 10.0, (6, 4, 20)).astype(np.float32)
    >>> clips = LabelledLevels(levels, labels=[0, 1] * 3, groups=list("aabbcc"))
    >>> len(clips.labels), len(set(clips.groups))
    (6, 3)
    """

    levels: NDArray[np.float32]
    labels: Sequence[int] | Integers
    groups: Sequence[str]
    classes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.levels.ndim != 3 or not len(self.levels) == len(self.labels) == len(self.groups):
            raise ArgumentError(
                f"levels {self.levels.shape}, {len(self.labels)} labels and {len(self.groups)} groups do not fit: "
                "(clip, band, frame) and one label and group for each clip are needed"
            )
        if len(np.unique(np.asarray(self.labels), axis=0)) < 2:
            raise ArgumentError("all clips are of one class, so no error of the statistics can show in the accuracy")
        if self.levels.size and self.levels.min() == self.levels.max():
            raise ArgumentError(
                f"all levels are {self.levels.flat[0]:g}, as those of digital silence, so no statistics can be measured"
            )
        if len(set(self.groups)) < 2:
            raise ArgumentError("all clips are of one recording or speaker; two or more are needed for an interval")


def labelled_levels(
    source: Source,
    front_end: FrontEnd,
    cache: Path,
    *,
    label: str = "label",
    group: str | None = None,
    classes: Sequence[str] = (),
    duration: float | None = None,
    max_bad: float = 0.01,
    separator: str = "",
    progress: Progress = silent,
) -> tuple[LabelledLevels, tuple[BadFile, ...]]:
    """Return the levels of all readable clips with their labels and groups, and the bad files.

    Args:
        source: Clips with a column of classes.
        front_end: Front end of the model.
        cache: Folder for decoded clips.
        label: Column of the class.
        group: Column of the recording or speaker; by default the first of `GROUP_COLUMNS`, else each clip alone.
        classes: Classes of the model in the order of its outputs; by default the source's classes in order.
        duration: Length of each clip in seconds; by default the median length.
        max_bad: Largest share of bad files.
        separator: Text between several labels of one clip; "" if each has one.
        progress: Called with the number of measured clips and their total.

    Raises:
        ArgumentError: if a column is missing, if a class is named twice, or if the model does not know a label.
        BadFilesError: if more files are bad than `max_bad` allows.
    """
    columns = source.column_names()
    for name in (label, *([] if group is None else [group])):
        if name not in columns:
            raise ArgumentError(f"column {name!r} is not there; the columns are {', '.join(columns) or 'none'}")
    if "" in classes:
        raise ArgumentError(f"classes={','.join(classes)!r} has an empty name; name each output of the model")
    if twice := sorted({name for name in classes if list(classes).count(name) > 1}):
        raise ArgumentError(f"classes={','.join(classes)!r} has {twice[0]!r} twice; name each output of the model once")
    group = next((name for name in GROUP_COLUMNS if name in columns), None) if group is None else group
    seconds = usual_seconds(source, front_end, cache) if duration is None else duration
    bad = fit(source, front_end, duration=seconds, max_bad=max_bad, progress=progress).bad
    left_out = {file.path for file in bad}
    source = replace(source, clips=tuple(clip for clip in source.clips if clip.name not in left_out))
    found = [names_of(clip, label, separator) for clip in source]
    if without := [clip.name for clip, names in zip(source, found, strict=True) if not names and not separator]:
        raise ArgumentError(f"{len(without)} of {len(found)} clips have no {label}; {without[0]} is the first")
    present = {name for names in found for name in names}
    known = tuple(classes) or tuple(sorted(present))
    if unknown := sorted(present - set(known)):
        raise ArgumentError(f"the model does not know the label {unknown[0]!r}; its classes are {', '.join(known)}")
    if group is not None and (alone := [clip.name for clip in source if group not in clip.columns]):
        raise ArgumentError(
            f"groups {group!r}: {len(alone)} of {counted(len(found), 'clip')} have nothing in this column, such as "
            f"{alone[0]}; fill it, or choose another with --group"
        )
    groups = [clip.name if group is None else clip.columns[group] for clip in source]
    levels = Waves(source, seconds, cache).levels(front_end)
    labels = marked(found, known) if separator else np.array([known.index(names[0]) for names in found])
    return LabelledLevels(levels, labels, groups, known), bad
