"""Leak detection: finds held-out clips whose audio digest is in a profile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from spectronorm.arrays import column_values
from spectronorm.audio import ClipReference, Openable, Reader, Source
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError, AudioError
from spectronorm.features import open_for, read_level
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.passes.one_pass import MAX_BAD, OneClip, one_pass
from spectronorm.profile import BadFile, GroupKey, LevelClip, Measurement, Profile, digest
from spectronorm.runs.progress import Progress
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True, order=True)
class Twins:
    """One sound under several names: the names of the clips, and the groups of the profile that measured it.

    >>> Twins(("a.wav", "copies/a.wav"), ("fold=1", "fold=2")).clips
    ('a.wav', 'copies/a.wav')
    """

    clips: tuple[str, ...]
    groups: tuple[str, ...]


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Checked:
    """Result of `check`.

    Attributes:
        checked: Number of clips of the source compared with the profile.
        leaks: Held-out sounds that were measured.
        duplicates: Sounds in more than one group of the profile.
        flat: Number of checked clips that are silent or constant: they equal each other, which shows nothing.
        bad: Checked clips that cannot be read.
        split: Recordings of which pieces stand on both sides: held out and not, or in several groups of the profile.
            Their pieces differ, but share voice, room and noise.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> checked = sn.check(sn.fit(waves[:2]), waves[1:])
    >>> checked.checked, len(checked.leaks)
    (2, 1)
    """

    checked: int
    leaks: tuple[Twins, ...]
    duplicates: tuple[Twins, ...]
    flat: int
    bad: tuple[BadFile, ...]
    split: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Heard(OneClip):
    clip: ClipReference
    digest: bytes
    flat: bool
    bad: tuple[BadFile, ...] = ()


@dataclass(frozen=True)
class _Task:
    """Computes the digest of a clip as the pass would have recorded it; picklable."""

    front_end: AnyFrontEnd
    duration: float | None
    reader: Reader

    def __call__(self, clip: ClipReference) -> _Heard:
        try:
            if isinstance(self.front_end, Levels):
                level = LevelClip.of(read_level(clip, self.front_end, duration=self.duration), self.front_end)
                return _Heard(clip, level.digest, level.flat)
            rate, resampler = self.front_end.sample_rate, self.front_end.resampler
            sound = self.reader.read(clip, rate, duration=self.duration, resampler=resampler)
        except AudioError as error:
            return _Heard(clip, b"", flat=False, bad=(BadFile.of(clip.name, error),))
        return _Heard(clip, digest(sound.at_least(self.front_end.min_samples)), sound.flat is not None)


@known_keywords
def check(
    profile: Profile,
    source: Openable,
    *,
    hold_out: Mapping[str, object] | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Compare a source's sounds with those that a profile measured.

    A sound is its samples at the front end's rate, so a copy is found under any name and in any lossless format.
    Without `hold_out` the source is a test set, none of which may have been measured. With `hold_out` (such as
    `{"fold": 1}`) these clips of the source must not be in the rest of the profile: its other groups, or all of it when
    it has no such groups. Sounds that stand in several groups of the profile are reported too, and recordings of which
    pieces stand on both sides.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        ArgumentError: if no clip of the source is held out by these values, or the digests are of levels that only
            a meter saw.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> profile = sn.fit(waves[:2])
    >>> sn.check(profile, waves[1:]).leaks != ()
    True
    """
    if profile.from_levels and not isinstance(profile.front_end, Levels):
        raise ArgumentError(
            "the profile was measured from levels that were given to a meter, whose digests no audio has; measure the "
            "audio itself with spectronorm fit"
        )
    opened = open_for(source, profile.front_end)
    held_out = {column: column_values(column, value) for column, value in (hold_out or {}).items()}
    unseen = opened.select(**held_out) if held_out else opened
    chosen = set(map(id, unseen))
    rest = [clip for clip in opened if id(clip) not in chosen]
    groups = _groups_by_digest(profile.groups)
    measured = _groups_by_digest({key: m for key, m in profile.groups.items() if not _is_held_out(key, held_out)})
    task = _Task(profile.front_end, profile.duration, opened.reader)
    with one_pass(unseen, task, unseen.clips, max_bad=max_bad, engine=engine, progress=progress) as results:
        heard = list(results)
    leaked = {one.digest for one in heard if not one.flat and one.digest in measured}
    doubled = {sound for sound, keys in groups.items() if len(keys) > 1}
    others: list[_Heard] = []
    if rest and leaked | doubled:  # The other clips are read only to name the twins.
        with one_pass(replace(opened, clips=tuple(rest)), task, rest, max_bad=None, engine=engine) as more:
            others = list(more)
    flat = {one.digest for one in (*heard, *others) if one.flat}
    return Checked(
        len(unseen),
        _twins(leaked, (*heard, *others), measured),
        _twins(doubled - flat, (*heard, *others), groups),
        sum(one.flat for one in heard),
        results.bad,
        _split(opened, chosen if held_out else None, profile.groups),
    )


def _split(source: Source, held_out: Collection[int] | None, groups: Iterable[GroupKey]) -> tuple[str, ...]:
    """Recordings on several sides: `held_out` has the ids of clips on one; without it, groups are sides."""
    columns = sorted({column for key in groups for column, _ in key})
    sides: dict[str, set[object]] = {}
    for clip in source:
        own = tuple(clip.columns.get(column) for column in columns)
        sides.setdefault(clip.recording, set()).add(own if held_out is None else id(clip) in held_out)
    return tuple(sorted(recording for recording, several in sides.items() if len(several) > 1))


def _words(key: GroupKey) -> str:
    return ", ".join(f"{column}={value}" for column, value in key) or "all"


def _is_held_out(key: GroupKey, held_out: Mapping[str, Sequence[str]]) -> bool:
    own = dict(key)
    return bool(held_out) and all(own.get(column) in values for column, values in held_out.items())


def _groups_by_digest(groups: Mapping[GroupKey, Measurement]) -> dict[bytes, list[str]]:
    found: dict[bytes, list[str]] = {}
    for key, measurement in groups.items():
        for sound in {row.tobytes() for row in measurement.digests}:
            found.setdefault(sound, []).append(_words(key))
    return found


def _twins(sounds: Iterable[bytes], heard: Iterable[_Heard], groups: Mapping[bytes, list[str]]) -> tuple[Twins, ...]:
    names: dict[bytes, list[str]] = {sound: [] for sound in sounds}
    for one in heard:
        if one.digest in names:
            names[one.digest].append(one.clip.name)
    return tuple(sorted(Twins(tuple(sorted(clips)), tuple(groups[sound])) for sound, clips in names.items()))
