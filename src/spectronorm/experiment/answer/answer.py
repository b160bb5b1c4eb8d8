"""The answer of a run: each arm's mean, each difference with its interval, and both in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spectronorm.experiment.answer.advice import advice
from spectronorm.experiment.answer.basis import basis
from spectronorm.experiment.answer.class_figures import ClassFigures, class_figures
from spectronorm.experiment.answer.outcomes import HIT, LOG_LOSS, Choose, complete_blocks, outcomes, scores_under_shift
from spectronorm.experiment.answer.precision import precision_of, stated_difference
from spectronorm.experiment.answer.sentences import sentence, sentences
from spectronorm.experiment.answer.statistics import PairedDifference, bootstrap
from spectronorm.experiment.answer.words import BETTER, WORSE, ArmVerdict, lower_is_better, verdicts
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.deploy import NO_UPDATE, update_names
from spectronorm.experiment.design import Block, Design
from spectronorm.experiment.metrics.known import find_metric
from spectronorm.experiment.results import TrainedModel
from spectronorm.html_summary import html_table
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings

Done = Mapping[tuple[str, int, str], TrainedModel]


@dataclass(frozen=True)
class ArmMean:
    """Mean of one arm over the tested clips, with its 95 % interval."""

    arm: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Means and pairwise differences of all arms on one endpoint.

    Attributes:
        endpoint: The metric by name, such as `accuracy` (0 … 1), or `log-loss` (lower is better, nats).
        arms: The mean of each arm.
        verdicts: One verdict for each pair of arms.
    """

    endpoint: str
    arms: tuple[ArmMean, ...]
    verdicts: tuple[ArmVerdict, ...]


@dataclass(frozen=True)
class Shifted:
    """Results on one simulated deployment with one kind of update: means, and differences from the reference arm."""

    shift: str
    update: str
    arms: tuple[ArmMean, ...]
    verdicts: tuple[ArmVerdict, ...]


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Answer:
    """The complete answer of a run.

    Attributes:
        blocks: The blocks that the answer rests on.
        primary: The primary endpoint: the accuracy, or the metric that was asked for.
        log_loss: The secondary endpoint, which is more sensitive.
        control: The A/A control: the reference arm minus the reference arm trained with other seeds.
        same_model: Pairs of arms that are one model by algebra, as negative controls.
        shifts: The results on each simulated deployment.
        detectable: The smallest difference that such a run calls better four times in five, given its own precision and
            its number of pairs; 1 if there is none, and None if it cannot be said, from two folds or two seeds, or from
            arms that agreed on every clip.
        sentences: The answer in words.
        basis: What the answer rests on, in words.
        advice: Which arm to use, and what more training would settle, in words.
        classes: Figures of each class.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.experiment import Design, Results, Training, compare, labelled_clips, parse_arms, prepare
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((12, 8000))
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n, wave in enumerate(waves)]
    >>> design = Design(parse_arms("none,band", sn.FrontEnd(bands=sn.Mel(16))), Training("linear", epochs=1), seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     prepared = prepare(labelled_clips(sn.open_source(items)), design, pathlib.Path(folder))
    ...     found = compare(prepared, Results(pathlib.Path(folder), prepared.settings())).answer
    >>> [arm.arm for arm in found.primary.arms], 0.0 <= found.primary.arms[0].mean <= 1.0
    (['none', 'band'], True)
    """

    blocks: tuple[Block, ...]
    primary: Comparison
    log_loss: Comparison
    control: PairedDifference
    same_model: tuple[PairedDifference, ...]
    shifts: tuple[Shifted, ...]
    detectable: float | None
    sentences: tuple[str, ...]
    basis: tuple[str, ...]
    advice: tuple[str, ...]
    classes: tuple[ClassFigures, ...]

    @property
    def accuracy(self) -> Comparison:
        """The primary endpoint, which is the accuracy unless another metric was asked for."""
        return self.primary

    def _repr_html_(self) -> str:
        lines = (("answer", line) for line in (*self.basis, *self.sentences, *self.advice))
        return html_table("Answer", lines)


@known_keywords
def answer(done: Done, design: Design, clips: LabelledClips, same_model: Sequence[tuple[str, str]]) -> Answer | None:
    """Answer from the complete blocks (see `whole_rounds`); None before the first block is complete.

    Args:
        done: The trained models.
        design: The plan of the run.
        clips: The clips that the models were tested on.
        same_model: Pairs of arms that cannot differ.

    Returns:
        The answer, or None if no block is complete.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.experiment import Design, Results, Training, labelled_clips, parse_arms, prepare, run
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((12, 8000))
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n, wave in enumerate(waves)]
    >>> design = Design(parse_arms("none,band", sn.FrontEnd(bands=sn.Mel(16))), Training("linear", epochs=1), seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     prepared = prepare(labelled_clips(sn.open_source(items)), design, pathlib.Path(folder))
    ...     results = Results(pathlib.Path(folder), prepared.settings())
    ...     blocks = list(run(prepared, results))
    >>> len(answer(results.done, design, prepared.clips, same_model=()).blocks)
    3
    """
    blocks = whole_rounds(complete_blocks(done, design, clips), clips)
    names = tuple(arm.name for arm in design.arms)
    primary = _comparison(done, clips, names, blocks, design.metric_name)
    log_loss = _comparison(done, clips, names, blocks, LOG_LOSS)
    control = _control(done, design, clips, blocks)
    if primary is None or log_loss is None or control is None:
        return None
    found = {(v.difference.first, v.difference.second): v.difference for v in primary.verdicts}
    unit = "points" if design.metric_name == HIT else f"points of {find_metric(design.metric_name).title}"
    shifts = _shifts(done, design, clips, blocks)
    return Answer(
        tuple(blocks),
        primary,
        log_loss,
        control,
        tuple(found[pair] for pair in same_model),
        shifts,
        stated_difference([v.difference for v in primary.verdicts], hits=primary.endpoint == HIT),
        (*sentences(primary.verdicts, design.reference, unit), *_shift_sentences(shifts, unit)),
        basis(blocks, clips, len(primary.verdicts), sum(len(part.verdicts) for part in shifts)),
        _advice(done, design, primary, blocks),
        class_figures(done, clips, names, blocks, design.metric_name),
    )


def _advice(done: Done, design: Design, primary: Comparison, blocks: Sequence[Block]) -> tuple[str, ...]:
    reference = design.reference
    against = [
        verdict if verdict.difference.second == reference else verdict.reversed
        for verdict in primary.verdicts
        if reference in (verdict.difference.first, verdict.difference.second)
    ]
    seconds = sum(done[block.fold, block.seed, name].seconds for block in blocks for name in design.names)
    return advice(
        against,
        reference,
        precision_of([verdict.difference for verdict in primary.verdicts], hits=primary.endpoint == HIT),
        len(primary.verdicts),
        folds=len({block.fold for block in blocks}),
        seeds=len({block.seed for block in blocks}),
        block_seconds=seconds / len(blocks),
    )


def whole_rounds(blocks: Sequence[Block], clips: LabelledClips) -> list[Block]:
    """Return the blocks of all seeds that completed every fold, or of the first seed if none did.

    A seed with only some folds would, when the bootstrap draws it, represent the clips of those folds alone.
    """
    seeds = {block.seed for block in blocks}
    whole = {seed for seed in seeds if {b.fold for b in blocks if b.seed == seed} == set(clips.held_out)}
    return [block for block in blocks if block.seed in (whole or seeds)]


def _comparison(
    done: Done, clips: LabelledClips, names: Sequence[str], blocks: Sequence[Block], endpoint: str
) -> Comparison | None:
    values = outcomes(done, clips, names, blocks, endpoint)
    if values is None:
        return None
    resampled = bootstrap(values)
    arms = tuple(ArmMean(name, mean, *resampled.interval(name)) for name, mean in values.means().items())
    pairs = [(a, b) for i, b in enumerate(names) for a in names[i + 1 :]]
    differences = [resampled.difference(a, b) for a, b in pairs]
    if endpoint != LOG_LOSS:
        return Comparison(endpoint, arms, _words(differences, endpoint))
    # The margin of two percentage points does not apply to nats, and a lower log-loss is better.
    return Comparison(endpoint, arms, lower_is_better(verdicts(differences, margin=0.0)))


def _words(differences: Sequence[PairedDifference], metric: str) -> tuple[ArmVerdict, ...]:
    found = verdicts(differences)
    return lower_is_better(found) if find_metric(metric).lower_is_better else found


def _control(done: Done, design: Design, clips: LabelledClips, blocks: Sequence[Block]) -> PairedDifference | None:
    values = outcomes(done, clips, (design.control, design.reference), blocks, design.metric_name)
    return None if values is None else bootstrap(values).difference(design.control, design.reference)


def _shifts(done: Done, design: Design, clips: LabelledClips, blocks: Sequence[Block]) -> tuple[Shifted, ...]:
    """Return the results on all deployments; Holm's correction covers all their comparisons together."""
    found: list[tuple[str, str, tuple[ArmMean, ...], list[PairedDifference]]] = []
    for shift in design.shifts:
        for update in update_names(design.update_classes):
            names = _arms_with(done, design, blocks, shift, update)
            if (part := _shifted(done, design, clips, blocks, names, scores_under_shift(shift, update))) is not None:
                found.append((shift, update, *part))
    words = iter(_words([difference for *_, differences in found for difference in differences], design.metric_name))
    return tuple(
        Shifted(shift, update, arms, tuple(next(words) for _ in differences))
        for shift, update, arms, differences in found
    )


def _arms_with(done: Done, design: Design, blocks: Sequence[Block], shift: str, update: str) -> list[str]:
    """Return the arms that support this update."""
    return [
        arm.name
        for arm in design.arms
        if blocks and all(update in done[b.fold, b.seed, arm.name].shifted.get(shift, {}) for b in blocks)
    ]


def _shifted(
    done: Done,
    design: Design,
    clips: LabelledClips,
    blocks: Sequence[Block],
    names: Sequence[str],
    choose: Choose,
) -> tuple[tuple[ArmMean, ...], list[PairedDifference]] | None:
    values = outcomes(done, clips, names, blocks, design.metric_name, choose) if names else None
    if values is None:
        return None
    resampled = bootstrap(values)
    arms = tuple(ArmMean(name, mean, *resampled.interval(name)) for name, mean in values.means().items())
    others = [name for name in names if name != design.reference] if design.reference in names else []
    return arms, [resampled.difference(name, design.reference) for name in others]


def _shift_sentences(shifts: Sequence[Shifted], unit: str) -> list[str]:
    """State the differences between arms on each deployment without an update."""
    return [
        sentence(verdict, f"on {part.shift}", unit)
        for part in shifts
        if part.update == NO_UPDATE
        for verdict in part.verdicts
        if verdict.word in (BETTER, WORSE)
    ]
