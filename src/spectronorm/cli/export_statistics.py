"""`spectronorm export`: statistics for another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spectronorm.cli.options import ExcludeFloorOption, HoldOutOption, JsonOption, NormalizeOption, parse_hold_out
from spectronorm.cli.run import guarded, print_json, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.errors import ArgumentError
from spectronorm.interop.statistics import write_statistics
from spectronorm.pipeline import Pipeline, load, open_fitted
from spectronorm.profile import Profile

_EXAMPLES = """
**Examples**

    spectronorm export esc10.safetensors --to kaldi -o global_cmvn

    spectronorm export esc10.safetensors --normalize band --to speechbrain -o normalizer.ckpt

    spectronorm export pipeline.safetensors --to hf -o preprocessor_config.json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", epilog=_EXAMPLES)(guarded(writing(export_command)))


def export_command(
    file: Annotated[Path, typer.Argument(help="A saved pipeline, or a profile.")],
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="Format; spectronorm formats lists them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    normalize: NormalizeOption = None,
    hold_out: HoldOutOption = None,
    exclude_floor: ExcludeFloorOption = False,
    json: JsonOption = False,
) -> None:
    """Write statistics, or a profile's sums, in another program's format, and note what it cannot carry."""
    what: Pipeline | Profile = load(file)
    if isinstance(what, Pipeline) or normalize is not None:
        pairs = parse_hold_out(hold_out)
        what = open_fitted(file, normalize, pairs, exclude_floor=exclude_floor)
    else:
        if exclude_floor:
            raise ArgumentError("sums count every cell: give --normalize to leave the floor out")
        for column, value in parse_hold_out(hold_out):
            what = what.without(**{column: value})
    lost = write_statistics(output, what, to)
    if json:
        print_json({"output": str(output), "format": to, "remarks": list(lost)})
        return
    say(f"{output}: {to}", beside=output)
    for remark in lost:
        warn(remark)
