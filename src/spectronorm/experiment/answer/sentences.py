"""A comparison in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from spectronorm.experiment.answer import words
from spectronorm.experiment.answer.chances import MARGIN, Chances
from spectronorm.experiment.answer.points import points
from spectronorm.experiment.answer.statistics import PairedDifference
from spectronorm.experiment.answer.words import BETTER, WORSE, ArmVerdict


def sentences(found: Iterable[ArmVerdict], reference: str, unit: str = "points") -> list[str]:
    """State verdicts in words: each arm against the reference, and each other pair with a winner."""
    said = []
    for verdict in found:
        difference = verdict.difference
        if reference in (difference.first, difference.second):
            said.append(sentence(verdict if difference.second == reference else verdict.reversed, unit=unit))
        elif verdict.word in (BETTER, WORSE):
            said.append(sentence(verdict, unit=unit))
    return said


def sentence(verdict: ArmVerdict, where: str = "here", unit: str = "points") -> str:
    """State one verdict in words, in percentage points of the metric."""
    difference = verdict.difference
    if verdict.word == WORSE:
        return sentence(verdict.reversed, where, unit)
    ends = f"{points(difference.bootstrap.low)} … {points(difference.bootstrap.high)}"
    first, second = in_quotes(difference.first), in_quotes(difference.second)
    match verdict.word:
        case words.BETTER:
            return f"{first} is better than {second} {where} by {100 * abs(difference.estimate):.1f} {unit} ({ends})."
        case words.EQUIVALENT:
            return f"{first} and {second} are equally good {where}, within two points ({ends} {unit})."
        case words.UNRESOLVED:
            said = (
                f"{first} against {second} is unresolved {where} ({ends} {unit} over recordings, "
                f"{_units(difference)}, p = {verdict.holm:.2g} after Holm)"
            )
        case words.UNSAID:
            said = f"This run cannot rank {first} and {second} {where}: {difference.missing} ({ends} {unit})"
        case _:
            said = f"{first} and {second} do not differ significantly {where} ({ends} {unit})"
    return f"{said}{_chances(first, difference.chances)}."


def in_quotes(arm: str) -> str:
    """Return an arm's name in quotation marks, since `none` and `flip in time` would read as words of the sentence."""
    return f"“{arm}”"


def _units(difference: PairedDifference) -> str:
    if difference.spread is None:
        return "unknown over folds and seeds"
    found = difference.spread.interval
    return f"{points(found.low)} … {points(found.high)} over {difference.spread.units}"


def _chances(first: str, found: Chances | None) -> str:
    if found is None:
        return ""
    margin = f"{100 * MARGIN:.0f} points"
    return (
        f"; {first} is better by more than {margin} with {100 * found.better:.0f} % probability, "
        f"within {margin} with {100 * found.same:.0f} %, worse with {100 * found.worse:.0f} %"
    )
