"""The pass: a source of audio becomes a profile."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnorm.audio import ClipReference, Source, open_source, random_sample, read_clip
from specnorm.engines import Engine, LocalEngine
from specnorm.errors import ArgumentError, AudioError, TooManyBad
from specnorm.front_end import FrontEnd
from specnorm.profile import BadFile, Counter, GroupKey, Measurement, Profile, RunningSum

DEFAULT_GROUPS = ("fold", "split")
"""The columns that become groups unless others are asked for."""
MAX_BAD = 0.01
"""The share of bad files that a pass bears."""
_CLIPS_IN_UNIT = 48
_SAMPLES_AHEAD = 1 << 19

Progress = Callable[[int, int], None]
"""Called with the number of clips done and the number there are."""


@dataclass(frozen=True)
class Sample:
    """A random share of the clips, for a quick look; standard errors say what it costs."""

    fraction: float
    seed: int = 0


@dataclass(frozen=True)
class _Unit:
    """Clips of one group that are measured in one go."""

    key: GroupKey
    clips: tuple[ClipReference, ...]


@dataclass(frozen=True)
class _Measured:
    """What came out of a unit."""

    key: GroupKey
    clips: int
    measurement: Measurement | None
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Task:
    """Measures a unit; picklable, so that any engine can run it."""

    front_end: FrontEnd
    duration: float | None

    def __call__(self, unit: _Unit) -> _Measured:
        counter = Counter(self.front_end)
        bad: list[BadFile] = []
        for clips in self._read_ahead(unit, bad):
            for clip, samples in clips:
                try:
                    counter.add(samples)
                except AudioError as error:
                    bad.append(_bad_file(clip, error, unit.key))
        return _Measured(unit.key, len(unit.clips), counter.measurement(), tuple(bad))

    def _read_ahead(self, unit: _Unit, bad: list[BadFile]) -> Iterator[list[tuple[ClipReference, NDArray[np.float32]]]]:
        """The unit's clips, a few seconds of audio at a time; those that cannot be read are added to `bad`.

        Decoding and measuring push each other's code and data out of the cache: taking turns clip by clip costs 8 %
        more than taking turns every few clips.
        """
        clips: list[tuple[ClipReference, NDArray[np.float32]]] = []
        samples = 0
        for clip in unit.clips:
            try:
                read = read_clip(
                    clip.path, self.front_end.sample_rate, duration=self.duration, resampler=self.front_end.resampler
                )
            except AudioError as error:
                bad.append(_bad_file(clip, error, unit.key))
                continue
            clips.append((clip, read.valid))
            samples += read.length
            if samples >= _SAMPLES_AHEAD:
                yield clips
                clips, samples = [], 0
        yield clips


def _bad_file(clip: ClipReference, error: AudioError, key: GroupKey) -> BadFile:
    return BadFile(clip.name, error.reason, error.detail, key)


def fit(
    source: str | Path | Source,
    front_end: FrontEnd | None = None,
    *,
    group_by: Sequence[str] | None = None,
    duration: float | None = None,
    sample: Sample | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Measure a source once and exactly; the profile does not depend on workers, order or engine by a single byte.

    Args:
        source: What `open_source` opens, or a source.
        front_end: Wave to level; by default `FrontEnd()`.
        group_by: The columns whose values form groups that can be left out later; by default fold and split, where
            the source has them.
        duration: Crop longer clips to this many seconds; padding is never counted.
        sample: Measure only a random share of the clips.
        max_bad: The share of files that may be bad before the pass fails; at least one must be good.
        engine: Where the work runs; by default threads on all cores.
        progress: Called as clips get done.

    Raises:
        SourceError: when the source cannot be opened or is empty.
        TooManyBad: when more files are bad than `max_bad`, or all are.
        ArgumentError: when a column does not exist or a number breaks its rule.
    """
    if not 0 <= max_bad <= 1:
        raise ArgumentError(f"max_bad={max_bad} must lie in 0 … 1 (1% is 0.01)")
    opened = open_source(source)
    front_end = FrontEnd() if front_end is None else front_end
    columns = _group_columns(opened, group_by)
    chosen = opened if sample is None else random_sample(opened, sample.fraction, sample.seed)
    task = _Task(front_end, duration)
    units = list(_units(chosen, columns))
    parts: dict[GroupKey, RunningSum] = {}
    bad: list[BadFile] = []
    done = 0
    for result in (engine or LocalEngine()).map(task, units):
        if result.measurement is not None:
            parts.setdefault(result.key, RunningSum()).add(result.measurement)
        bad.extend(result.bad)
        done += result.clips
        if progress is not None:
            progress(done, len(chosen))
    check_bad(bad, len(chosen), max_bad)
    groups = {key: parts.pop(key).total() for key in list(parts)}
    if sample is not None:
        groups = _stand_for(groups, opened, columns)
    return Profile(front_end, groups, tuple(bad), duration)


def check_bad(bad: Sequence[BadFile], total: int, max_bad: float) -> None:
    """Raise `TooManyBad`, with the reasons counted and the first files named, when the limit is passed."""
    if len(bad) <= max_bad * total and len(bad) < total:
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(Tally(b.reason.value for b in bad).items()))
    first = "\n".join(f"  {b.path}: {b.reason.value}: {b.detail}" for b in sorted(bad)[:5])
    raise TooManyBad(
        f"{len(bad)} of {total} files are bad ({reasons}), more than max_bad={max_bad:g} allows"
        f"{' (at least one must be good)' if len(bad) == total else ''}; mend or remove them, or allow more:\n{first}"
    )


def _group_columns(source: Source, group_by: Sequence[str] | None) -> tuple[str, ...]:
    known = source.column_names()
    if group_by is None:
        return tuple(column for column in DEFAULT_GROUPS if column in known)
    for column in group_by:
        if column not in known:
            raise ArgumentError(f"group_by={column!r}: the source's columns are {', '.join(known) or 'none'}")
    return tuple(dict.fromkeys(group_by))


def _key(clip: ClipReference, columns: Sequence[str]) -> GroupKey:
    return tuple((column, clip.columns.get(column, "")) for column in columns)


def _by_group(source: Source, columns: Sequence[str]) -> Mapping[GroupKey, list[ClipReference]]:
    groups: dict[GroupKey, list[ClipReference]] = {}
    for clip in source:
        groups.setdefault(_key(clip, columns), []).append(clip)
    return groups


def _units(source: Source, columns: Sequence[str]) -> Iterator[_Unit]:
    for key, clips in _by_group(source, columns).items():
        parts = -(-len(clips) // _CLIPS_IN_UNIT)
        bounds = [len(clips) * part // parts for part in range(parts + 1)]
        yield from (_Unit(key, tuple(clips[a:b])) for a, b in pairwise(bounds))


def _stand_for(
    parts: Mapping[GroupKey, Measurement], source: Source, columns: Sequence[str]
) -> dict[GroupKey, Measurement]:
    """The measurements with the number of clips that each sampled group stands for."""
    whole = _by_group(source, columns)
    return {key: replace(part, population=len(whole[key])) for key, part in parts.items()}
