"""Labelled clips in folds, such that no recording is in both training and test data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import whole_number
from spectronorm.audio import ClipReference, Source
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, SourceError
from spectronorm.experiment.clips.several_labels import names_of, read_labels
from spectronorm.experiment.metrics.metric import truth_of
from spectronorm.profile.groups import GROUP_COLUMNS
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings

MADE_FOLD = "made_fold"
_TEST_SPLITS = ("test", "validation", "valid", "val")


@known_settings
@with_short_repr
@dataclass(frozen=True)
class LabelledClips:
    """Clips with a class, a fold and a group each.

    Attributes:
        source: The clips; the column `fold_column` holds the fold of each clip.
        classes: The names of the classes, in order.
        labels: The class index of each clip, `(clip,)`; with several labels a clip zeros and ones, `(clip, class)`.
        groups: The recording, speaker or clip that each clip belongs to: the unit of sampling.
        held_out: The folds that are tested, each by models trained on the other folds (for a split: on `train`).

    >>> import numpy as np, spectronorm as sn
    >>> wave = 0.1 * np.random.default_rng(0).standard_normal(8000)
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n in range(12)]
    >>> clips = sn.experiment.labelled_clips(sn.open_source(items))
    >>> clips.classes, clips.held_out, len(clips.test_clips("0")), len(clips.train_clips("0"))
    (('a', 'b'), ('0', '1', '2'), 4, 8)
    """

    source: Source
    fold_column: str
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    groups: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def several_labels(self) -> bool:
        """True if a clip may have several classes, or none."""
        return self.labels.ndim == 2

    def fold_of(self, index: int) -> str:
        """Return the fold of a clip."""
        return self.source.clips[index].columns[self.fold_column]

    def test_clips(self, fold: str) -> NDArray[np.int64]:
        """Return the indices of the clips of a fold."""
        return np.array([i for i in range(len(self.source)) if self.fold_of(i) == fold], dtype=np.int64)

    def train_clips(self, fold: str) -> NDArray[np.int64]:
        """Return the indices of the clips that models train on when `fold` is held out."""
        return np.array([i for i in range(len(self.source)) if self.fold_of(i) != fold], dtype=np.int64)


@known_keywords
def labelled_clips(
    source: Source,
    *,
    label: str = "label",
    folds: str | int | None = None,
    group: str | None = None,
    hold_out: Sequence[str] = (),
    separator: str = "",
) -> LabelledClips:
    """Read the labels, folds and groups of a source.

    Args:
        source: Clips with columns.
        label: The column of the class.
        folds: A column, or a number of folds to make; by default the column `fold`, then `split`, then 5 made folds.
        group: The column of the recording or speaker; by default the first of `GROUP_COLUMNS`, else each clip alone.
        hold_out: Test only these folds.
        separator: Text between several labels of one clip, such as `;`; by default a clip has one label.

    Raises:
        SourceError: if clips have no label.
        ArgumentError: if a column is missing, a group is in two folds, or a fold is too small to be tested.

    >>> import numpy as np, spectronorm as sn
    >>> wave = 0.1 * np.random.default_rng(0).standard_normal(8000)
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "speaker": n // 3} for n in range(12)]
    >>> clips = labelled_clips(sn.open_source(items), folds=2, group="speaker")
    >>> len(set(clips.groups)), clips.held_out
    (4, ('1', '2'))
    """
    if separator:
        read_labels(source, label, separator)
    else:
        _check_labels(source, label)
    group = next((name for name in GROUP_COLUMNS if name in source.column_names()), None) if group is None else group
    if group is not None:
        _require_column(source, group, "groups")
    if folds is None:
        folds = next((name for name in ("fold", "split") if name in source.column_names()), 5)
    if not isinstance(folds, str):
        folds = whole_number(folds, "folds", 2)
        source, folds = _with_made_folds(source, label, group, folds, separator), MADE_FOLD
    _require_column(source, folds, "folds")
    if folds == "split":
        source = _train_and_test(source)
    if separator:
        classes, labels = read_labels(source, label, separator)
    else:
        classes = tuple(sorted({clip.columns[label] for clip in source}))
        labels = np.array([classes.index(clip.columns[label]) for clip in source], dtype=np.int64)
    groups = tuple(clip.name if group is None else f"{group} {clip.columns[group]}" for clip in source)
    known = tuple(sorted({clip.columns[folds] for clip in source}, key=_natural))
    tested = tuple(name for name in known if not (folds == "split" and name == "train"))
    if unknown := [name for name in hold_out if name not in tested]:
        raise ArgumentError(f"hold out {unknown[0]!r}: there is no such fold; the folds are {', '.join(tested)}")
    if twice := [name for name in tested if list(hold_out).count(name) > 1]:
        raise ArgumentError(f"hold out {twice[0]!r}: is named twice; name each fold once")
    result = LabelledClips(source, folds, classes, labels, groups, tuple(hold_out) or tested)
    _check(result)
    return result


def without_clips(clips: LabelledClips, names: set[str]) -> LabelledClips:
    """Return the clips except those with these names, which cannot be used; raises as `labelled_clips` does."""
    keep = [i for i, clip in enumerate(clips.source) if clip.name not in names]
    result = replace(
        clips,
        source=replace(clips.source, clips=tuple(clips.source.clips[i] for i in keep)),
        labels=clips.labels[keep],
        groups=tuple(clips.groups[i] for i in keep),
    )
    _check(result)
    return result


def _check_labels(source: Source, label: str) -> None:
    missing = [clip.name for clip in source if label not in clip.columns]
    if missing:
        known = ", ".join(source.column_names()) or "none"
        raise SourceError(
            f"{len(missing)} of {len(source)} clips have no {label} ({missing[0]} is the first); put each class into a "
            f"folder of its name, or name the column with --label COLUMN (the columns are: {known})"
        )


def _require_column(source: Source, column: str, what: str) -> None:
    missing = sum(column not in clip.columns for clip in source)
    if missing:
        known = ", ".join(source.column_names()) or "none"
        raise ArgumentError(
            f"{what} {column!r}: {missing} of {len(source)} clips have no such column, or nothing in it; there are "
            f"{known}"
        )


def _train_and_test(source: Source) -> Source:
    """Select the clips of `train` and of the one split that is tested."""
    splits = {clip.columns["split"] for clip in source}
    tested = next((name for name in _TEST_SPLITS if name in splits), None)
    if tested is None or "train" not in splits:
        raise ArgumentError(
            f"split holds {', '.join(sorted(splits))}, but train and one of {', '.join(_TEST_SPLITS)} are needed; "
            "make folds with --folds 5"
        )
    return replace(source, clips=tuple(clip for clip in source if clip.columns["split"] in ("train", tested)))


def _with_made_folds(source: Source, label: str, group: str | None, count: int, separator: str) -> Source:
    """Assign a fold to each clip, reproducibly: groups stay whole, and classes and folds are balanced."""
    members: dict[str, list[ClipReference]] = {}
    for clip in source:
        members.setdefault(clip.name if group is None else clip.columns[group], []).append(clip)
    if len(members) < 2:
        raise ArgumentError(
            f"all clips are of one {group or 'clip'}, which cannot be in training and test data; two or more are needed"
        )
    if not 2 <= count <= len(members):
        allowed = "2" if len(members) == 2 else f"2 … {len(members)}"
        raise ArgumentError(f"folds={count}: must be {allowed}, because a {group or 'clip'} cannot be in two folds")
    in_fold: list[Counter[str]] = [Counter() for _ in range(count)]
    fold_of: dict[str, str] = {}
    for name in sorted(members, key=lambda name: (-len(members[name]), name)):
        labels = Counter(found for clip in members[name] for found in names_of(clip, label, separator))
        best = min(
            range(count), key=lambda f: (sum(in_fold[f][c] * n for c, n in labels.items()), in_fold[f].total(), f)
        )
        in_fold[best] += labels
        fold_of |= {clip.name: str(best + 1) for clip in members[name]}
    placed = (replace(clip, columns={**clip.columns, MADE_FOLD: fold_of[clip.name]}) for clip in source)
    return replace(source, clips=tuple(placed))


def _check(clips: LabelledClips) -> None:
    if len(clips.classes) < 2:
        raise ArgumentError(f"all clips are labelled {clips.classes[0]!r}; a comparison needs at least two classes")
    home: dict[str, str] = {}
    for index, group in enumerate(clips.groups):
        fold = clips.fold_of(index)
        if home.setdefault(group, fold) != fold:
            raise ArgumentError(
                f"{group} is in folds {home[group]} and {fold}: models would be tested on recordings that they trained "
                "on; make folds that keep it whole with --folds 5"
            )
    for fold in clips.held_out:
        _check_fold(clips, fold)


def _check_fold(clips: LabelledClips, fold: str) -> None:
    test, train = clips.test_clips(fold), clips.train_clips(fold)
    made = clips.fold_column == MADE_FOLD
    advice = "make fewer folds with --folds, or add recordings" if made else "make even folds with --folds 5"
    if len(test) < 2:
        raise ArgumentError(f"fold {fold} holds {counted(len(test), 'clip')}, too few to test on; {advice}")
    truth = truth_of(clips.labels, len(clips.classes))
    tested, learned = (np.asarray(truth[part].any(axis=0)) for part in (test, train))
    if tested.sum() < 2:
        only = ", ".join(repr(name) for name, found in zip(clips.classes, tested, strict=True) if found) or "none"
        raise ArgumentError(f"fold {fold} holds only the class {only}; {advice}")
    if (tested & ~learned).any():
        missing = int(np.argmax(tested & ~learned))
        of_class = truth_of(clips.labels, len(clips.classes))[:, missing]
        groups = {group for group, found in zip(clips.groups, of_class, strict=True) if found}
        if len(groups) == 1:
            advice = "all its clips are of one recording or speaker: add others, or leave the class out"
        raise ArgumentError(
            f"without fold {fold} there is no clip of class {clips.classes[missing]!r} to train on; {advice}"
        )


def _natural(name: str) -> tuple[int, int, str]:
    """Sort key: numbers in numerical order, before all other names."""
    return (0, int(name), name) if name.isdecimal() else (1, 0, name)
