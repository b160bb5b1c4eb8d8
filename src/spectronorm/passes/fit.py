"""The measuring pass: computes a profile from a source of audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spectronorm.arrays import set_whole_numbers
from spectronorm.audio import ClipReference, Source, open_source, random_sample
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.passes.measure import Measured, MeasureTask
from spectronorm.passes.one_pass import MAX_BAD, Output, PassResults, one_pass
from spectronorm.passes.outputs import require_file
from spectronorm.passes.units import by_group, units
from spectronorm.profile import BadFile, GroupKey, Measurement, Profile, RunningSum, require_fixed_floor
from spectronorm.runs.progress import Progress
from spectronorm.runs.versions import libraries, reading
from spectronorm.storage.content import Content

DEFAULT_GROUPS = ("fold", "split")

"""Columns that form groups by default."""


@dataclass(frozen=True)
class Sample:
    """A random share of the clips, for a quick look; the standard errors show its cost in precision."""

    fraction: float
    seed: int = 0

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("seed",), 0)


def fit(  # noqa: PLR0913  (every one of them is an independent choice of the user)
    source: str | Path | Source,
    front_end: FrontEnd | None = None,
    *,
    group_by: str | Sequence[str] | None = None,
    duration: float | None = None,
    sample: Sample | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
    output: str | Path | None = None,
    exclude_floor: bool = False,
    overwrite: bool = False,
) -> Profile:
    """Measure a source once and exactly; the profile's bytes do not depend on workers, order or engine.

    Args:
        source: A source, or an argument of `open_source`.
        front_end: The front end; by default `FrontEnd()`.
        group_by: Columns whose values form groups that can be left out later; by default fold and split, if present.
        duration: Crop longer clips to this number of seconds; padding is never counted.
        sample: Measure only a random share of the clips.
        max_bad: Largest accepted share of bad files; at least one file must be good.
        engine: Engine that runs the work; by default threads on all cores, and processes for large sources.
        progress: Called with the number of clips done and the total number of clips.
        output: Path to save the profile to, with a journal next to it until it is saved: calling `fit` again resumes an
            interrupted run and gives identical bytes.
        exclude_floor: Let the profile's figures cover only the cells above the floor (see `Profile.excluding_floor`).
        overwrite: Let the profile replace a foreign file; an input is never replaced.

    Returns:
        The profile.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        TooManyBad: if the share of bad files exceeds `max_bad`, or if all files are bad.
        ArgumentError: if a column does not exist or a number is out of range.
        OutputBusy: if another run is writing to this output.
        OutputRefused: if a foreign file or an input would be replaced.
    """
    opened = open_source(source)
    front_end = FrontEnd() if front_end is None else front_end
    if exclude_floor:
        require_fixed_floor(front_end)
    columns = _group_columns(opened, group_by)
    chosen = opened if sample is None else random_sample(opened, sample.fraction, sample.seed)
    task = MeasureTask(front_end, duration, opened.reader, with_stamps=output is not None)
    with one_pass(
        chosen,
        task,
        units(by_group(chosen, columns)),
        output=None if output is None else _output(Path(output), task, overwrite=overwrite),
        max_bad=max_bad,
        engine=engine,
        progress=progress,
    ) as results:
        parts, flagged = _collect(results)
        results.require_good()
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
        )
        if output is not None:
            profile.save(output)
    return profile


def _output(path: Path, task: MeasureTask, *, overwrite: bool) -> Output:
    """Return the profile's file, with everything that determines its bytes."""
    require_file(path, "a profile")
    identity = {
        "command": "fit",
        "front_end": task.front_end.to_dict(),
        **reading(task.reader, task.duration),
        "libraries": libraries(),
    }
    return Output(path, [(path, Content.CONTAINER)], identity, by_workers=False, overwrite=overwrite)


def _collect(results: PassResults[Measured]) -> tuple[dict[GroupKey, Measurement], list[BadFile]]:
    """Return the sums of each group, and the flagged files."""
    parts: dict[GroupKey, RunningSum] = {}
    flagged: list[BadFile] = []
    for result in results:
        if result.measurement is not None:
            parts.setdefault(result.key, RunningSum()).add(result.measurement)
        flagged.extend(result.flagged)
    return {key: parts.pop(key).total() for key in list(parts)}, flagged


def _group_columns(source: Source, group_by: str | Sequence[str] | None) -> tuple[str, ...]:
    known = source.column_names()
    if group_by is None:
        return tuple(column for column in DEFAULT_GROUPS if column in known)
    group_by = [group_by] if isinstance(group_by, str) else group_by
    for column in group_by:
        if column not in known:
            raise ArgumentError(f"group_by={column!r}: the source's columns are {', '.join(known) or 'none'}")
    return tuple(dict.fromkeys(group_by))


def _stand_for(
    parts: Mapping[GroupKey, Measurement], whole: Mapping[GroupKey, Sequence[ClipReference]]
) -> dict[GroupKey, Measurement]:
    """Set the number of clips that each sampled group represents."""
    return {key: replace(part, population=len(whole[key])) for key, part in parts.items()}
