"""Plan of a run in words: its size, and the smallest difference that it will call better."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spectronorm.counted import counted
from spectronorm.experiment.answer.discordance import discordance
from spectronorm.experiment.answer.outcomes import HIT, Outcomes, complete_blocks, outcomes
from spectronorm.experiment.answer.power import detectable
from spectronorm.experiment.answer.precision import ALIKE_EVERYWHERE, FEWEST_DF, TOO_FEW_UNITS, planned_precision
from spectronorm.experiment.answer.sentences import in_quotes
from spectronorm.experiment.answer.units import FEWEST_GROUPS, variance_over_recordings
from spectronorm.experiment.metrics.known import find_metric
from spectronorm.experiment.results import Results
from spectronorm.experiment.running.prepare import Prepared
from spectronorm.experiment.training.learning_rate import RATE_FACTORS
from spectronorm.experiment.training.models import begins_with_batch_norm

TRAININGS_APART = 0.018
"""Assumed for the second difference of the statement; tiny models on ESC-10 lie 0 points apart on clean audio, and 5 in
noise."""


def plan(prepared: Prepared) -> list[str]:
    """Describe the run and the smallest differences that it can find, before it begins.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.experiment import Design, Training, labelled_clips, parse_arms, prepare
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((12, 8000))
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n, wave in enumerate(waves)]
    >>> design = Design(parse_arms("none,band", sn.FrontEnd(bands=sn.Mel(16))), Training("linear", epochs=1), seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     prepared = prepare(labelled_clips(sn.open_source(items)), design, pathlib.Path(folder))
    ...     print(list(plan(prepared))[0].split(":")[0])
    2 arms and an A/A control (“none again”) on 3 folds × 1 seed
    """
    design, clips = prepared.design, prepared.clips
    tested = sum(len(clips.test_clips(fold)) for fold in clips.held_out)
    models = len(list(design.blocks(clips))) * len(design.names)
    folds = counted(len(clips.held_out), "fold")
    what = f"{len(design.arms)} arms and an A/A control ({in_quotes(design.control)}) on {folds}"
    groups = len({clips.groups[i] for fold in clips.held_out for i in clips.test_clips(fold)})
    units = counted(groups, "recording or speaker", "recordings or speakers")
    on = f"tested on {counted(tested, 'clip')} of {units}"
    said = [f"{what} × {counted(design.seeds, 'seed')}: {models} models, {on}."]
    if clips.several_labels:
        mean, none = float(clips.labels.sum(axis=1).mean()), int((clips.labels.sum(axis=1) == 0).sum())
        without = f"; {counted(none, 'clip')} without a label" if none else ""
        said.append(f"A clip may have several of {len(clips.classes)} labels: {mean:.1f} on average{without}.")
    if design.metric_name != HIT:
        said.append(f"The words are about the {find_metric(design.metric_name).title}.")
    n_folds = len(clips.held_out)
    if n_folds == 1 and design.seeds == 1:
        said.append("One fold and one seed cannot tell the arms from chance: no arm will be called better or worse.")
    elif n_folds == 1:
        said.append("One fold: another training set may give another answer.")
    if groups < FEWEST_GROUPS * n_folds:
        said.append(
            f"{units} in {folds}: with fewer than {FEWEST_GROUPS} in a fold no arm will be called better or worse."
        )
    if design.training.search_learning_rate:
        said.append(
            "The learning rate of each arm is searched on its training folds, with a quarter of the epochs for each "
            f"of {len(RATE_FACTORS)} rates."
        )
    for a, b in same_model(prepared):
        said.append(f"{in_quotes(a)} and {in_quotes(b)} are the same model by algebra: a negative control.")
    return said


def expected(prepared: Prepared, results: Results) -> list[str]:
    """State, from the first complete block, the smallest differences that the whole run will call better."""
    design, clips = prepared.design, prepared.clips
    names = [arm.name for arm in design.arms]
    first = complete_blocks(results.done, design, clips)[:1]
    values = outcomes(results.done, clips, names, first, design.metric_name)
    if values is None:
        return []
    folds = clips.held_out
    tested = {i for fold in folds for i in clips.test_clips(fold).tolist()}
    groups = len({clips.groups[i] for i in tested})
    if groups < FEWEST_GROUPS * len(folds) or (len(folds) == 1 and design.seeds == 1) or values.n_groups < 2:
        return []
    if (len(folds) if len(folds) > 1 else design.seeds) - 1 < FEWEST_DF:
        return [f"The smallest difference that the whole run will call better cannot be said: {TOO_FEW_UNITS}."]
    if _variance(values, design.pairs()) == 0:
        return [f"The smallest difference that the whole run will call better cannot be said yet: {ALIKE_EVERYWHERE}."]
    hits = design.metric_name == HIT
    size, more = (
        100 * planned_difference(values, design.pairs(), len(tested), len(folds), design.seeds, apart, hits=hits)
        for apart in (0.0, TRAININGS_APART)
    )
    unit = "points" if hits else f"points of {find_metric(design.metric_name).title}"
    share = _disagreement(values, design.pairs())
    seen = f"two arms disagree on {100 * share:.1f} % of the clips (median over the pairs), so " if hits else ""
    said = (
        f"After the first block: {seen}the whole run will call an arm better four times in "
        f"five if it is better by {size:.1f} {unit} or more; by {more:.1f} if trainings that differ only in their seed "
        f"lie {100 * TRAININGS_APART:.1f} points apart."
    )
    return [said]


def _disagreement(values: Outcomes, pairs: Sequence[tuple[str, str]]) -> float:
    index = {name: values.values[i] for i, name in enumerate(values.arms)}
    return _median(discordance(index[a] - index[b], values) for a, b in pairs)


def planned_difference(
    block: Outcomes,
    pairs: Sequence[tuple[str, str]],
    clips: int,
    folds: int,
    seeds: int,
    apart: float,
    *,
    hits: bool = True,
) -> float:
    """Return the smallest difference that a whole run will call better four times in five.

    Args:
        block: Outcomes of the first block: one fold and one seed.
        pairs: Names of the arms that are compared.
        clips: Number of tested clips of the whole run.
        folds: Number of folds.
        seeds: Number of seeds.
        apart: Standard deviation of trainings that differ only in their seed.
        hits: True for accuracy.
    """
    of_all = _variance(block, pairs) * len(block.groups) / clips
    share = _disagreement(block, pairs) if hits else 0.0
    precision = planned_precision(
        of_all, folds=folds, seeds=seeds, overlap=block.overlap, apart=apart, discordance=share
    )
    return detectable(precision, len(pairs))


def _variance(block: Outcomes, pairs: Sequence[tuple[str, str]]) -> float:
    index = {name: block.of_clips()[i] for i, name in enumerate(block.arms)}
    return _median(variance_over_recordings(index[a] - index[b], block) for a, b in pairs)


def _median(found: Iterable[float]) -> float:
    values = sorted(found)
    return values[len(values) // 2]


def same_model(prepared: Prepared) -> list[tuple[str, str]]:
    """Pairs of arms that cannot differ, because the model begins with a bias-free convolution and BatchNorm."""
    design = prepared.design
    return [
        (a, b)
        for a, b in design.pairs()
        if design.arm(a).same_model_by_algebra(design.arm(b))
        and begins_with_batch_norm(prepared.models[design.training_of(design.arm(a)).model])
    ]
