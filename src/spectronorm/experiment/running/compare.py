"""The whole comparison: state the detectable difference, train, look, stop, answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError
from spectronorm.experiment.answer.answer import Answer, answer
from spectronorm.experiment.answer.outcomes import complete_blocks, outcomes
from spectronorm.experiment.answer.sequential import OPEN, Look, boundary, evaluate_look
from spectronorm.experiment.results import Results
from spectronorm.experiment.running.jobs import run_on
from spectronorm.experiment.running.plan import expected, same_model
from spectronorm.experiment.running.prepare import Prepared
from spectronorm.experiment.running.run import run
from spectronorm.runs.progress import Progress, silent
from spectronorm.short_repr import with_short_repr
from spectronorm.storage.atomic import write_text
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable
from spectronorm.suggestion import known_keywords, known_settings

ANSWER_FILE = "answer.json"


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Outcome:
    """Outcome of a run.

    Attributes:
        answer: The answer from the complete blocks.
        looks: With a budget, each arm against the reference at the last look; the intervals hold at all looks together.
        stopped: The reason why the run ended.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.experiment import Design, Results, Training, labelled_clips, parse_arms, prepare
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((12, 8000))
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n, wave in enumerate(waves)]
    >>> design = Design(parse_arms("none,band", sn.FrontEnd(bands=sn.Mel(16))), Training("linear", epochs=1), seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     prepared = prepare(labelled_clips(sn.open_source(items)), design, pathlib.Path(folder))
    ...     outcome = compare(prepared, Results(pathlib.Path(folder), prepared.settings()))
    >>> outcome.looks, outcome.stopped
    ({}, 'all blocks were done')
    """

    answer: Answer
    looks: dict[str, Look]
    stopped: str


class _TimeUsedUp(Exception):
    """The budget is used up within a block."""


@known_keywords
def compare(
    prepared: Prepared,
    results: Results,
    *,
    budget: float | None = None,
    progress: Progress = silent,
    note: Callable[[str], object] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    engine: Engine | None = None,
) -> Outcome:
    """Run all blocks, or with a budget until every arm is settled against the reference or the time is used up.

    The answer is written to `answer.json` in the folder of the results.

    Args:
        prepared: Result of `prepare`.
        results: Finished models; new models are added.
        budget: Time limit in seconds. The first block is completed in any case, since without it there is no answer;
            after it the limit holds within a block as well, whose finished epochs are kept for the next run.
        progress: Called with the number of epochs done and the total number of epochs.
        note: Called with a sentence when the first block is complete: the difference that the whole run can find.
        clock: Returns the time in seconds.
        engine: Engine that trains the models; by default in this process, one after the other.

    Returns:
        The answer, the last looks, and the reason for stopping.

    Raises:
        ArgumentError: if no block is complete.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.experiment import Design, Results, Training, labelled_clips, parse_arms, prepare
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((12, 8000))
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n, wave in enumerate(waves)]
    >>> design = Design(parse_arms("none,band", sn.FrontEnd(bands=sn.Mel(16))), Training("linear", epochs=1), seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     prepared = prepare(labelled_clips(sn.open_source(items)), design, pathlib.Path(folder))
    ...     outcome = compare(prepared, Results(pathlib.Path(folder), prepared.settings()))
    >>> len(outcome.answer.blocks), outcome.answer.sentences[0].split(":")[0]
    (3, 'This run cannot rank “band” and “none” here')
    """
    require_replaceable(results.folder / ANSWER_FILE, Content.RECORD)
    begin, looks, stopped = clock(), dict[str, Look](), "all blocks were done"
    planned = len(list(prepared.design.blocks(prepared.clips)))
    finished = 0

    def within_budget(done: int, total: int) -> None:
        progress(done, total)
        if budget is not None and finished and clock() - begin > budget and done < total:
            raise _TimeUsedUp

    blocks = (
        run(prepared, results, within_budget) if engine is None else run_on(engine, prepared, results, within_budget)
    )
    try:
        for finished, _ in enumerate(blocks, start=1):
            if finished == 1:
                for line in expected(prepared, results):
                    note(line)
            if budget is None:
                continue
            looks = _looks(prepared, results, finished, planned)
            if all(found.state != OPEN for found in looks.values()):
                stopped = (
                    f"every arm is settled against {prepared.design.reference} after {finished} of {planned} blocks"
                )
                break
    except _TimeUsedUp:
        done = len(complete_blocks(results.done, prepared.design, prepared.clips))
        stopped = f"the time was used up after {done} of {planned} blocks"
    said = answer(results.done, prepared.design, prepared.clips, same_model(prepared))
    if said is None:
        raise ArgumentError("no block is complete, so there is no answer; run the command again")
    outcome = Outcome(said, looks, stopped)
    write_text(
        results.folder / ANSWER_FILE, json.dumps(asdict(outcome), indent=1, allow_nan=False) + "\n", Content.RECORD
    )
    return outcome


def _looks(prepared: Prepared, results: Results, done: int, planned: int) -> dict[str, Look]:
    """Compare each arm with the reference after `done` of the `planned` blocks."""
    design, clips = prepared.design, prepared.clips
    names = [arm.name for arm in design.arms]
    blocks = complete_blocks(results.done, design, clips)[:done]
    values = outcomes(results.done, clips, names, blocks, design.metric_name)
    if values is None:
        return {}
    critical = boundary(planned, len(names) - 1)
    return {
        name: evaluate_look(values, name, design.reference, fraction=done / planned, critical=critical)
        for name in names
        if name != design.reference
    }
