"""Table of the commands: a command's module is imported once it is called, and its help is listed without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

COMMANDS: Mapping[str, tuple[str, str]] = {
    "fit": ("fit", "Measure a source once and exactly; every normalizer can be made from the profile."),
    "show": ("show", "Print a profile: pooled and per-band figures, groups, bad files."),
    "apply": (
        "apply",
        "Write each clip's normalized spectrogram, `(band, frame)` float32, in the source's folder structure.",
    ),
    "check": (
        "check",
        "Find held-out clips that a profile measured: clips of a test set, or a source's held-out clips.",
    ),
    "inspect": ("inspect", "List clips that are clipped, silent, copied, broken, or unlike the others: worst first."),
    "images": (
        "images",
        "Write each clip's spectrogram as a greyscale PNG that carries everything needed for inversion to sound.",
    ),
    "invert": (
        "invert",
        "Write the sound of spectrogram images, which carry everything needed, or of saved spectrograms.",
    ),
    "roundtrip": (
        "round_trip",
        "Write each clip, its image, and the sound recovered from the image alone, and report the loss of each stage.",
    ),
    "presets": ("presets", "List the presets: front ends of published systems, with their settings and sources."),
    "plot": ("plot", "Draw one clip's spectrogram under several normalizations, in Hz and seconds."),
    "explore": (
        "explore",
        "Look at and listen to clips in the browser, the oddest first, and try floors and normalizations on them.",
    ),
    "plugins": (
        "plugins",
        "List the entries of each registry, built in or from other packages; fail if a plug-in cannot be used.",
    ),
    "explain": ("explain", "Explain in words how two front ends or pipelines differ, and the effect on the numbers."),
    "import": (
        "import_statistics",
        "Make a pipeline that applies another program's statistics exactly as that program does; no code is run.",
    ),
    "export": (
        "export_statistics",
        "Write statistics, or a profile's sums, in another program's format, and note what it cannot carry.",
    ),
    "formats": ("formats", "List the formats that import and export know, with the convention of each."),
    "audit": ("audit", "Measure a source and report if given statistics are right, or which common mistake made them."),
    "describe": (
        "describe",
        "Describe exactly what was done, with every setting, count and version, in a paragraph for a methods section.",
    ),
    "cite": ("describe", "Print a BibTeX entry of this version."),
    "compare": (
        "compare",
        "Train models that differ only in their normalization, and report which differences are significant.",
    ),
    "sensitivity": ("sensitivity", "Measure what a wrong mean or deviation costs a trained model, by inference alone."),
    "watch": ("watch", "Compare incoming clips with the training clips; on an alarm, report the change and advice."),
    "update": (
        "update",
        "Move a profile's means (or means and stds) towards new audio; refused if that would do harm.",
    ),
    "demo": (
        "demo",
        "Synthesize ten kinds of sound, measure them, apply the result, draw figures, and list the files.",
    ),
    "warm": ("warm", "Compile all kernels in advance, such as in a container image, so that no run has to compile."),
    "gan": ("gan", "Train a SpecGAN on spectrogram images, sample from it, and score it."),
    "datasets": ("datasets", "Download public data sets and verify them."),
}
"""Module of each command, and the first paragraph of its help, in the order in which they are listed."""


def add_commands(app: typer.Typer) -> typer.Typer:
    """Import every module of commands, add all of them, and return the app."""
    for module in dict.fromkeys(module for module, _ in COMMANDS.values()):
        _register(module, app)
    return app


def with_summary(name: str) -> TyperCommand:
    """Return a command that can be listed, but not called."""
    return TyperCommand(name, help=COMMANDS[name][1], rich_markup_mode="markdown")


class CommandsOnFirstUse(MutableMapping[str, Any]):
    """Commands by name, each made by its module when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS or name in self._made

    def __getitem__(self, name: str) -> Any:
        if name not in self._made and name in COMMANDS:
            app = typer.Typer(rich_markup_mode="markdown")
            app.callback()(lambda: None)
            _register(COMMANDS[name][0], app)
            self._made |= typer.main.get_group(app).commands
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*COMMANDS, *self._made]))

    def __len__(self) -> int:
        return len({*COMMANDS, *self._made})


def _register(module: str, app: typer.Typer) -> None:
    import_module(f"spectronorm.cli.{module}").register(app)
