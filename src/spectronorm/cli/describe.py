"""`spectronorm describe` and `spectronorm cite`: a paragraph for a methods section, and a reference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spectronorm.arrays import require_choice
from spectronorm.cli.options import HoldOutOption, JsonOption, NormalizeOption, parse_hold_out
from spectronorm.cli.run import guarded, print_json
from spectronorm.errors import ArgumentError, FileFormatError
from spectronorm.image_files.picture import read_any_header
from spectronorm.interop.statistics import read_numbers
from spectronorm.monitor import lineage
from spectronorm.pipeline import load, open_fitted
from spectronorm.profile import ListedFile, Profile
from spectronorm.report.file_list import file_list
from spectronorm.report.methods import PARAGRAPH_FORMS, Described, citation, methods_paragraph

_EXAMPLES = """
**Examples**

    spectronorm describe esc10.safetensors

    spectronorm describe esc10.safetensors --normalize band --hold-out fold=1 --format latex

    spectronorm describe preprocessor_config.json --format markdown

    spectronorm describe listed.safetensors --files > listed.xxh128
"""
_CITE_EXAMPLES = """
**Examples**

    spectronorm cite

    spectronorm cite --json
"""


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("describe", epilog=_EXAMPLES)(guarded(describe_command))
    app.command("cite", epilog=_CITE_EXAMPLES)(guarded(cite_command))


def describe_command(
    file: Annotated[Path, typer.Argument(help="A profile, pipeline, image, or another program's statistics.")],
    form: Annotated[str, typer.Option("--format", help="text, markdown or latex.")] = "text",
    normalize: NormalizeOption = None,
    hold_out: HoldOutOption = None,
    key: Annotated[str | None, typer.Option("--key", help="Speaker in an archive of statistics with several.")] = None,
    files: Annotated[
        bool, typer.Option("--files", help="List the measured files with digests, if fit --list-files kept them.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Describe exactly what was done, with every setting, count and version, in a paragraph for a methods section."""
    require_choice(form, "format", PARAGRAPH_FORMS)
    content = _content(file, normalize, hold_out, key)
    if files:
        listed = _listed(file, content)
        text = file_list(listed, form)
    else:
        listed = ()
        text = methods_paragraph(content, form, lineage(file) if isinstance(content, Profile) else ())
    if json:
        rows = {"files": [{"path": one.path, "xxh3_128": one.digest} for one in listed]} if files else {}
        print_json({"file": str(file), "format": form, "text": text, **rows})
    else:
        typer.echo(text)


def cite_command(json: JsonOption = False) -> None:
    """Print a BibTeX entry of this version."""
    if json:
        print_json({"bibtex": citation()})
    else:
        typer.echo(citation())


def _listed(file: Path, content: Described) -> tuple[ListedFile, ...]:
    found = content.files if isinstance(content, Profile) else ()
    if not found:
        raise ArgumentError(f"{file}: lists no files; measure with spectronorm fit --list-files")
    return found


def _content(file: Path, normalize: str | None, hold_out: list[str] | None, key: str | None) -> Described:
    if normalize is not None:
        return open_fitted(file, normalize, parse_hold_out(hold_out))
    if file.suffix.lower() == ".png":
        return read_any_header(file)
    if key is not None:
        return read_numbers(file, key=key)
    try:
        content = load(file)
    except FileFormatError as ours:
        if not file.is_file():
            raise
        try:
            return read_numbers(file)
        except FileFormatError as theirs:
            raise FileFormatError(f"{ours}; and as another program's statistics: {theirs}") from None
    pairs = parse_hold_out(hold_out)
    for column, value in pairs:
        if not hasattr(content, "without"):
            raise ArgumentError(f"{file}: is a saved pipeline, from which no group can be left out; give the profile")
        content = content.without(**{column: value})
    return content
