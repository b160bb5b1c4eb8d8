"""`spectronorm datasets`: public data sets, downloaded and verified."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spectronorm.cli.options import JsonOption
from spectronorm.cli.run import guarded, print_json, progress_bar
from spectronorm.cli.terminal import say
from spectronorm.datasets import DATASETS, find_dataset
from spectronorm.datasets import get as get_dataset

_EXAMPLES = """
**Examples**

    spectronorm datasets list

    spectronorm datasets get fsdd

    spectronorm datasets get esc50 -o data/ESC-50

    spectronorm datasets get esc50 --archive ESC-50-33c8ce9.zip
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Download public data sets and verify them.", no_args_is_help=True)
    group.command("get", epilog=_EXAMPLES)(guarded(get_command))
    group.command("list", epilog=_EXAMPLES)(guarded(list_command))
    app.add_typer(group, name="datasets")


def get_command(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(DATASETS)}.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the data set; by default its name, in the current folder."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="Address of a mirror, in place of the official one.")] = None,
    archive: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Zip archive that was already downloaded.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Download a data set from its official source and verify its content; an interrupted download is resumed."""
    dataset = find_dataset(name)
    with progress_bar(f"downloading {name} (bytes)") as progress:
        got = get_dataset(dataset, output or Path(name), url=url, archive=archive, progress=progress)
    if json:
        print_json(
            {
                "name": name,
                "source": str(got.source),
                "checked": got.checked,
                "fetched": got.fetched,
                "licence": dataset.licence,
                "citation": dataset.citation,
            }
        )
        return
    say(f"{got.source}\n{dataset.summary}\nchecked: {got.checked}")
    say(f"licence: {dataset.licence}\ncite: {dataset.citation}")


def list_command(json: JsonOption = False) -> None:
    """List the data sets that can be downloaded."""
    if json:
        print_json({name: {"summary": d.summary, "licence": d.licence, "url": d.url} for name, d in DATASETS.items()})
        return
    for name, dataset in DATASETS.items():
        say(f"{name}: {dataset.summary}\n    {dataset.licence}\n    {dataset.url}")
