"""`spectronorm demo`: the whole workflow on synthesized sounds."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.arrays import MAX_SEED
from spectronorm.cli.fit import remarks
from spectronorm.cli.run import guarded, progress_bar, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.counted import counted
from spectronorm.demo.run import DemoResult, run_demo
from spectronorm.report.text_plot import band_plot

_EXAMPLES = """
**Examples**

    spectronorm demo

    spectronorm demo -o /tmp/demo --seed 7
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog=_EXAMPLES)(guarded(writing(demo_command)))


def demo_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for all files.")] = Path("spectronorm-demo"),
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Random seed of the sounds.")] = 0,
) -> None:
    """Synthesize ten kinds of sound, measure them, apply the result, draw figures, and list the files."""
    with progress_bar("measuring") as progress:
        result = run_demo(output, seed=seed, progress=progress)
    profile, pooled = result.profile, result.profile.overall
    say(
        f"measured {counted(profile.clips, 'clip')}, {counted(profile.frames, 'frame', spec=',')}, "
        f"{profile.seconds:.1f} s: "
        f"mean {pooled.mean:.3f} dB, std {pooled.std:.3f} dB, floor {pooled.floor_share:.1%}"
    )
    for remark in remarks(profile):
        warn(remark)
    say(band_plot(profile))
    rows = {
        "sounds": result.dataset,
        "profile": result.profile_path,
        "pipeline": result.pipeline_path,
        "spectrograms": result.applied.folder,
        "picture": result.comparison,
        "report": result.report,
    }
    for name, path in rows.items():
        say(f"{name:>14}  {path.resolve()}")
    say("next:")
    for command in _next_commands(result):
        say(f"  spectronorm {command}")


def _next_commands(result: DemoResult) -> tuple[str, ...]:
    """Return three commands that run as they stand in the working directory."""
    profile, clip = (shlex.quote(str(path)) for path in (result.profile_path, result.clip))
    return (
        f"show {profile} --hold-out fold=1",
        f"plot {clip} -p {profile} -o siren.png",
        f"fit {shlex.quote(str(result.dataset))} -o mel.safetensors --n-mels 64 --max-bad 5%  # or your own folder",
    )
