"""`spectronorm fit`: measurement of a source."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.arrays import MAX_SEED
from spectronorm.audio import Source, open_source
from spectronorm.cli.command_line import command_line
from spectronorm.cli.front_end import with_front_end
from spectronorm.cli.options import (
    DescriptionOption,
    DurationOption,
    EngineOption,
    ExcludeFloorOption,
    HoldOutOption,
    JsonOption,
    LastOption,
    MaxBadOption,
    OverlapOption,
    SchedulerOption,
    SkipFlatOption,
    SourceArgument,
    TolerateShortOption,
    UntrustedOption,
    WindowOption,
    WorkersOption,
    open_engine,
    parse_hold_out,
    parse_share,
    reader,
    windows,
)
from spectronorm.cli.run import guarded, note_unread, print_json, progress_bar, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.counted import and_seconds, counted
from spectronorm.errors import ArgumentError, BadAudioReason
from spectronorm.features import open_for, with_all_channels
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels
from spectronorm.passes.fit import Sample, fit
from spectronorm.passes.fit_until import Tolerance, reached, share_for
from spectronorm.printable import printable
from spectronorm.profile import Profile, error_remarks
from spectronorm.profile.groups import GROUP_COLUMNS

_EXAMPLES = """
**Examples**

    spectronorm fit esc10/ -o esc10.safetensors --preset fastaudio

    spectronorm fit train.csv -o train.safetensors --n-mels 64 --hop-length 160 --n-fft 400

    spectronorm fit recordings/ -o field.safetensors --window 3 --overlap 1

    spectronorm fit esc10/ -o quick.safetensors --sample 20% --seed 1

    spectronorm fit esc10/ -o enough.safetensors --until 0.05sd

    spectronorm fit features/ --levels features/levels.json -o features.safetensors
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("fit", epilog=_EXAMPLES)(guarded(writing(with_front_end(fit_command))))


def fit_command(
    *,
    context: typer.Context,
    source: SourceArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Profile to write.")],
    front_end: FrontEnd,
    group_by: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Columns that form groups; by default fold and split. May be repeated."),
    ] = None,
    levels: DescriptionOption = None,
    hold_out: HoldOutOption = None,
    duration: DurationOption = None,
    window: WindowOption = None,
    overlap: OverlapOption = 0.0,
    last: LastOption = "pad",
    sample: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Measure a random share of the clips, such as 20%.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TOLERANCE",
            help="Measure random clips until the 95 % interval of the mean has this half-width, by clip and by each "
            "--group-by column: 0.5dB or 0.05sd.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Random seed of --sample and --until.")] = 0,
    max_bad: MaxBadOption = "1%",
    workers: WorkersOption = None,
    engine: EngineOption = "auto",
    scheduler: SchedulerOption = None,
    untrusted: UntrustedOption = False,
    skip_flat: SkipFlatOption = False,
    tolerate_short: TolerateShortOption = "0s",
    exclude_floor: ExcludeFloorOption = False,
    list_files: Annotated[
        bool, typer.Option("--list-files", help="Keep the name and the digest of each measured file.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Measure a source once and exactly; every normalizer can be made from the profile.

    Repeating the command resumes an interrupted run.
    """
    described = _described(front_end, levels)
    how = reader(untrusted=untrusted, skip_flat=skip_flat, tolerate_short=tolerate_short)
    opened = note_unread(open_source(source, how) if levels is None else open_for(source, described, how))
    if levels is None:
        described = with_all_channels(described, opened)
        opened = open_for(opened, described)
    for column, value in parse_hold_out(hold_out):
        opened = opened.without(**{column: value})
    share = None if sample is None else Sample(parse_share(sample, "sample"), seed)
    tolerance = None if until is None else Tolerance.parse(until)
    if tolerance is not None:
        tolerance.require_unit(described.unit)
    if tolerance is not None and (sample is not None or window is not None):
        raise ArgumentError("--until draws its own sample of whole clips: leave out --sample and --window")
    with open_engine(engine, workers, scheduler) as opened_engine, progress_bar("measuring") as progress:
        measure = functools.partial(
            fit,
            opened,
            described,
            group_by=group_by,
            duration=duration,
            max_bad=parse_share(max_bad, "max-bad"),
            engine=opened_engine,
            progress=progress,
            exclude_floor=exclude_floor,
            window=windows(window, overlap, last),
        )
        if tolerance is not None:
            part = share_for(opened, tolerance, lambda tried: measure(sample=tried), seed)
            share = None if part >= 1 else Sample(part, seed)
        profile = measure(sample=share, output=output, list_files=list_files, command=command_line(context))
    if json:
        print_json(profile.summary())
        return
    _report(profile, output)
    if tolerance is not None and not reached(profile, tolerance):
        warn(f"all {counted(len(opened), 'clip')} were measured; the mean is still uncertain by more than {tolerance}")
    _note_groups(opened, profile)


def _note_groups(source: Source, profile: Profile) -> None:
    """Say that clips come from fewer recordings or speakers, if errors by these were not measured."""
    for column in GROUP_COLUMNS:
        if column in profile.group_columns() or column not in source.column_names():
            continue
        number = len({clip.columns.get(column, clip.name) for clip in source})
        if 1 < number < len(source):
            warn(
                f"the {counted(len(source), 'clip')} come from {number} groups by {column}; standard errors by clip "
                f"may be too small, and --group-by {column} also gives standard errors by {column}"
            )
            return


def _described(front_end: FrontEnd, levels: Path | None) -> AnyFrontEnd:
    if levels is None:
        return front_end
    if front_end != FrontEnd():
        raise ArgumentError("--levels describes spectrograms that exist already: leave out the options of a front end")
    return Levels.load(levels)


def _with_error(figure: float, error: float) -> str:
    return f"{figure:.4f} ± {error:.4f}" if math.isfinite(error) else f"{figure:.4f} (error unknown)"


def _report(profile: Profile, output: Path) -> None:
    pooled, unit = profile.overall, profile.front_end.unit
    say(
        f"{output}: {counted(profile.clips, 'clip')}, {counted(profile.frames, 'frame', spec=',')}"
        f"{and_seconds(profile.seconds)}; "
        f"mean {_with_error(pooled.mean, pooled.mean_se)} {unit}, "
        f"std {_with_error(pooled.std, pooled.std_se)} {unit}, floor {pooled.floor_share:.1%}",
        beside=output,
    )
    for remark in remarks(profile):
        warn(remark)


_ODD = {
    BadAudioReason.CHANNELS_CANCEL: "with channels that cancel each other",
    BadAudioReason.DEAD_CHANNEL: "with a dead channel",
    BadAudioReason.TRUNCATED: "a little shorter than claimed, within --tolerate-short",
    BadAudioReason.HEADER_LIES: "with a header that contradicts the sound, all of which was read",
}
"""Reasons for which a clip that was counted is listed, and how they are said."""


_MOST_RANGES = 8


def remarks(profile: Profile) -> list[str]:
    """List everything that a user should know before trusting the profile."""
    found = []
    if profile.bad:
        names = ", ".join(f"{printable(bad.path)} ({bad.reason.value})" for bad in profile.bad[:3])
        found.append(f"bad files left out: {len(profile.bad)}, {names}{', …' if len(profile.bad) > 3 else ''}")
    if profile.total.flat:
        found.append(_flat_remark(profile))
    found += _odd_remarks(profile)
    found += _rate_remarks(profile)
    empty = profile.front_end.empty_bands()
    if mostly := sorted(set(profile.mostly_floor()) - set(empty)):
        found.append(f"bands that are mostly floor: {len(mostly)} of {profile.front_end.n_bands}, {_ranges(mostly)}")
    if empty:
        of = f"{len(empty)} of {profile.front_end.n_bands}, {_ranges(empty)}"
        found.append(f"bands without an FFT bin: {of}; use fewer bands or a longer n_fft")
    found += _power_remarks(profile)
    return [*found, *error_remarks(profile)]


def _power_remarks(profile: Profile) -> list[str]:
    """Say that the bands' weights are meant for another power of the STFT."""
    front_end = profile.front_end
    if not isinstance(front_end, FrontEnd):
        return []
    meant, power = front_end.bands.meant_for_power, front_end.stft.power
    if meant is None or meant == power:
        return []
    return [f"{type(front_end.bands).__name__} weights are made for --power {meant:g}, and the STFT has {power:g}"]


def _odd_remarks(profile: Profile) -> list[str]:
    """Report the number of odd clips that were counted, for each reason, and the first of them."""
    found = []
    for reason, what in _ODD.items():
        files = [file for file in profile.flagged if file.reason is reason]
        if files:
            names = ", ".join(printable(file.path) for file in files[:3]) + (", …" if len(files) > 3 else "")
            clips = "1 clip" if len(files) == 1 else f"{len(files)} clips"
            found.append(f"{clips} {what}: {names} (such as: {files[0].detail})")
    return found


def _rate_remarks(profile: Profile) -> list[str]:
    """Report how many clips have a lower sample rate than the front end, and the remedy if all have one."""
    rates, front_end = profile.formats.get("sample_rate", {}), profile.front_end
    if isinstance(front_end, Levels) or not rates or min(rates) >= front_end.sample_rate:
        return []
    if len(rates) == 1:
        (rate,) = rates
        ours, highest = front_end.sample_rate, f"{rate / 2:g}"
        why = f"all clips are at {rate} Hz and the front end is at {ours} Hz, so bands above {highest} Hz are empty"
        return [f"{why}; --sample-rate {rate} measures what is there"]
    clips, listed = sum(rates.values()), ", ".join(f"{count} at {rate} Hz" for rate, count in rates.items())
    why = f"bands above half of a file's own rate are empty (the front end has {front_end.sample_rate} Hz)"
    return [f"sample rates are mixed: of {counted(clips, 'clip')}, {listed}; {why}"]


def _flat_remark(profile: Profile) -> str:
    """Report the number of silent or constant clips, the first of them, and their effect on the figures."""
    flat = [file for file in profile.flagged if file.reason not in _ODD]
    names = ", ".join(f"{printable(file.path)} ({file.reason.value})" for file in flat[:3])
    listed = f" ({names}{', …' if len(flat) > 3 else ''})" if names else ""
    effect, unit = profile.flat_effect(), profile.front_end.unit
    moved = (
        ""
        if effect is None
        else f", which moves the mean by {effect['mean']:+.3f} and the std by {effect['std']:+.3f} {unit}"
    )
    what = counted(profile.total.flat, "clip is", "clips are")
    return f"{what} silent or constant{listed} and counted{moved} (--skip-flat leaves out such clips)"


def _ranges(bands: list[int]) -> str:
    """Format bands as ranges, `0-3, 7` for 0, 1, 2, 3, 7; the first eight."""
    runs: list[list[int]] = []
    for band in bands:
        if runs and band == runs[-1][1] + 1:
            runs[-1][1] = band
        else:
            runs.append([band, band])
    more = ["…"] if len(runs) > _MOST_RANGES else []
    return ", ".join([f"{a}" if a == b else f"{a}-{b}" for a, b in runs[:_MOST_RANGES]] + more)
