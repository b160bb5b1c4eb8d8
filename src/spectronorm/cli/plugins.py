"""`spectronorm plugins`: lists every registry and the origin of its entries."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Annotated, Any

import typer

from spectronorm.audio import SOURCES
from spectronorm.augment import AUGMENTATIONS
from spectronorm.cli.options import JsonOption
from spectronorm.cli.run import FAILED, guarded, print_json
from spectronorm.cli.terminal import warn
from spectronorm.engines import ENGINES
from spectronorm.errors import ArgumentError
from spectronorm.front_end.bands import BANDS
from spectronorm.front_end.compress import COMPRESSIONS
from spectronorm.front_end.waveform import WAVEFORM_LEVELS
from spectronorm.image_files import IMAGE_RANGES
from spectronorm.interop.statistics import STATISTICS_FORMATS
from spectronorm.normalize import NORMALIZERS
from spectronorm.registry import Registry
from spectronorm.settings import settings_of
from spectronorm.suggestion import choice_of

EXAMPLES = """
**Examples**

    spectronorm plugins

    spectronorm plugins normalizers

    spectronorm plugins --json
"""
REGISTRIES: Sequence[Registry[Any]] = (
    WAVEFORM_LEVELS,
    BANDS,
    COMPRESSIONS,
    NORMALIZERS,
    AUGMENTATIONS,
    SOURCES,
    IMAGE_RANGES,
    STATISTICS_FORMATS,
    ENGINES,
)
"""Every registry that other packages may extend."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plugins", epilog=EXAMPLES)(guarded(plugins_command))


def plugins_command(
    kind: Annotated[str | None, typer.Argument(help="Show this kind only, with every setting.")] = None,
    json: JsonOption = False,
) -> None:
    """List the entries of each registry, built in or from other packages; fail if a plug-in cannot be used."""
    chosen = [registry for registry in REGISTRIES if kind in (None, registry.kind)]
    if not chosen:
        known = [registry.kind for registry in REGISTRIES]
        raise ArgumentError(f"kind={kind!r} is unknown; use {choice_of(kind, known)}")
    found = {registry.kind: _listed(registry) for registry in chosen}
    problems = [problem for registry in chosen for problem in registry.problems()]
    if json:
        print_json({"kinds": found, "problems": problems})
    else:
        for name, things in found.items():
            typer.echo(f"{name} (entry points spectronorm.{name})")
            for thing, about in things.items():
                typer.echo(_line(thing, about))
                for setting, text in (about["settings"] if kind is not None else {}).items():
                    typer.echo(f"    {setting}: {text}")
    for problem in problems:
        warn(problem)
    if problems:
        raise typer.Exit(FAILED)


def _listed(registry: Registry[Any]) -> dict[str, dict[str, Any]]:
    short: dict[str, list[str]] = {}
    for name, (kind, _) in registry.variants().items():
        short.setdefault(kind, []).append(name)
    return {
        name: {
            "class": f"{cls.__module__}.{cls.__qualname__}",
            "plugin": registry.plugin_of(name),
            "names": short.get(name, []),
            "about": (inspect.getdoc(cls) or "").partition("\n")[0],
            "settings": {s.name: s.help for s in settings_of(cls).values()} if is_dataclass(cls) else {},
        }
        for name, cls in registry.classes().items()
    }


def _line(name: str, about: dict[str, Any]) -> str:
    others = "" if about["names"] == [name] or not about["names"] else f" ({', '.join(about['names'])})"
    plugin = "" if about["plugin"] is None else f" [{about['plugin']}]"
    return f"  {name}{others}{plugin}: {about['about']}"
