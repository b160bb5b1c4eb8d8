"""`spectronorm invert`: inversion of images and saved spectrograms to sound."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.arrays import MAX_SEED
from spectronorm.cli.options import JsonOption, MaxBadOption, WorkersOption, engine, parse_share
from spectronorm.cli.run import guarded, print_json, progress_bar, warn_left_out, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.interop.tutorial_pictures import LegacyLogMel
from spectronorm.interop.wrapped_codes import WrappedCells
from spectronorm.passes.inversion_options import InversionOptions
from spectronorm.passes.sounds import export_audio
from spectronorm.pipeline import Pipeline, load

_EXAMPLES = """
**Examples**

    spectronorm invert images/dog/1-100032-A-0.png -o dog.wav

    spectronorm invert images/ -o sounds/ --format flac --quality best

    spectronorm invert picture.png -o back.wav
      --legacy-logmel sr=22050,hop_length=512,n_mels=128,min=-20.7,max=3.2
"""

MethodOption = Annotated[
    str,
    typer.Option(
        help="auto, pghi, griffin_lim, admm; for bands wider than a bin band_consistent, or band_sharpened (speech)."
    ),
]
QualityOption = Annotated[str, typer.Option(help="fast, good or best, which sets the number of iterations.")]
SeedOption = Annotated[
    int, typer.Option(min=0, max=MAX_SEED, help="Random seed for the phase of cells that are too quiet to have one.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("invert", epilog=_EXAMPLES)(guarded(writing(invert_command)))


def invert_command(
    target: Annotated[Path, typer.Argument(help="A .png or .npy file, or a folder of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .wav or .flac file, or a folder.")],
    method: MethodOption = "auto",
    quality: QualityOption = "good",
    seed: SeedOption = 0,
    audio_format: Annotated[
        str, typer.Option("--format", help="Audio format of the files in a folder: wav or flac.")
    ] = "wav",
    profile: Annotated[
        Path | None, typer.Option("--profile", "-p", help="For .npy files: the saved pipeline that normalized them.")
    ] = None,
    front_end: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="For .npy files of unnormalized levels: their front end.")
    ] = None,
    legacy_logmel: Annotated[
        str | None,
        typer.Option(
            metavar="SETTINGS",
            help="For images made by the common tutorial code: its sr, hop_length, n_mels, min and max, as below.",
        ),
    ] = None,
    max_bad: MaxBadOption = "1%",
    workers: WorkersOption = None,
    json: JsonOption = False,
) -> None:
    """Write the sound of spectrogram images, which carry everything needed, or of saved spectrograms."""
    options = InversionOptions(
        method=method,
        quality=quality,
        seed=seed,
        format=audio_format,
        front_end=None if front_end is None else FrontEnd.load(front_end),
        pipeline=None if profile is None else _pipeline(profile),
        legacy=None if legacy_logmel is None else LegacyLogMel.parse(legacy_logmel),
    )
    share = parse_share(max_bad, "max-bad")
    with progress_bar("inverting") as progress:
        inverted = export_audio(target, output, options, max_bad=share, engine=engine(workers), progress=progress)
    if json:
        files = [
            {
                "source": f.source,
                "output": str(f.output),
                "seconds": f.seconds,
                "notes": f.notes,
                "wrapped": None if f.wrapped is None else {**asdict(f.wrapped), "share": f.wrapped.share},
            }
            for f in inverted.files
        ]
        print_json({"files": files, "bad": [bad.to_dict() for bad in inverted.bad]})
        return
    seconds = sum(file.seconds for file in inverted.files)
    say(f"{output}: {counted(len(inverted.files), 'sound')}, {seconds:,.1f} s", beside=output)
    for file in inverted.files:
        for note in file.notes:
            warn(f"{file.source}: {note}")
    wrapped = [file.wrapped for file in inverted.files if file.wrapped is not None]
    if len(wrapped) > 1:
        say(_wrapped_in_all(wrapped))
    warn_left_out(inverted.bad)


def _wrapped_in_all(wrapped: list[WrappedCells]) -> str:
    """Say which share of the cells of all images had wrapped around."""
    total = WrappedCells(*(sum(getattr(one, field.name) for one in wrapped) for field in fields(WrappedCells)))
    silence, below, above = (number / total.cells for number in (total.silence, total.below, total.above))
    return (
        f"{total.share:.2%} of all cells had wrapped around and are restored: {silence:.2%} silence, "
        f"{below:.2%} other cells below min, {above:.2%} above max"
    )


def _pipeline(path: Path) -> Pipeline:
    content = load(path)
    if not isinstance(content, Pipeline):
        raise ArgumentError(
            f"{path}: is a profile; the inverse needs the pipeline that normalized (pipeline.safetensors next to the "
            "output)"
        )
    return content
