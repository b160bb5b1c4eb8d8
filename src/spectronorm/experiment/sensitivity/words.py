"""Sensitivity of a model in sentences."""

from __future__ import annotations

from spectronorm.counted import counted
from spectronorm.experiment.answer.points import points
from spectronorm.experiment.answer.units import FEWEST_GROUPS
from spectronorm.experiment.sensitivity.errors_of_statistics import BANDS, FEW, MEAN, STD
from spectronorm.experiment.sensitivity.measure import ErrorEffect, Sensitivity

TOLERATED = 0.01
"""Loss of one point, which the sentences take as the limit of what a user accepts."""


def sensitivity_sentences(found: Sensitivity) -> list[str]:
    """State what wrong statistics cost, and where the shipped ones lie."""
    on = f"{counted(found.clips, 'clip')} of {found.groups} recordings or speakers"
    offset = f"{round(found.offset, 2) + 0.0:+.2f}".replace("-", "−")
    where = (
        f"The shipped mean lies {offset} standard deviations (sd) from this source's own, averaged over the bands, and "
        f"single bands differ by a further {found.jagged:.2f} sd; the shipped scale is {found.ratio:.2f} times this "
        f"source's standard deviation. With this source's own statistics the {found.metric} changes by "
        f"{change(found.own)} points."
    )
    said = [f"With the shipped statistics the {found.metric} is {number(found.value)} on {on}."]
    if found.by_guess is not None and not _better(found.value, found.by_guess, found):
        said.append(
            f"This is no better than guessing by the shares of the classes ({number(found.by_guess)}), so the changes "
            "mean nothing: check the order of the classes, the profile and the model."
        )
    if found.groups < FEWEST_GROUPS:
        said.append(
            f"The intervals rest on {found.groups} recordings or speakers; fewer than {FEWEST_GROUPS} tell little of "
            "how others would do."
        )
    said.append(where)
    said += [_worst_of(title, worst, found) for title, worst in _worst(found)]
    few, sign = found.of_kind(FEW), -1 if found.lower_is_better else 1
    enough = next((effect for n, effect in enumerate(few) if all(sign * e.change > -TOLERATED for e in few[n:])), None)
    if enough is not None:
        said.append(
            f"Statistics from {enough.mean:g} clips cost less than {100 * TOLERATED:g} point on average here: they "
            f"change the {found.metric} by {change(enough)} points, and in the worst draw by {points(enough.worst)}."
        )
    elif few:
        last = few[-1]
        said.append(
            f"Statistics from {last.mean:g} clips still change the {found.metric} by {change(last)} points on average."
        )
    return said


def _better(value: float, other: float, found: Sensitivity) -> bool:
    return value < other if found.lower_is_better else value > other


def _worst_of(title: str, worst: ErrorEffect, found: Sensitivity) -> str:
    if worst.change == 0 or _better(worst.change, 0.0, found):
        return f"No {title} that was tried made the {found.metric} worse; {worst.name}: {change(worst)} points."
    return f"Worst {title}: {worst.name}, {change(worst)} points."


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
