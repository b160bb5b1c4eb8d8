"""`spectronorm apply`: write normalized spectrograms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spectronorm.cli.options import (
    DurationOption,
    EngineOption,
    ExcludeFloorOption,
    HoldOutOption,
    JsonOption,
    LastOption,
    MaxBadOption,
    NormalizeOption,
    OverlapOption,
    ProfileOption,
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
from spectronorm.cli.run import guarded, note_unread, print_json, progress_bar, warn_left_out, writing
from spectronorm.cli.terminal import say
from spectronorm.counted import counted
from spectronorm.features import open_for
from spectronorm.passes.apply import apply
from spectronorm.passes.stores import Store
from spectronorm.pipeline import open_fitted

_EXAMPLES = """
**Examples**

    spectronorm apply esc10/ --profile esc10.safetensors --normalize band --hold-out fold=1 -o features/

    spectronorm apply esc10/ --profile esc10.safetensors --normalize band -o shards/ --to safetensors --dtype float16

    spectronorm apply new/ --profile esc10-band.safetensors -o features/ --duration 5
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("apply", epilog=_EXAMPLES)(guarded(writing(apply_command)))


def apply_command(
    source: SourceArgument,
    profile: ProfileOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the .npy files.")],
    normalize: NormalizeOption = None,
    hold_out: HoldOutOption = None,
    duration: DurationOption = None,
    window: WindowOption = None,
    overlap: OverlapOption = 0.0,
    last: LastOption = "pad",
    max_bad: MaxBadOption = "1%",
    workers: WorkersOption = None,
    engine: EngineOption = "auto",
    scheduler: SchedulerOption = None,
    untrusted: UntrustedOption = False,
    skip_flat: SkipFlatOption = False,
    tolerate_short: TolerateShortOption = "0s",
    exclude_floor: ExcludeFloorOption = False,
    to: Annotated[str, typer.Option(help="npy (a file each), or shards: safetensors, webdataset or parquet.")] = "npy",
    dtype: Annotated[str, typer.Option(help="float32, float16, or bfloat16 (safetensors).")] = "float32",
    layout: Annotated[
        str, typer.Option(help="Order of the axes: ft (band, frame) or tf; with channels cft or another.")
    ] = "",
    shard_clips: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of clips in a shard.")] = 500,
    json: JsonOption = False,
) -> None:
    """Write each clip's normalized spectrogram, `(band, frame)` float32, in the source's folder structure.

    Repeating the command resumes an interrupted run.
    """
    pipeline = open_fitted(profile, normalize, parse_hold_out(hold_out), exclude_floor=exclude_floor)
    share = parse_share(max_bad, "max-bad")
    how = reader(untrusted=untrusted, skip_flat=skip_flat, tolerate_short=tolerate_short)
    opened = note_unread(open_for(source, pipeline.front_end, how))
    with open_engine(engine, workers, scheduler) as opened_engine, progress_bar("applying") as progress:
        applied = apply(
            opened,
            pipeline,
            output,
            duration=duration,
            max_bad=share,
            engine=opened_engine,
            progress=progress,
            store=Store(to, dtype, layout, shard_clips),
            window=windows(window, overlap, last),
        )
    if json:
        print_json(
            {"folder": str(applied.folder), "written": applied.written, "bad": [bad.to_dict() for bad in applied.bad]}
        )
        return
    say(f"{applied.folder}: {counted(applied.written, 'spectrogram')}, index.csv and pipeline.safetensors")
    warn_left_out(applied.bad)
