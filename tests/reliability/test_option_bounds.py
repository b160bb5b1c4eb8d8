"""Every number option of every command has finite bounds, and whatever is given as a number ends in one sentence."""

from __future__ import annotations

import math
from typing import Any

import pytest

from spectronorm.cli.front_end import build
from spectronorm.errors import ArgumentError

from .command_line import COMMANDS, SLOT_OPTIONS, Parameter, run

ODD_NUMBERS = (
    *("nan", "inf", "-inf", "1e308", "-1e308", "1e999", "-1", "-2147483649", "1" + "0" * 400, "1" * 5000),
    *("", " ", "0x10", "1e", "--", "1,5", "½", "None", "[]"),
)
_MOST = 1e19


def numbers(parameters: list[Parameter]) -> list[Parameter]:
    """The options that take a whole number or a number."""
    return [parameter for parameter in parameters if parameter.kind in (int, float)]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_number_option_has_finite_bounds(words: str) -> None:
    """Lowest and highest are stated where the option is, or by the front end's own settings."""
    for option in numbers(COMMANDS[words]):
        if option.of_front_end:
            continue
        for which in ("min", "max"):
            bound = getattr(option.info, which)
            assert bound is not None, f"{words} {option.flag} has no {which}"
            assert abs(bound) < _MOST, f"{words} {option.flag}: {which}={bound}"


NUMBERS = [
    (words, option.flag)
    for words, parameters in COMMANDS.items()
    for option in numbers(parameters)
    if words == "fit" or not option.of_front_end
]


@pytest.mark.parametrize(("words", "flag"), NUMBERS)
def test_an_odd_number_is_refused_in_one_sentence(words: str, flag: str) -> None:
    """Exit code 1 or 2, never a traceback: the source does not exist, so that nothing else is done."""
    given = words.split()
    for parameter in COMMANDS[words]:
        if parameter.required and parameter.flag != flag:
            given += ["nowhere"] if parameter.is_argument else [parameter.flag, "nowhere/out"]
    for number in ODD_NUMBERS:
        result = run([*given, f"{flag}={number}"])
        assert not result.complaint, f"{flag}={number[:40]}: {result.complaint}"
        assert result.exit_code in (1, 2), f"{flag}={number[:40]} gave {result.exit_code}"


VALUES = (
    *(math.nan, math.inf, -math.inf, 1e308, 1e-320, 0.0, -1.0, 1e19, 0.5),
    *(0, -1, 1 << 26, 1 << 31, 1 << 63, 10**20, 10**400, True, "x", "", "none", "1,2", "1e999"),
)
KINDS: tuple[dict[str, Any], ...] = (
    {},
    *({"level": kind} for kind in ("sliding", "peak", "rms", "loudness", "pre_emphasis", "scale")),
    *({"bands": kind} for kind in ("linear", "mel", "gammatone")),
    *({"compress": kind} for kind in ("decibel", "ln", "log1p", "root", "pcen")),
)


@pytest.mark.parametrize("name", sorted({*SLOT_OPTIONS, "sample_rate", "resampler", "level", "bands", "compress"}))
def test_an_odd_setting_of_a_front_end_is_refused_or_makes_one(name: str) -> None:
    """Settings that fit together, or `ArgumentError`, for every kind of each slot."""
    refused = 0
    for kind in KINDS:
        for value in VALUES:
            try:
                assert build({**kind, name: value}, SLOT_OPTIONS).fingerprint
            except ArgumentError:
                refused += 1
    assert refused
