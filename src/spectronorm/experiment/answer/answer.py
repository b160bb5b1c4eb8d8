"""The answer of a run: each arm's mean, each difference with its interval, and both in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spectronorm.experiment.answer.outcomes import HIT, LOG_LOSS, Choose, complete_blocks, outcomes, scores_under_shift
from spectronorm.experiment.answer.sequential import MARGIN
from spectronorm.experiment.answer.statistics import PairedDifference, bootstrap, holm
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.deploy import NO_UPDATE, update_names
from spectronorm.experiment.design import Block, Design
from spectronorm.experiment.results import TrainedModel

BETTER, WORSE, EQUIVALENT, ALIKE, UNRESOLVED = "better", "worse", "equivalent", "not significant", "unresolved"
_TURNED = {BETTER: WORSE, WORSE: BETTER}
Done = Mapping[tuple[str, int, str], TrainedModel]


@dataclass(frozen=True)
class ArmMean:
    """Mean of one arm over the tested clips, with its 95 % interval."""

    arm: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class ArmVerdict:
    """Difference of two arms, its p-value after Holm's correction, and the one word that sums it up."""

    difference: PairedDifference
    holm: float
    word: str


@dataclass(frozen=True)
class Comparison:
    """Means and pairwise differences of all arms on one endpoint.

    Attributes:
        endpoint: Accuracy (higher is better, 0 … 1) or log-loss (lower is better, nats).
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


@dataclass(frozen=True)
class Answer:
    """The complete answer of a run.

    Attributes:
        blocks: The blocks that the answer rests on.
        accuracy: The primary endpoint.
        log_loss: The secondary endpoint, which is more sensitive.
        control: The A/A control: the reference arm minus the reference arm trained with other seeds.
        same_model: Pairs of arms that are one model by algebra, as negative controls.
        shifts: The results on each simulated deployment.
        detectable: The smallest difference that this run finds with 80 % power, by its median standard error.
        sentences: The answer in words.
    """

    blocks: tuple[Block, ...]
    accuracy: Comparison
    log_loss: Comparison
    control: PairedDifference
    same_model: tuple[PairedDifference, ...]
    shifts: tuple[Shifted, ...]
    detectable: float
    sentences: tuple[str, ...]


def answer(done: Done, design: Design, clips: LabelledClips, same_model: Sequence[tuple[str, str]]) -> Answer | None:
    """Answer from the complete blocks (see `whole_rounds`); None before the first block is complete.

    Args:
        done: The trained models.
        design: The plan of the run.
        clips: The clips that the models were tested on.
        same_model: Pairs of arms that cannot differ.

    Returns:
        The answer, or None if no block is complete.
    """
    blocks = whole_rounds(complete_blocks(done, design, clips), clips)
    names = tuple(arm.name for arm in design.arms)
    accuracy = _comparison(done, clips, names, blocks, HIT)
    log_loss = _comparison(done, clips, names, blocks, LOG_LOSS)
    control = _control(done, design, clips, blocks)
    if accuracy is None or log_loss is None or control is None:
        return None
    found = {(v.difference.first, v.difference.second): v.difference for v in accuracy.verdicts}
    shifts = _shifts(done, design, clips, blocks)
    errors = sorted(v.difference.se for v in accuracy.verdicts)
    return Answer(
        tuple(blocks),
        accuracy,
        log_loss,
        control,
        tuple(found[pair] for pair in same_model),
        shifts,
        2.8 * errors[len(errors) // 2],
        (*sentences(accuracy, design.reference), *_shift_sentences(shifts)),
    )


def whole_rounds(blocks: Sequence[Block], clips: LabelledClips) -> list[Block]:
    """Return the blocks of all seeds that completed every fold, or of the first seed if none did.

    A seed with only some folds would, when the bootstrap draws it, represent the clips of those folds alone.
    """
    seeds = {block.seed for block in blocks}
    whole = {seed for seed in seeds if {b.fold for b in blocks if b.seed == seed} == set(clips.held_out)}
    return [block for block in blocks if block.seed in (whole or seeds)]


def sentences(comparison: Comparison, reference: str) -> list[str]:
    """State the comparison in words: each arm against the reference first, then each other pair with a winner."""
    said = []
    for verdict in comparison.verdicts:
        difference = verdict.difference
        if reference in (difference.first, difference.second):
            said.append(sentence(_with_reference_second(verdict, reference)))
        elif verdict.word in (BETTER, WORSE):
            said.append(sentence(verdict))
    return said


def sentence(verdict: ArmVerdict, where: str = "here") -> str:
    """State one verdict in words, in percentage points of accuracy."""
    difference = verdict.difference
    if verdict.word == WORSE:
        return sentence(ArmVerdict(difference.reversed, verdict.holm, BETTER), where)
    low, high = _points(difference.bootstrap.low), _points(difference.bootstrap.high)
    first, second = difference.first, difference.second
    match verdict.word:
        case "better":
            size = f"{100 * difference.estimate:.1f}"
            return f"{first} is better than {second} {where} by {size} points ({low} … {high})."
        case "equivalent":
            return f"{first} and {second} are equally good {where}, within two points ({low} … {high} points)."
        case "unresolved":
            return (
                f"{first} against {second} is unresolved {where} ({low} … {high} points over recordings, "
                f"{_folds(difference)} over folds, p = {verdict.holm:.2g} after Holm)."
            )
    return f"{first} and {second} do not differ significantly {where} ({low} … {high} points)."


def _folds(difference: PairedDifference) -> str:
    if difference.folds is None:
        return "unknown"
    return f"{_points(difference.folds.low)} … {_points(difference.folds.high)}"


def _points(share: float) -> str:
    """Format a difference of accuracy as signed percentage points."""
    return f"{round(100 * share, 1) + 0.0:+.1f}".replace("-", "−")


def verdicts(differences: Sequence[PairedDifference], margin: float = MARGIN) -> tuple[ArmVerdict, ...]:
    """Classify each difference, after Holm's correction over all of them.

    *Better* or *worse* needs both intervals clear of zero and Holm's p below 0.05 (without folds, the bootstrap
    interval alone). If the two intervals disagree, or if Holm's correction removes the significance, the difference is
    *unresolved*. *Equivalent* needs both intervals within the margin.

    Args:
        differences: The differences of one family of tests.
        margin: Largest difference of accuracy that still counts as equivalent.
    """
    adjusted = holm([difference.bootstrap.p for difference in differences])
    return tuple(ArmVerdict(d, p, _word(d, p, margin)) for d, p in zip(differences, adjusted, strict=True))


def _word(difference: PairedDifference, p: float, margin: float) -> str:
    bootstrap, folds = difference.bootstrap, difference.folds
    by_folds = bootstrap.excludes_zero if folds is None else folds.excludes_zero
    if bootstrap.excludes_zero and by_folds and p < 0.05:
        return BETTER if difference.estimate > 0 else WORSE
    if bootstrap.excludes_zero or by_folds:
        return UNRESOLVED
    small = all(part is None or (-margin < part.low and part.high < margin) for part in (bootstrap, folds))
    return EQUIVALENT if small else ALIKE


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
    if endpoint == HIT:
        return Comparison(endpoint, arms, verdicts(differences))
    # The margin of two percentage points does not apply to nats, and a lower log-loss is better.
    found = (replace(v, word=_TURNED.get(v.word, v.word)) for v in verdicts(differences, margin=0.0))
    return Comparison(endpoint, arms, tuple(found))


def _control(done: Done, design: Design, clips: LabelledClips, blocks: Sequence[Block]) -> PairedDifference | None:
    values = outcomes(done, clips, (design.control, design.reference), blocks)
    return None if values is None else bootstrap(values).difference(design.control, design.reference)


def _shifts(done: Done, design: Design, clips: LabelledClips, blocks: Sequence[Block]) -> tuple[Shifted, ...]:
    found = []
    for shift in design.shifts:
        for update in update_names(design.update_classes):
            names = _arms_with(done, design, blocks, shift, update)
            if (part := _shifted(done, design, clips, blocks, names, scores_under_shift(shift, update))) is not None:
                found.append(Shifted(shift, update, *part))
    return tuple(found)


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
) -> tuple[tuple[ArmMean, ...], tuple[ArmVerdict, ...]] | None:
    values = outcomes(done, clips, names, blocks, HIT, choose) if names else None
    if values is None:
        return None
    resampled = bootstrap(values)
    arms = tuple(ArmMean(name, mean, *resampled.interval(name)) for name, mean in values.means().items())
    others = [name for name in names if name != design.reference] if design.reference in names else []
    return arms, verdicts([resampled.difference(name, design.reference) for name in others])


def _shift_sentences(shifts: Sequence[Shifted]) -> list[str]:
    """State the differences between arms on each deployment without an update."""
    return [
        sentence(verdict, f"on {part.shift}")
        for part in shifts
        if part.update == NO_UPDATE
        for verdict in part.verdicts
        if verdict.word in (BETTER, WORSE)
    ]


def _with_reference_second(verdict: ArmVerdict, reference: str) -> ArmVerdict:
    """Return the verdict reversed if necessary, so that the reference is subtracted."""
    if verdict.difference.second == reference:
        return verdict
    return ArmVerdict(verdict.difference.reversed, verdict.holm, _TURNED.get(verdict.word, verdict.word))
