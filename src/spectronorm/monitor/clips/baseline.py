"""Baseline: features of the training clips one by one, the reference of every score and threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats, whole_number
from spectronorm.audio import ClipReference, Reader, Source, random_sample
from spectronorm.counted import counted
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError, AudioError
from spectronorm.features import open_for
from spectronorm.front_end import AnyFrontEnd
from spectronorm.kernels.jit import kernel
from spectronorm.monitor.clips.features import clip_features, feature_names, moved_by, range_weights
from spectronorm.monitor.clips.synthetic import synthetic_features
from spectronorm.passes.clip_level import read_clip_level
from spectronorm.passes.one_pass import MAX_BAD, OneClip, one_pass
from spectronorm.profile import BadFile, Profile
from spectronorm.runs.progress import Progress
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings

MAX_CLIPS = 2000
"""Size of the random sample from larger training sets: more clips would not move a threshold."""
_MIN_CLIPS = 20
_FOLDS = 5
_MOST_GROUPS = 20
UNIT_SCORE = 1 << 16
"""Scores are stored as integers in this fraction, so that their sums do not depend on the order."""


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class Baseline:
    """Features of training clips `(clip, feature)`, with the group of each clip.

    `columns` are the indices of the known features: a profile alone has no spreads within clips.

    Raises:
        ArgumentError: if there are fewer than `_MIN_CLIPS` clips.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> source = sn.open_source([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)])
    >>> profile = sn.fit(source, sn.FrontEnd(bands=sn.Mel(24)))
    >>> Baseline.of_clips(source, profile).rows.shape[0], Baseline.of_profile(profile).measured
    (40, False)
    """

    front_end: AnyFrontEnd
    rows: Floats
    groups: NDArray[np.int64]
    columns: NDArray[np.int64]
    measured: bool

    def __post_init__(self) -> None:
        if len(self.rows) < _MIN_CLIPS:
            raise ArgumentError(
                f"a baseline of {counted(len(self.rows), 'clip')} is too small to calibrate with: at "
                f"least {_MIN_CLIPS} are needed"
            )

    @classmethod
    def of_clips(
        cls,
        source: str | Path | Source,
        profile: Profile,
        *,
        seed: int = 0,
        max_bad: float = MAX_BAD,
        engine: Engine | None = None,
        progress: Progress | None = None,
    ) -> Baseline:
        """Measure the training clips, or a random sample of `MAX_CLIPS` of them; gives the sharpest thresholds.

        Clips that the profile says were left out, such as those of `fold=1`, are left out here too.

        Args:
            source: The training clips.
            profile: Profile of the training clips.
            seed: Seed of the random sample.
            max_bad: Largest accepted share of bad clips.
            engine: Engine that measures the clips.
            progress: Called with the number of clips done and the total number of clips.

        Raises:
            ArgumentError: if clips were not measured for this profile, or if there are too few.
            SourceError: if the source cannot be opened or is empty.
            TooManyBad: if the share of bad clips exceeds `max_bad`, or if all clips are bad.
        """
        opened = _as_measured(open_for(source, profile.front_end), profile)
        chosen = random_sample(opened, min(1.0, MAX_CLIPS / len(opened)), seed)
        task = _Task(profile.front_end, profile.duration, opened.reader)
        with one_pass(chosen, task, chosen.clips, max_bad=max_bad, engine=engine, progress=progress) as results:
            rows = sorted((row for row in results if not row.bad), key=lambda row: row.clip.name)
        known = {row.tobytes() for row in profile.total.digests}
        strangers = sum(row.digest not in known for row in rows)
        if strangers:
            raise ArgumentError(
                f"{strangers} of {len(rows)} training clips were not measured for this profile; "
                "give the source that it was fitted on, with what was held out left out"
            )
        return cls.of_rows(
            profile.front_end,
            np.stack([row.features for row in rows]),
            [tuple(row.clip.columns.get(name, "") for name in profile.group_columns()) for row in rows],
        )

    @classmethod
    def of_rows(cls, front_end: AnyFrontEnd, rows: Floats, groups: list[Any]) -> Baseline:
        """Build a baseline from known features, each with any label of its group."""
        labels = {label: number for number, label in enumerate(sorted(set(groups)))}
        numbers = np.array([labels[group] for group in groups], dtype=np.int64)
        return cls(front_end, rows, numbers, np.arange(rows.shape[1]), measured=True)

    @classmethod
    def of_profile(cls, profile: Profile, *, seed: int = 0) -> Baseline:
        """Build a baseline from the profile's counts of clips and groups, without the training audio.

        Raises:
            ArgumentError: if the profile has one clip, which shows no variation.
        """
        if profile.clips < 2:
            raise ArgumentError(
                "a profile of one clip shows no variation, so no threshold can be set; measure more clips, or cut long "
                "recordings into windows (--window 5s)"
            )
        rows, groups, columns = synthetic_features(profile, np.random.default_rng(whole_number(seed, "seed", 0)))
        return cls(profile.front_end, rows, groups, columns, measured=False)

    @cached_property
    def _sorted(self) -> Floats:
        return np.sort(self.rows[:, self.columns], axis=0)

    @cached_property
    def ranks(self) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
        """Columns of the known features, their sorted values `(score, clip)`, and the score of each doubled rank."""
        return self.columns, np.ascontiguousarray(self._sorted.T), scores_of_ranks(len(self.rows))

    @property
    def has_groups(self) -> bool:
        """True if the clips' groups, and not chance, decide which clips are in one fold."""
        numbers, sizes = np.unique(self.groups, return_counts=True)
        return len(numbers) >= _FOLDS or self._groups_are_folds(len(numbers), int(sizes.min()))

    def _groups_are_folds(self, count: int, smallest: int) -> bool:
        return 2 < count <= _MOST_GROUPS and smallest >= len(self.rows) / (2 * count)

    @cached_property
    def folds(self) -> NDArray[np.int64]:
        """Fold of each clip – the clip's group if groups are few and large, else one of five folds.

        Clips of a group stay together.
        """
        generator = np.random.default_rng(0)
        numbers, sizes = np.unique(self.groups, return_counts=True)
        if self._groups_are_folds(len(numbers), int(sizes.min())):
            return self.groups
        if len(numbers) < _FOLDS:
            return generator.permutation(np.arange(len(self.rows)) % _FOLDS)
        held = np.zeros(_FOLDS, dtype=np.int64)
        fold_of = np.zeros(int(numbers.max()) + 1, dtype=np.int64)
        for place in generator.permutation(len(numbers)):
            fold_of[numbers[place]] = held.argmin()
            held[held.argmin()] += sizes[place]
        return fold_of[self.groups]

    def names(self) -> list[str]:
        """Name of each score."""
        names = feature_names(self.front_end)
        return [names[column] for column in self.columns]

    def scores(self, features: Floats) -> NDArray[np.int64]:
        """Normal scores `(..., score)` of features `(..., feature)`, in units of 1 / `UNIT_SCORE`.

        Each feature's rank among the training clips is replaced by the normal quantile of the rank (van der Waerden),
        so no clip, however unusual, weighs more than a few standard deviations.
        """
        return normal_scores(self._sorted, features[..., self.columns])

    def fold_scores(self, folds: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Yield, for each fold, the scores of its clips against the clips of all other folds."""
        rows = self.rows[:, self.columns]
        for fold in np.unique(folds):
            yield normal_scores(np.sort(rows[folds != fold], axis=0), rows[folds == fold])

    def moved(self, shift: Floats, rms: float, peak: float) -> Baseline:
        """Simulate a device that moves bands `(band,)` and clip levels by these amounts, as an accepted update does."""
        ranges = range_weights(self.front_end.n_bands) @ shift
        return replace(self, rows=self.rows + moved_by(ranges, rms, peak))

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """Return the tensors that `from_tensors` reads."""
        return {"rows": self.rows, "groups": self.groups, "columns": self.columns}

    @classmethod
    def from_tensors(cls, front_end: AnyFrontEnd, tensors: Mapping[str, NDArray[Any]], *, measured: bool) -> Baseline:
        """Build a baseline from its tensors.

        Raises:
            ValueError: if the tensors are not valid.
        """
        rows, groups, columns = (tensors[name] for name in ("rows", "groups", "columns"))
        features = len(feature_names(front_end))
        sound = (
            rows.ndim == 2
            and rows.shape[1] == features
            and rows.dtype == np.float64
            and groups.shape == (len(rows),)
            and columns.ndim == 1
            and groups.dtype == columns.dtype == np.int64
            and bool(np.isin(columns, np.arange(features)).all())
            and (not measured or np.array_equal(columns, np.arange(features)))
            and bool(np.isfinite(rows[:, columns]).all())
        )
        if not sound:
            raise ValueError("the baseline's tensors are invalid")
        return cls(front_end, rows, groups, columns, measured)


def normal_scores(ordered: Floats, features: Floats) -> NDArray[np.int64]:
    """Normal scores of features against sorted columns `(clip, feature)`; ties count half."""
    n = len(ordered)
    flat = features.reshape(-1, ordered.shape[1])
    twice_ranks = np.empty(flat.shape, dtype=np.int64)
    _twice_ranks(ordered, flat, twice_ranks)
    return scores_of_ranks(n)[twice_ranks].reshape(features.shape)


def _twice_ranks_by_numpy(ordered: Floats, x: Floats, out: NDArray[np.int64]) -> None:
    for j in range(x.shape[1]):
        column = ordered[:, j]
        out[:, j] = np.searchsorted(column, x[:, j], "left") + np.searchsorted(column, x[:, j], "right")


@kernel(_twice_ranks_by_numpy, cache=True, nogil=True)
def _twice_ranks(ordered: Floats, x: Floats, out: NDArray[np.int64]) -> None:
    """Add, for each sorted column, the number of values below `x` and the number of values not above `x`."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            twice = 0
            for or_equal in (False, True):
                low, high = 0, ordered.shape[0]
                while low < high:
                    middle = (low + high) // 2
                    if ordered[middle, j] < x[i, j] or (or_equal and ordered[middle, j] == x[i, j]):
                        low = middle + 1
                    else:
                        high = middle
                twice += low
            out[i, j] = twice


@lru_cache(maxsize=16)
def scores_of_ranks(n: int) -> NDArray[np.int64]:
    """Score of each doubled rank among n: the normal quantile of `(rank + 1/2) / (n + 1)`."""
    quantile = NormalDist().inv_cdf
    return np.array([round(quantile((k + 1) / (2 * n + 2)) * UNIT_SCORE) for k in range(2 * n + 1)], dtype=np.int64)


@dataclass(frozen=True)
class _Row(OneClip):
    clip: ClipReference
    digest: bytes = b""
    features: Floats = field(default_factory=lambda: np.empty(0))
    bad: tuple[BadFile, ...] = ()


@dataclass(frozen=True)
class _Task:
    """Computes the features of one clip; picklable, so that any engine can run it."""

    front_end: AnyFrontEnd
    duration: float | None
    reader: Reader

    def __call__(self, clip: ClipReference) -> _Row:
        _, found = read_clip_level(clip, self.front_end, self.reader, duration=self.duration)
        if isinstance(found, AudioError):
            return _Row(clip, bad=(BadFile.of(clip.name, found),))
        return _Row(clip, found.digest, clip_features(found.level, found.samples))


def _as_measured(source: Source, profile: Profile) -> Source:
    """Leave out the clips that were left out of the profile, as far as the source has such columns and values."""
    for text in profile.left_out:
        wanted = {}
        for part in text.split(", "):
            column, _, values = part.partition("=")
            wanted[column] = values.split(" or ")
        present = {name: {clip.columns.get(name) for clip in source} for name in wanted}
        if all(present[name].issuperset(values) for name, values in wanted.items()):
            source = source.without(**wanted)
    return source
