"""`spectronorm show`: content of a profile."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from spectronorm.cli.drift_table import UNKNOWN
from spectronorm.cli.fit import remarks
from spectronorm.cli.options import ExcludeFloorOption, HoldOutOption, JsonOption, parse_hold_out
from spectronorm.cli.run import guarded, print_json, writing
from spectronorm.cli.terminal import console, say, warn
from spectronorm.counted import and_seconds, counted, frequency
from spectronorm.errors import ArgumentError
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.passes.fit_until import Tolerance
from spectronorm.pipeline import Pipeline, load
from spectronorm.printable import printable
from spectronorm.profile import Profile, StandardErrors, standard_errors
from spectronorm.report.figures import save_band_figure
from spectronorm.report.text_plot import band_plot

_EXAMPLES = """
**Examples**

    spectronorm show esc10.safetensors

    spectronorm show esc10.safetensors --hold-out fold=1 --json

    spectronorm show esc10.safetensors --plot bands.png

    spectronorm show esc10.safetensors --clips-for 0.5dB
"""
_FIGURES = {
    "mean": "mean",
    "std": "std",
    "min": "min",
    "max": "max",
    "floor_share": "floor",
    "mean_se": "se(mean)",
    "std_se": "se(std)",
}
"""Columns with their headings; `se` is the standard error, with the clip as the unit of sampling."""
_MAX_ROWS = 32
_MAX_FORMATS = 6


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", epilog=_EXAMPLES)(guarded(writing(show_command)))


def show_command(
    file: Annotated[Path, typer.Argument(help="A profile, or a saved pipeline.")],
    hold_out: HoldOutOption = None,
    exclude_floor: ExcludeFloorOption = False,
    json: JsonOption = False,
    all_bands: Annotated[bool, typer.Option("--all-bands", help="Print every band.")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw a figure of the bands.")] = None,
    clips_for: Annotated[
        str | None,
        typer.Option(
            metavar="TOLERANCE",
            help="Say how many clips and groups a 95 % interval of the mean of this half-width needs: 0.5dB or 0.05sd.",
        ),
    ] = None,
) -> None:
    """Print a profile: pooled and per-band figures, groups, bad files."""
    tolerance = None if clips_for is None else Tolerance.parse(clips_for)
    content = load(file)
    if isinstance(content, Pipeline):
        if hold_out or plot or exclude_floor or clips_for is not None:
            raise ArgumentError(
                f"{file}: is a saved pipeline: --hold-out, --exclude-floor, --plot and --clips-for need the profile"
            )
        _show_pipeline(content, json=json)
        return
    for column, value in parse_hold_out(hold_out):
        content = content.without(**{column: value})
    if exclude_floor:
        content = content.excluding_floor()
    width = None if tolerance is None else tolerance.of(content)
    if plot is not None:
        save_band_figure(content, plot)
    if json:
        needed = {} if width is None else {"clips_for": _needed(content, width)}
        print_json(content.summary() | {"standard_errors": _errors(content)} | needed)
        return
    _show_profile(content, console(), all_bands=all_bands)
    if width is not None:
        for found in standard_errors(content):
            say(f"the mean to ±{width:.3g} {content.front_end.unit} (95 %): {_units_for(found, width)}")
    if plot is not None:
        say(f"drawn: {plot}")


def _show_profile(profile: Profile, to: Console, *, all_bands: bool) -> None:
    unit = profile.front_end.unit
    to.print(printable(describe(profile.front_end)))
    sampled = f" (a sample of {profile.total.population})" if profile.total.population > profile.clips else ""
    to.print(
        f"{counted(profile.clips, 'clip')}{sampled}, {counted(profile.frames, 'frame', spec=',')}"
        f"{and_seconds(profile.seconds)}"
    )
    if profile.formats:
        to.print(_formats(profile))
    if profile.total.length.any() and np.isfinite(profile.front_end.sample_rate):
        to.print(_lengths(profile))
    pooled = profile.overall
    above = ", cells above the floor" if profile.exclude_floor else ""
    table = _table(f"All bands pooled ({unit}{above})", *_FIGURES.values())
    table.add_row(*(_cell(name, getattr(pooled, name)) for name in _FIGURES))
    to.print(table)
    to.print(_error_table(profile))
    to.print(_band_table(profile, 1 if all_bands else -(-profile.front_end.n_bands // _MAX_ROWS)))
    say(band_plot(profile))
    if len(profile.groups) > 1:
        to.print(_group_table(profile))
    if profile.bad:
        table = Table(title=f"{counted(len(profile.bad), 'bad file')}, left out", box=SIMPLE_HEAD)
        for name in ("file", "reason", "detail"):
            table.add_column(name, overflow="fold")
        for bad in profile.bad:
            table.add_row(*(printable(text) for text in bad.to_dict().values()))
        to.print(table)
    for remark in remarks(profile):
        warn(remark)


def describe(front_end: AnyFrontEnd) -> str:
    """Describe the front end in one line."""
    if isinstance(front_end, Levels):
        return f"{front_end.title}; resolution {front_end.resolution:.3g}; fingerprint {front_end.fingerprint}"
    stft = front_end.stft
    return (
        f"{front_end.sample_rate} Hz, {front_end.level}, n_fft={stft.n_fft}, win_length={stft.frame_length}, "
        f"hop_length={stft.hop}, {stft.window}, power={stft.power:g}, {front_end.bands}, {front_end.compress}"
        f"{'' if front_end.channels == 'mean' else f', channels={front_end.channels}'}; "
        f"fingerprint {front_end.fingerprint}"
    )


_FORMAT_UNITS = {"sample_rate": "Hz", "channels": "channels", "bits": "bits"}


def _formats(profile: Profile) -> str:
    """The formats of the recordings in one line, with the number of clips where there are several."""
    parts, numbers = [], any(len(table) > 1 for table in profile.formats.values())
    for name, table in profile.formats.items():
        known = {key or "unknown": count for key, count in table.items()}
        some = ", ".join(f"{key} ({count})" for key, count in list(known.items())[:_MAX_FORMATS])
        more = f", {len(known) - _MAX_FORMATS} more" if len(known) > _MAX_FORMATS else ""
        values = str(next(iter(known))) if len(known) == 1 else f"{some}{more}"
        parts.append(f"{values} {_FORMAT_UNITS[name] if values != '1' or name == 'bits' else 'channel'}")
    clips = profile.total.formats.clips
    of = "" if clips == profile.clips else f" (of {counted(clips, 'clip')})"
    return f"recorded with {', '.join(parts)}{of}{'; in parentheses: number of clips' if numbers else ''}"


def _lengths(profile: Profile) -> str:
    """Say how long the clips are, from the profile's histogram of lengths."""
    edges, counts = profile.clip_seconds
    seconds = np.sqrt(edges * np.append(edges[1:], edges[-1]))
    found = np.flatnonzero(counts)
    shortest, longest = seconds[found[0]], seconds[found[-1]]
    if found[0] == found[-1]:
        return f"clips of about {shortest:.2g} s"
    median = seconds[np.searchsorted(np.cumsum(counts), counts.sum() / 2)]
    return f"clips of about {shortest:.2g} to {longest:.2g} s, median {median:.2g} s"


def _band_table(profile: Profile, step: int) -> Table:
    bands = profile.front_end.n_bands
    every = "" if step == 1 else f", {bands // step + bool(bands % step)} of {bands} (--all-bands for all)"
    table = _table(f"Bands ({profile.front_end.unit}){every}", "band", "Hz", *_FIGURES.values())
    hz = profile.front_end.band_hz()
    columns = {name: getattr(profile.band, name) for name in _FIGURES}
    for band in range(0, bands, step):
        table.add_row(str(band), frequency(hz[band]), *(_cell(name, columns[name][band]) for name in _FIGURES))
    return table


def _error_table(profile: Profile) -> Table:
    table = _table(
        f"Errors by unit of sampling ({profile.front_end.unit})", "unit", "number", "se(mean)", "±95 %", "se(std)"
    )
    for found in standard_errors(profile):
        figures = (found.mean_se, found.mean_half_width, found.std_se)
        cells = (f"{value:.3f}" if math.isfinite(value) else UNKNOWN for value in figures)
        table.add_row(printable(found.unit), str(found.units), *cells)
    return table


def _errors(profile: Profile) -> list[dict[str, Any]]:
    """Return the errors as plain JSON values; an unknown error is null."""
    return [
        {
            "unit": found.unit,
            "units": found.units,
            "represents": found.represents,
            **{
                name: value if math.isfinite(value := getattr(found, name)) else None
                for name in ("mean_se", "std_se", "mean_half_width", "std_half_width")
            },
        }
        for found in standard_errors(profile)
    ]


def _needed(profile: Profile, tolerance: float) -> dict[str, int | None]:
    """Return the number of clips and of groups; None where a single one shows no variation."""
    found = standard_errors(profile)
    return {one.unit: one.units_for(tolerance) if one.units > 1 else None for one in found}


def _units_for(found: StandardErrors, tolerance: float) -> str:
    by = "" if found.unit == "clip" else f" by {found.unit}"
    singular, plural = (f"group{by}", f"groups{by}") if by else ("clip", "clips")
    if found.units < 2:
        return f"cannot be said, because one {singular} shows no variation"
    rough = f" (rough, because it rests on {found.units} {plural})" if found.few else ""
    return f"{counted(found.units_for(tolerance), singular, plural)}{rough}"


def _group_table(profile: Profile) -> Table:
    columns = profile.group_columns()
    table = _table("Groups", *columns, "clips", "frames", "mean", "std", "floor")
    for key, measurement in profile.groups.items():
        pooled = Profile(profile.front_end, {key: measurement}).overall
        figures = (_cell(name, getattr(pooled, name)) for name in ("mean", "std", "floor_share"))
        values = (dict(key)[column] for column in columns)
        table.add_row(*map(printable, values), str(measurement.clips), f"{measurement.frames:,}", *figures)
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1))
    for heading in headings:
        table.add_column(printable(heading), justify="right", no_wrap=True)
    return table


def _cell(name: str, value: float) -> str:
    if not math.isfinite(value):
        return UNKNOWN
    return f"{value:.1%}" if name == "floor_share" else f"{value:.2f}"


def _show_pipeline(pipeline: Pipeline, *, json: bool) -> None:
    summary = pipeline.summary()
    if json:
        print_json(summary)
        return
    say(describe(pipeline.front_end))
    fitted = pipeline.normalizer.fitted_on
    groups = f" ({'; '.join(fitted.groups)})" if fitted.groups else ""
    groups += f", without {', '.join(fitted.left_out)}" if fitted.left_out else ""
    say(f"{pipeline.normalizer.normalizer}, fitted on {fitted.clips} clips, {fitted.frames:,} frames{groups}")
    affine = pipeline.normalizer.affine
    if affine is not None:
        shift, scale = affine.shift.ravel(), affine.scale.ravel()
        say(f"shift {shift.min():.4f} … {shift.max():.4f}, scale {scale.min():.4f} … {scale.max():.4f}")
