"""Every number option of every command has finite bounds, and whatever is given as a number ends in one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from spectronorm.cli.app import app
from spectronorm.cli.front_end import _OPTIONS as FRONT_END_OPTIONS
from spectronorm.cli.front_end import build
from spectronorm.errors import ArgumentError

ODD_NUMBERS = (
    *("nan", "inf", "-inf", "1e308", "-1e308", "1e-320", "-1e-320", "1e999", "0", "-1", "2147483648", "-2147483649"),
    *("9223372036854775808", "1" + "0" * 400, "1" * 5000, "", " ", "0x10", "1_000", "٣", "1e", "--", "1,5", "½"),
)
_MOST = 1e19


def commands() -> Iterator[tuple[str, Any]]:
    """Every command, those of groups too, by the words that call it."""
    waiting: list[tuple[str, Any]] = [("", typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        inner = getattr(command, "commands", None)
        if inner is None:
            yield words, command
            continue
        waiting += [(f"{words} {name}".strip(), sub) for name, sub in inner.items()]


COMMANDS = dict(sorted(commands()))


def number_options(command: Any) -> dict[str, Any]:
    """The parameters that take a whole number or a number, by the option's name."""
    return {p.opts[-1]: p for p in command.params if p.type.name.split()[0] in ("integer", "float")}


@pytest.mark.parametrize("words", COMMANDS)
def test_every_number_option_has_finite_bounds(words: str) -> None:
    """Lowest and highest are stated where the option is, or by the front end's own settings."""
    for name, option in number_options(COMMANDS[words]).items():
        if option.name in FRONT_END_OPTIONS:
            continue
        low, high = getattr(option.type, "min", None), getattr(option.type, "max", None)
        assert low is not None, f"{words} {name} has no lowest value"
        assert high is not None, f"{words} {name} has no highest value"
        assert abs(low) < _MOST, f"{words} {name}"
        assert abs(high) < _MOST, f"{words} {name}"


NUMBERS = [(words, name) for words, command in COMMANDS.items() for name in number_options(command)]


@pytest.mark.parametrize(("words", "name"), NUMBERS)
def test_an_odd_number_is_refused_in_one_sentence(words: str, name: str) -> None:
    """Exit code 1 or 2, never a traceback: the source does not exist, so that nothing else is done."""
    runner = CliRunner()
    command = COMMANDS[words]
    there = [option.opts[-1] for option in command.params if option.required and option.opts[0].startswith("-")]
    given = ["nowhere" for option in command.params if option.required and not option.opts[0].startswith("-")]
    for number in ODD_NUMBERS:
        arguments = [*words.split(), *given, f"{name}={number}"]
        arguments += [part for option in there if option != name for part in (option, "nowhere/out")]
        result = runner.invoke(app, arguments)
        text = f"{arguments} gave {result.exit_code}: {result.exception!r}"
        assert result.exit_code in (1, 2), text
        assert isinstance(result.exception, SystemExit), text
        assert "Traceback" not in result.output, text


FLOATS = (math.nan, math.inf, -math.inf, 1e308, -1e308, 1e-320, 0.0, -1.0, 1e19)
INTEGERS = (0, -1, 1 << 26, 1 << 31, 1 << 63, 10**20, 10**400)


@pytest.mark.parametrize("name", sorted(FRONT_END_OPTIONS))
def test_an_odd_setting_of_a_front_end_is_refused_or_makes_one(name: str) -> None:
    """Settings that fit together, or `ArgumentError`, for every kind of each slot."""
    kinds: list[dict[str, Any]] = [{}]
    kinds += [{"level": kind} for kind in ("sliding", "peak", "rms", "loudness", "pre_emphasis", "scale")]
    kinds += [{"bands": kind} for kind in ("linear", "mel", "gammatone")]
    kinds += [{"compress": kind} for kind in ("decibel", "ln", "log1p", "root", "pcen")]
    made = 0
    for kind in kinds:
        for value in (*FLOATS, *INTEGERS, True, "x", ""):
            try:
                made += bool(build({**dict.fromkeys(FRONT_END_OPTIONS), **kind, name: value}).fingerprint)
            except ArgumentError:
                continue
    assert made >= 0
