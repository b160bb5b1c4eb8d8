"""`spectronorm import`: a pipeline from another program's statistics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.cli.command_line import command_line
from spectronorm.cli.options import JsonOption
from spectronorm.cli.run import guarded, print_json, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.errors import ArgumentError
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels, preset
from spectronorm.interop.statistics import STATISTICS_FORMATS, ShiftAndScale, read_numbers
from spectronorm.interop.statistics.read_file import fitted_to, require_fit
from spectronorm.pipeline import Pipeline

_EXAMPLES = """
**Examples**

    spectronorm import preprocessor_config.json --preset ast -o pipeline.safetensors

    spectronorm import cmvn.ark --key speaker7 --preset kaldi -o speaker7.safetensors

    spectronorm import feats_stats.npz --levels levels.json -o pipeline.safetensors
"""
PresetOption = Annotated[
    str | None, typer.Option("--preset", help="Front end by name; spectronorm presets lists them.", metavar="NAME")
]
FrontEndOption = Annotated[
    Path | None, typer.Option("--front-end", help="Front end in a JSON file.", metavar="FILE.json")
]
LevelsOption = Annotated[
    Path | None, typer.Option("--levels", help="Levels made elsewhere, described in JSON.", metavar="LEVELS.json")
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="Format of the file; by default the only one that recognizes it."),
]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="Speaker in an archive with several; * adds up all of them.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog=_EXAMPLES)(guarded(writing(import_command)))


def import_command(
    context: typer.Context,
    statistics: Annotated[Path, typer.Argument(help="File with means and deviations; see spectronorm formats.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Pipeline to write.")],
    preset_name: PresetOption = None,
    front_end: FrontEndOption = None,
    levels: LevelsOption = None,
    format_name: FormatOption = None,
    key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Make a pipeline that applies another program's statistics exactly as that program does; no code is run."""
    name, numbers = read_numbers(statistics, format_name, key=key)
    chosen = chosen_front_end(preset_name, front_end, levels, STATISTICS_FORMATS.find(name).preset)
    require_fit(statistics, numbers, chosen)
    fitted = fitted_to(name, numbers, chosen)
    noted = replace(fitted.fitted_on, commands=(command_line(context),))
    pipeline = Pipeline(chosen, replace(fitted, fitted_on=noted))
    pipeline.save(output)
    if json:
        print_json({"format": name, **pipeline.summary(), "notes": list(numbers.notes)})
        return
    say(numbers_line(name, numbers), beside=output)
    for note in numbers.notes:
        warn(note)


def numbers_line(name: str, numbers: ShiftAndScale) -> str:
    """The numbers of a file in one line: bands, range, convention and count."""
    size = numbers.shift.size
    count = "count unknown" if numbers.count is None else f"{numbers.count:,.0f} frames"
    factor = "" if numbers.factor == 1.0 else f", applied {numbers.factor:g} times"
    return (
        f"{name}: {STATISTICS_FORMATS.find(name).convention}; {size} {'number' if size == 1 else 'bands'}, mean "
        f"{_range(numbers.shift.min(), numbers.shift.max())}, std {_range(numbers.std.min(), numbers.std.max())}"
        f"{factor}; {count}"
    )


def chosen_front_end(
    preset_name: str | None, front_end: Path | None, levels: Path | None, usual: str = ""
) -> AnyFrontEnd:
    """The front end that exactly one of three options names.

    Raises:
        ArgumentError: if none or several are given.
    """
    given = [one for one in (preset_name, front_end, levels) if one is not None]
    if len(given) != 1:
        hint = f"; this format's own features are often --preset {usual}" if usual else ""
        raise ArgumentError(
            f"say which features the statistics are of, by one of --preset, --front-end, --levels{hint}"
        )
    if preset_name is not None:
        return preset(preset_name)
    return FrontEnd.load(front_end) if front_end is not None else Levels.load(str(levels))


def _range(low: float, high: float) -> str:
    return f"{low:.6g}" if low == high else f"{low:.6g} … {high:.6g}"
