"""The measuring pass: computes a profile from a source of audio."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from spectronorm.arrays import set_whole_numbers
from spectronorm.audio import ClipReference, Openable, Reader, Source, Windows, is_one_pass, open_source, random_sample
from spectronorm.audio.channels import STACK, check_channels
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError, LayoutWarning
from spectronorm.features import open_for, with_all_channels
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels, checked_front_end
from spectronorm.passes.fit_once import fit_once
from spectronorm.passes.listed_files import ListingTask
from spectronorm.passes.measure import MeasureTask
from spectronorm.passes.measure_levels import MeasureLevelsTask
from spectronorm.passes.measured import Measured, UnitTask
from spectronorm.passes.one_pass import MAX_BAD, Output, PassResults, one_pass
from spectronorm.passes.outputs import require_file
from spectronorm.passes.units import by_group, units
from spectronorm.passes.windowed import windowed
from spectronorm.profile import BadFile, GroupKey, ListedFile, Measurement, Profile, RunningSum, require_fixed_floor
from spectronorm.runs.progress import Progress
from spectronorm.runs.versions import deciding_libraries, libraries, reading
from spectronorm.storage.content import Content
from spectronorm.suggestion import did_you_mean, known_keywords, known_settings

DEFAULT_GROUPS = ("fold", "split")
"""Columns that form groups by default."""


@known_settings
@dataclass(frozen=True)
class Sample:
    """A random share of the clips, for a quick look; the standard errors show its cost in precision.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(10)]
    >>> sn.fit(waves, sample=Sample(0.3, seed=1)).clips
    3
    """

    fraction: float
    seed: int = 0

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("seed",), 0)


@known_keywords
def fit(  # noqa: PLR0913  (every one of them is an independent choice of the user)
    source: Openable,
    front_end: AnyFrontEnd | None = None,
    *,
    group_by: str | Sequence[str] | None = None,
    duration: float | None = None,
    sample: Sample | None = None,
    max_bad: float | None = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
    output: str | Path | None = None,
    exclude_floor: bool = False,
    overwrite: bool = False,
    channels: str | int | None = None,
    window: float | Windows | None = None,
    overlap: float = 0.0,
    list_files: bool = False,
    command: str = "",
) -> Profile:
    """Measure a source once and exactly; the profile's bytes do not depend on workers, order or engine.

    Args:
        source: A source, or an argument of `open_source`. An iterator or a streamed data set is gone through
            once, a few hundred clips at a time; it is not resumed.
        front_end: The front end; by default `FrontEnd()`. With `Levels`, the source's files hold levels (see
            `open_features`).
        group_by: Columns whose values form groups that can be left out later; by default fold and split, if present.
        duration: Crop longer clips to this number of seconds; padding is never counted.
        sample: Measure only a random share of the clips.
        max_bad: Largest accepted share of bad files; at least one file must be good.
        engine: Engine that runs the work; by default threads on all cores, and processes for large sources.
        progress: Called with the number of clips done and the total number of clips.
        output: Save the profile here, with a journal beside it until the profile is complete: calling `fit` again
            resumes an interrupted run and gives identical bytes.
        exclude_floor: Restrict the profile's figures to cells above the floor (see `Profile.excluding_floor`).
        channels: Channels to measure, in place of the front end's choice: `mean`, `first`, an index from 0, `each`
            (every channel is a clip, with a column `channel`) or `stack` (levels `(channel, band, frame)`; files whose
            number of channels differs from the first file's are bad).
        overwrite: Let the profile replace a file that is not ours; an input is never replaced.
        window: Cut recordings into windows of this length in seconds, or by a rule of `audio.Windows`; by default the
            last window counts as long as it is.
        overlap: Number of seconds that neighbouring windows share.
        list_files: Keep the name of each measured file with the digest of its bytes (`Profile.files`).
        command: Command line to note in the profile, for `spectronorm describe`.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        TooManyBad: if the share of bad files exceeds `max_bad`, or if all files are bad.
        ArgumentError: if a column does not exist or a number is invalid.
        OutputBusy: if another run is writing to the output.
        OutputRefused: if a file would be replaced that is not ours, or an input.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> profile = sn.fit(waves, sn.FrontEnd(bands=sn.Mel(40)))
    >>> profile.clips, profile.band.mean.shape
    (3, (40,))
    """
    front_end = FrontEnd() if front_end is None else checked_front_end(front_end)
    if channels is not None:
        front_end = _with_channels(front_end, channels)
    if is_one_pass(source):
        if sample is not None:
            raise ArgumentError("sample: an iterator is gone through once, so no share of it can be drawn; give a list")
        part = partial(
            fit,
            group_by=group_by,
            duration=duration,
            max_bad=None,
            engine=engine,
            exclude_floor=exclude_floor,
            window=window,
            overlap=overlap,
            list_files=list_files,
            command=command,
        )
        return fit_once(source, front_end, part, max_bad, progress, output, overwrite=overwrite)
    source, duration = windowed(source, front_end, window, overlap, duration)
    if isinstance(front_end, FrontEnd) and front_end.channels == STACK:
        source = open_source(source)
        front_end = with_all_channels(front_end, source)
    opened = open_for(source, front_end)
    if exclude_floor:
        require_fixed_floor(front_end)
    columns = _group_columns(opened, group_by)
    chosen = opened if sample is None else random_sample(opened, sample.fraction, sample.seed)
    task = _task(front_end, duration, opened.reader, with_stamps=output is not None)
    if list_files:
        task = ListingTask.of(task)
    with one_pass(
        chosen,
        task,
        units(by_group(chosen, columns)),
        output=None if output is None else _output(Path(output), task, overwrite=overwrite),
        max_bad=max_bad,
        engine=engine,
        progress=progress,
    ) as results:
        parts, flagged, files, unconfirmed = _collect(results)
        results.require_good()
        if unconfirmed is not None:
            warnings.warn(f"every clip has {unconfirmed}", LayoutWarning, stacklevel=3)
        if sample is not None:
            parts = _stand_for(parts, by_group(opened, columns))
        profile = Profile(
            front_end,
            parts,
            results.bad,
            duration,
            flagged=tuple(flagged),
            exclude_floor=exclude_floor,
            left_out=opened.left_out,
            libraries=() if isinstance(front_end, Levels) else deciding_libraries(),
            commands=(command,) if command else (),
            files=tuple(files),
        )
        if output is not None:
            profile.save(output)
    return profile


def _with_channels(front_end: AnyFrontEnd, channels: str | int) -> AnyFrontEnd:
    if isinstance(front_end, Levels):
        raise ArgumentError(f"channels={channels!r}: how many channels levels have is in their description")
    return replace(front_end, channels=check_channels(channels))


def _task(front_end: AnyFrontEnd, duration: float | None, reader: Reader, *, with_stamps: bool) -> UnitTask:
    if isinstance(front_end, Levels):
        return MeasureLevelsTask(front_end, duration, reader, with_stamps)
    return MeasureTask(front_end, duration, reader, with_stamps)


def _output(path: Path, task: UnitTask, *, overwrite: bool) -> Output:
    """Return the profile's file, with everything that determines its bytes."""
    require_file(path, "a profile")
    identity = {
        "command": "fit",
        "front_end": task.front_end.to_dict(),
        **reading(task.reader, task.duration),
        "libraries": libraries(),
    }
    return Output(path, [(path, Content.CONTAINER)], identity, by_workers=False, overwrite=overwrite)


_Collected = tuple[dict[GroupKey, Measurement], list[BadFile], list[ListedFile], str | None]


def _collect(results: PassResults[Measured]) -> _Collected:
    """Return the sums of each group, flagged and listed files, and why no level confirms the layout, if none does."""
    parts: dict[GroupKey, RunningSum] = {}
    flagged: list[BadFile] = []
    files: list[ListedFile] = []
    layouts: set[str | None] = set()
    for result in results:
        if result.measurement is not None:
            parts.setdefault(result.key, RunningSum()).add(result.measurement)
            layouts.add(result.unconfirmed)
        flagged.extend(result.flagged)
        files.extend(result.files)
    unconfirmed = None if None in layouts else next(iter(layouts), None)
    return {key: parts.pop(key).total() for key in list(parts)}, flagged, files, unconfirmed


def _group_columns(source: Source, group_by: str | Sequence[str] | None) -> tuple[str, ...]:
    known = source.column_names()
    if group_by is None:
        return tuple(column for column in DEFAULT_GROUPS if column in known)
    group_by = [group_by] if isinstance(group_by, str) else group_by
    for column in group_by:
        if column not in known:
            columns = f"has the columns {', '.join(known)}" if known else "has no columns; use a table with them"
            raise ArgumentError(f"group_by={column!r}: the source {columns}{did_you_mean(column, known)}")
    return tuple(dict.fromkeys(group_by))


def _stand_for(
    parts: Mapping[GroupKey, Measurement], whole: Mapping[GroupKey, Sequence[ClipReference]]
) -> dict[GroupKey, Measurement]:
    """Set the number of clips that each sampled group represents."""
    return {key: replace(part, population=len(whole[key])) for key, part in parts.items()}
