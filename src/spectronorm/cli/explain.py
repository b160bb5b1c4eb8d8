"""`spectronorm explain`: differences between two front ends or pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spectronorm.audio import read
from spectronorm.cli.options import JsonOption
from spectronorm.cli.run import guarded, print_json
from spectronorm.cli.terminal import say
from spectronorm.errors import ArgumentError
from spectronorm.explain import PROBE_RATE, Explanation, explain
from spectronorm.front_end import PRESETS, FrontEnd, preset, require_front_end
from spectronorm.pipeline import Pipeline, load
from spectronorm.profile import Profile
from spectronorm.suggestion import choice_of

_EXAMPLES = """
**Examples**

    spectronorm explain librosa torchaudio

    spectronorm explain kaldi my-front-end.json

    spectronorm explain last-year.safetensors this-year.safetensors --audio dog.wav
"""
_WHAT = "A preset, a JSON file of a front end, a saved pipeline or a profile."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", epilog=_EXAMPLES)(guarded(explain_command))


def explain_command(
    a: Annotated[str, typer.Argument(help=_WHAT)],
    b: Annotated[str, typer.Argument(help="A second preset, file, pipeline or profile.")],
    audio: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Sound to measure the difference on; by default a test sound."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Explain in words how two front ends or pipelines differ, and the effect on the numbers."""
    first, second = _open(a), _open(b)
    if audio is None:
        explanation = explain(first, second)
    else:
        explanation = explain(first, second, read(audio, PROBE_RATE), PROBE_RATE)
    if json:
        print_json(explanation.to_dict())
        return
    for line in _lines(a, b, explanation):
        say(line)


def _lines(a: str, b: str, explanation: Explanation) -> list[str]:
    if not explanation.differences:
        lines = [f"{a} and {b} have {_compared(a, b)}."]
    else:
        lines = [f"here is {a}, there is {b}", ""]
        for d in explanation.differences:
            lines += [f"{d.setting}: {d.here} here, {d.there} there", f"    {d.effect}"]
    return [*lines, "", "measured on a sound:", *(f"    {sentence}" for sentence in explanation.measured)]


def _compared(a: str, b: str) -> str:
    """The things that were found to be the same."""
    contents = [None if one in PRESETS or Path(one).suffix == ".json" else load(one) for one in (a, b)]
    if any(isinstance(one, Pipeline) for one in contents):
        return "the same front end and the same normalizer"
    if any(isinstance(one, Profile) for one in contents):
        return "the same front end; the statistics of profiles are not compared (spectronorm show prints them)"
    return "the same settings"


def _open(name: str) -> FrontEnd | Pipeline:
    """Load the front end or pipeline that an argument names."""
    if name in PRESETS:
        return preset(name)
    if not Path(name).exists():
        raise ArgumentError(f"{name!r} is neither a file nor a preset ({choice_of(name, PRESETS)})")
    if Path(name).suffix == ".json":
        return FrontEnd.load(name)
    content = load(name)
    return content if isinstance(content, Pipeline) else require_front_end(content.front_end, "explaining it")
