"""The whole comparison: state the detectable difference, train, look, stop, answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError
from spectronorm.experiment.answer.answer import Answer, answer
from spectronorm.experiment.answer.outcomes import complete_blocks, outcomes
from spectronorm.experiment.answer.sequential import OPEN, Look, boundary, look
from spectronorm.experiment.answer.statistics import detectable
from spectronorm.experiment.results import Results
from spectronorm.experiment.running.jobs import run_on
from spectronorm.experiment.running.prepare import Prepared
from spectronorm.experiment.running.run import run
from spectronorm.experiment.training.models import begins_with_batch_norm
from spectronorm.runs.progress import Progress, silent

DISCORDANCES = (("nearly equivalent arms", 0.04), ("arms that differ much", 0.16))
"""Shares of clips that only one of two arms classifies correctly, as measured with tiny models on ESC-10."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run.

    Attributes:
        answer: The answer from the complete blocks.
        looks: With a budget, each arm against the reference at the last look; the intervals hold at all looks together.
        stopped: The reason why the run ended.
    """

    answer: Answer
    looks: dict[str, Look]
    stopped: str


def plan(prepared: Prepared) -> list[str]:
    """Describe the run and the smallest differences that it can find, before it begins."""
    design, clips = prepared.design, prepared.clips
    tested = sum(len(clips.test_clips(fold)) for fold in clips.held_out)
    models = len(list(design.blocks(clips))) * len(design.names)
    what = f"{len(design.arms)} arms and an A/A control ({design.control}) on {_count(len(clips.held_out), 'fold')}"
    on = f"tested on {tested} clips of {len(set(clips.groups))} recordings or speakers"
    said = [f"{what} × {_count(design.seeds, 'seed')}: {models} models, {on}."]
    sizes = [f"{100 * detectable(tested, design.seeds, d):.1f} points between {what}" for what, d in DISCORDANCES]
    said.append(f"The smallest difference that such a run finds four times in five: about {', '.join(sizes)}.")
    if len(clips.held_out) == 1:
        said.append("One fold alone says little: what holds on it may be the opposite on the next.")
    for a, b in same_model(prepared):
        said.append(f"{a} and {b} are the same model by algebra: a negative control.")
    return said


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def same_model(prepared: Prepared) -> list[tuple[str, str]]:
    """Pairs of arms that cannot differ, because the model begins with a bias-free convolution and BatchNorm."""
    if not begins_with_batch_norm(prepared.first_model):
        return []
    design = prepared.design
    return [(a, b) for a, b in design.pairs() if design.arm(a).same_model_by_algebra(design.arm(b))]


def compare(
    prepared: Prepared,
    results: Results,
    *,
    budget: float | None = None,
    progress: Progress = silent,
    clock: Callable[[], float] = time.monotonic,
    engine: Engine | None = None,
) -> Outcome:
    """Run all blocks, or with a budget until every arm is settled against the reference or the time is used up.

    Args:
        prepared: Result of `prepare`.
        results: Finished models; new models are added.
        budget: Time limit in seconds; at least one block is completed.
        progress: Called with the number of epochs done and the total number of epochs.
        clock: Returns the time in seconds.
        engine: Engine that trains the models; by default in this process, one after the other.

    Returns:
        The answer, the last looks, and the reason for stopping.

    Raises:
        ArgumentError: if no block is complete.
    """
    begin, looks, stopped = clock(), dict[str, Look](), "all blocks are done"
    planned = len(list(prepared.design.blocks(prepared.clips)))
    blocks = run(prepared, results, progress) if engine is None else run_on(engine, prepared, results, progress)
    for number, _ in enumerate(blocks, start=1):
        if budget is None:
            continue
        looks = _looks(prepared, results, number, planned)
        if all(found.state != OPEN for found in looks.values()):
            stopped = f"every arm is settled against {prepared.design.reference} after {number} of {planned} blocks"
            break
        spent = clock() - begin
        if number < planned and spent + spent / number > budget:
            stopped = f"the time was used up after {number} of {planned} blocks"
            break
    said = answer(results.done, prepared.design, prepared.clips, same_model(prepared))
    if said is None:
        raise ArgumentError("no block is complete, so there is no answer; run the command again")
    return Outcome(said, looks, stopped)


def _looks(prepared: Prepared, results: Results, done: int, planned: int) -> dict[str, Look]:
    """Compare each arm with the reference after `done` of the `planned` blocks."""
    design, clips = prepared.design, prepared.clips
    names = [arm.name for arm in design.arms]
    blocks = complete_blocks(results.done, design, clips)[:done]
    values = outcomes(results.done, clips, names, blocks)
    if values is None:
        return {}
    critical = boundary(planned, len(names) - 1)
    return {
        name: look(values, name, design.reference, fraction=done / planned, critical=critical)
        for name in names
        if name != design.reference
    }
