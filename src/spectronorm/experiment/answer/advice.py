"""Advice at the end of an answer: which arm to use, and how much more training would settle what is open."""

from __future__ import annotations

import math
from dataclasses import replace

from spectronorm.counted import counted
from spectronorm.experiment.answer.chances import MARGIN
from spectronorm.experiment.answer.power import Precision, detectable
from spectronorm.experiment.answer.precision import TOO_FEW_UNITS, has_too_few_units
from spectronorm.experiment.answer.sentences import in_quotes
from spectronorm.experiment.answer.words import BETTER, EQUIVALENT, UNSAID, ArmVerdict

_MOST_SEEDS = 100


def advice(
    against: list[ArmVerdict],
    reference: str,
    precision: Precision,
    pairs: int,
    *,
    folds: int,
    seeds: int,
    block_seconds: float,
) -> tuple[str, ...]:
    """Advise on the arm to use, and on the blocks that a difference of two points would take.

    Args:
        against: Verdicts of each arm against the reference, in this order.
        reference: The reference arm.
        precision: Precision of the run's differences.
        pairs: Number of pairs that Holm's correction covers.
        folds: Number of folds of the complete blocks.
        seeds: Number of seeds of the complete blocks.
        block_seconds: Mean duration of a block's training in seconds.
    """
    said = [_choice(against, reference)]
    if all(verdict.word in (BETTER, EQUIVALENT) for verdict in against):
        return tuple(said)
    if any(verdict.word == UNSAID for verdict in against):
        missing = next(verdict.difference.missing for verdict in against if verdict.word == UNSAID)
        return (*said, f"More data are needed to rank the arms: {missing}.")
    margin = f"{100 * MARGIN:.0f} points"
    if has_too_few_units(precision):
        return (*said, f"The number of blocks for a difference of {margin} cannot be said: {TOO_FEW_UNITS}.")
    needed = seeds_for(MARGIN, precision, pairs, seeds)
    if needed is None:
        said.append(f"More seeds cannot settle a difference of {margin} on these clips; more recordings are needed.")
    elif needed > seeds:
        blocks = (needed - seeds) * folds
        said.append(
            f"For a difference of {margin} run {counted(blocks, 'more block')} (--seeds {needed}), about "
            f"{_duration(blocks * block_seconds)} of training."
        )
    return tuple(said)


def seeds_for(size: float, precision: Precision, pairs: int, seeds: int) -> int | None:
    """Return the number of seeds with which `size` is called better four times in five; None if no number does it.

    A third of the variance is taken to stay over seeds, as measured with tiny models on ESC-10.
    """
    of_clips = precision.se**2 / (1 / 3 + 2 / 3 / seeds)
    for number in range(seeds, _MOST_SEEDS + 1):
        se = math.sqrt(of_clips * (1 / 3 + 2 / 3 / number))
        df = number - 1 if precision.recordings else precision.df
        if detectable(replace(precision, se=se, df=df), pairs) <= size:
            return number
    return None


def _choice(against: list[ArmVerdict], reference: str) -> str:
    winners = [verdict for verdict in against if verdict.word == BETTER]
    if all(verdict.word == UNSAID for verdict in against):
        return f"This run cannot rank the arms, so it gives no reason to change {in_quotes(reference)}."
    if not winners:
        return f"Stay with {in_quotes(reference)}: this run calls no arm better."
    best = max(winners, key=lambda verdict: abs(verdict.difference.estimate))
    others = [in_quotes(verdict.difference.first) for verdict in winners if verdict is not best]
    also = f" ({', '.join(others)} too is better than {in_quotes(reference)})" if len(others) == 1 else ""
    also = f" ({', '.join(others)} are better than {in_quotes(reference)} too)" if len(others) > 1 else also
    return f"Use {in_quotes(best.difference.first)}{also}."


def _duration(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return counted(round(seconds / size), name)
    return counted(max(1, round(seconds)), "second")
