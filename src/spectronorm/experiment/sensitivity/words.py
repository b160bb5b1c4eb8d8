"""Sensitivity of a model in sentences."""

from __future__ import annotations

from spectronorm.experiment.answer.points import points
from spectronorm.experiment.sensitivity.errors_of_statistics import BANDS, FEW, MEAN, STD
from spectronorm.experiment.sensitivity.measure import ErrorEffect, Sensitivity

TOLERATED = 0.01
"""Loss of one point, which the sentences take as the limit of what a user accepts."""


def sensitivity_sentences(found: Sensitivity) -> list[str]:
    """State what wrong statistics cost, and where the shipped ones lie."""
    on = f"{found.clips} clips of {found.groups} recordings or speakers"
    where = (
        f"The shipped mean lies {found.offset:+.2f} sd from this source's own ({found.jagged:.2f} sd more from band to "
        f"band); the shipped scale is {found.ratio:.2f} times its standard deviation; with this source's own "
        f"statistics the {found.metric} changes by {change(found.own)} points."
    )
    said = [f"With the shipped statistics the {found.metric} is {number(found.value)} on {on}.", where]
    said += [f"Worst {title}: {worst.name}, {change(worst)} points." for title, worst in _worst(found)]
    few, sign = found.of_kind(FEW), -1 if found.lower_is_better else 1
    enough = next((effect for n, effect in enumerate(few) if all(sign * e.change > -TOLERATED for e in few[n:])), None)
    if enough is not None:
        said.append(
            f"Statistics from {enough.mean:g} clips cost less than {number(TOLERATED)} on average ({change(enough)}; "
            f"worst of the draws {points(enough.worst)})."
        )
    elif few:
        last = few[-1]
        said.append(
            f"Statistics from {last.mean:g} clips still change the {found.metric} by {points(last.change)} points."
        )
    return said


def change(effect: ErrorEffect) -> str:
    """Format a change with its interval."""
    return f"{points(effect.change)} ({points(effect.low)} … {points(effect.high)})"


def number(value: float) -> str:
    """Format a value in percent."""
    return f"{100 * value:.1f} %"


def _worst(found: Sensitivity) -> list[tuple[str, ErrorEffect]]:
    kinds = ((MEAN, "error of the mean"), (STD, "error of the deviation"), (BANDS, "error of single bands"))
    worst = max if found.lower_is_better else min
    return [(title, worst(found.of_kind(kind), key=lambda effect: effect.change)) for kind, title in kinds]
