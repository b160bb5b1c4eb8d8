"""`spectronorm roundtrip`: sound to image to sound, with the loss of each stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from spectronorm.cli.front_end import with_front_end
from spectronorm.cli.invert import MethodOption, QualityOption, SeedOption
from spectronorm.cli.options import JsonOption
from spectronorm.cli.run import guarded, print_json, writing
from spectronorm.cli.terminal import console, say
from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.passes.round_trip import RoundTrip, RoundTripOptions, round_trip
from spectronorm.printable import printable
from spectronorm.report.html import page_template
from spectronorm.report.round_trip_figure import draw_round_trip
from spectronorm.report.round_trip_page import save_round_trip_page
from spectronorm.storage.atomic import write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable

_EXAMPLES = """
**Examples**

    spectronorm roundtrip speech.wav -o out/ --n-mels 80 --n-fft 1024 --hop-length 256 --speech

    spectronorm roundtrip esc10/audio/1-*.ogg -o out/ --preset logmel --quality best
"""
_COLUMNS = {
    "quantization_rms_db": "image rms",
    "quantization_max_db": "image max",
    "bands_db": "bins",
    "level_db": "level",
    "level_rms_db": "level rms",
    "convergence_db": "SC",
    "pesq": "PESQ",
    "stoi": "STOI",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("roundtrip", epilog=_EXAMPLES)(guarded(writing(with_front_end(round_trip_command))))


def round_trip_command(
    *,
    clips: Annotated[list[Path], typer.Argument(help="Audio files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Output folder.")],
    front_end: FrontEnd,
    bits: Annotated[int, typer.Option(min=8, max=16, help="Bit depth of the image: 8 or 16.")] = 8,
    method: MethodOption = "auto",
    quality: QualityOption = "good",
    seed: SeedOption = 0,
    speech: Annotated[
        bool, typer.Option("--speech", help="Also measure PESQ and STOI, if pesq and pystoi are installed.")
    ] = False,
    figure: Annotated[bool, typer.Option("--figure", help="Draw a figure of each round trip (extra report).")] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="PAGE.html", help="Write a page with players and pictures (extra report)."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write each clip, its image, and the sound recovered from the image alone, and report the loss of each stage."""
    options = RoundTripOptions(bits, method, quality, seed, speech)
    names = [clip.stem for clip in clips]
    twice = sorted(name for name in set(names) if names.count(name) > 1)
    if twice:
        raise ArgumentError(f"{twice[0]}: two clips have this name, and would overwrite each other; rename one")
    if html is not None:
        page_template("")  # before any work, if the extra is missing
        require_replaceable(html, Content.PAGE)
    results = {clip.stem: round_trip(clip, front_end, output, options=options) for clip in clips}
    if figure:
        for name, result in results.items():
            draw_round_trip(result, output / f"{name}.figure.png")
    if html is not None:
        save_round_trip_page(results, html)
    plain = {name: dict(result.losses) for name, result in results.items()}
    write_text(output / "roundtrip.json", canonical_json(plain) + "\n", Content.RECORD)
    if json:
        print_json(plain)
        return
    console().print(_table(list(results.items())))
    say(f"{output}: the originals, images, recovered sounds and roundtrip.json")
    if html is not None:
        say(f"{html}: the page")


def _table(results: Sequence[tuple[str, RoundTrip]]) -> Table:
    measured = [name for name in _COLUMNS if name in results[0][1].losses]
    table = Table(title="Loss of each stage (dB)")
    table.add_column("clip", overflow="fold")
    for name in measured:
        table.add_column(_COLUMNS[name], justify="right")
    for clip, result in results:
        table.add_row(printable(clip), *(_cell(result.losses[name]) for name in measured))
    return table


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
