"""`spectronorm images`: export of spectrogram images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spectronorm.cli.command_line import command_line
from spectronorm.cli.options import (
    DurationOption,
    EngineOption,
    HoldOutOption,
    JsonOption,
    LastOption,
    MaxBadOption,
    OverlapOption,
    ProfileOption,
    SchedulerOption,
    SourceArgument,
    WindowOption,
    WorkersOption,
    open_engine,
    parse_hold_out,
    parse_share,
    windows,
)
from spectronorm.cli.run import guarded, note_unread, print_json, progress_bar, warn_left_out, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError
from spectronorm.features import open_for
from spectronorm.front_end import FrontEnd, require_front_end
from spectronorm.image_files import ImageCodec, Layout, LevelRange, parse_range
from spectronorm.image_files.png import DEFLATE
from spectronorm.passes.images import ExportedImages, ExportOptions, export_images
from spectronorm.pipeline import Pipeline, load

_EXAMPLES = """
**Examples**

    spectronorm images esc10/ --profile esc10.safetensors -o images/

    spectronorm images esc10/ --profile esc10.safetensors -o gan/ --size 128 --range sigma=3 --sheet

    spectronorm images esc10/ --profile esc10.safetensors -o look/ --colormap viridis
"""
_SHEET = 16


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("images", epilog=_EXAMPLES)(guarded(writing(images_command)))


def images_command(
    *,
    context: typer.Context,
    source: SourceArgument,
    profile: ProfileOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the .png files.")],
    bits: Annotated[
        int, typer.Option(min=8, max=16, help="Bit depth: 8, or 16 for images without an audible or visible loss.")
    ] = 8,
    level_range: Annotated[
        str,
        typer.Option(
            "--range",
            metavar="SCHEME",
            help="Range of the grey scale: extremes of the profile, quantiles=0.001,0.999, sigma=3 (mean ± 3 "
            "standard deviations), or fixed=-80,20 (dB).",
        ),
    ] = "extremes",
    per: Annotated[
        str | None,
        typer.Option(help="One range for all bands (global), or one for each band (band, the default of sigma)."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=1, max=1 << 16, metavar="FRAMES", help="Crop or pad images to this width.")
    ] = None,
    low_frequencies: Annotated[str, typer.Option(help="Position of the low frequencies: bottom or top.")] = "bottom",
    loud: Annotated[str, typer.Option(help="Brightness of loud levels: dark or bright.")] = "dark",
    colormap: Annotated[
        str | None, typer.Option(help="Colormap for viewing, such as viridis; coloured pictures cannot be inverted.")
    ] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="Add a contact sheet of each class.")] = False,
    hold_out: HoldOutOption = None,
    duration: DurationOption = None,
    window: WindowOption = None,
    overlap: OverlapOption = 0.0,
    last: LastOption = "pad",
    max_bad: MaxBadOption = "1%",
    workers: WorkersOption = None,
    engine: EngineOption = "auto",
    scheduler: SchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Write each clip's spectrogram as a greyscale PNG that carries everything needed for inversion to sound.

    Existing images of equal audio and settings are kept, so repeating the command resumes an interrupted export.
    """
    codec = ImageCodec(*_range(profile, level_range, per, hold_out), Layout(bits, low_frequencies, loud))
    options = ExportOptions(size, duration, colormap, _SHEET if sheet else 0, command_line(context))
    share = parse_share(max_bad, "max-bad")
    with open_engine(engine, workers, scheduler) as opened_engine, progress_bar("writing images") as progress:
        exported = export_images(
            note_unread(open_for(source, codec.front_end)),
            codec,
            output,
            options=options,
            max_bad=share,
            engine=opened_engine,
            progress=progress,
            window=windows(window, overlap, last),
        )
    _report(exported, codec, options, json=json)


def _range(path: Path, scheme: str, per: str | None, hold_out: list[str] | None) -> tuple[FrontEnd, LevelRange]:
    """Return the front end, and the range that `--range` describes."""
    content = load(path)
    if isinstance(content, Pipeline):
        front_end = require_front_end(content.front_end, "writing images")
        try:
            return front_end, parse_range(scheme, front_end, None)
        except ArgumentError as error:
            raise ArgumentError(f"{path}: is a saved pipeline, not a profile: {error}") from None
    for column, value in parse_hold_out(hold_out):
        content = content.without(**{column: value})
    front_end = require_front_end(content.front_end, "writing images")
    return front_end, parse_range(scheme, front_end, content, per)


def _report(exported: ExportedImages, codec: ImageCodec, options: ExportOptions, *, json: bool) -> None:
    error = _error_text(codec)
    share = exported.clipped / exported.cells if exported.cells else 0.0
    if json:
        bad = [bad.to_dict() for bad in exported.bad]
        plain = {"folder": str(exported.folder), "written": exported.written, "kept": exported.kept, "bad": bad}
        told = {"max_error": codec.max_error, "unit": codec.front_end.unit, "clipped_share": share}
        print_json({**plain, **told, "sheets": exported.sheets, "deflate": DEFLATE})
        return
    kept = f", {exported.kept} kept from before" if exported.kept else ""
    say(f"{exported.folder}: {counted(exported.written, 'image')} of {codec.layout.bits} bits{kept}; index.csv")
    if options.colormap is None:
        say(f"largest error {error}; {share:.2%} of the cells were outside the range and were clipped")
    else:
        warn("coloured pictures are for viewing: they cannot be inverted to sound")
    if exported.sheets:
        say(f"sheets: {', '.join(exported.sheets)}")
    warn_left_out(exported.bad)


def _error_text(codec: ImageCodec) -> str:
    try:
        return f"{codec.max_error_db:.4f} dB"
    except ArgumentError:
        return f"{codec.max_error:.4g} {codec.front_end.unit}"
