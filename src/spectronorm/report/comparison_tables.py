"""Tables of a comparison in Markdown, readable in terminals and in documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spectronorm.counted import counted
from spectronorm.experiment.answer.answer import Answer, Comparison, Shifted
from spectronorm.experiment.answer.points import points
from spectronorm.experiment.answer.precision import why_unstated
from spectronorm.experiment.answer.sequential import Look
from spectronorm.experiment.answer.statistics import PairedDifference
from spectronorm.experiment.answer.words import ArmVerdict
from spectronorm.experiment.metrics.known import find_metric
from spectronorm.experiment.running.compare import Outcome
from spectronorm.printable import printable

_MOST_CLASSES = 20
_CHANCES = ("P better (%)", "P same (%)", "P worse (%)")


def tables(outcome: Outcome) -> list[str]:
    """Return the whole answer: its basis, sentences, arms, differences, controls, deployments, advice."""
    answer = outcome.answer
    return [*answer.basis, "", *answer.sentences, "", *details(outcome), "", *answer.advice]


def details(outcome: Outcome) -> list[str]:
    """Return the tables of the answer: arms, differences, controls, deployments."""
    answer, lines = outcome.answer, list[str]()
    lines += _arms(answer.primary, answer.log_loss)
    lines += ["", *_differences(answer.primary, answer.log_loss), ""]
    lines.append(f"A/A control: {_control(answer.control)}.")
    lines += [f"Negative control, one model by algebra: {_control(pair)}." for pair in answer.same_model]
    lines.append(_power(answer))
    lines.append(f"The run ended because {outcome.stopped}.")
    if outcome.looks:
        lines += ["", *_looks(outcome.looks)]
    lines += ["", *_classes(answer)]
    for update in dict.fromkeys(part.update for part in answer.shifts):
        lines += ["", *_shifts([part for part in answer.shifts if part.update == update], update)]
    return lines


def _power(answer: Answer) -> str:
    if answer.detectable is None:
        reason = why_unstated([verdict.difference for verdict in answer.primary.verdicts])
        return f"The smallest difference that such a run calls better cannot be said: {reason}."
    if answer.detectable >= 1:
        return "Such a run calls no arm better or worse, however large the difference."
    pairs = counted(len(answer.primary.verdicts), "pair")
    return (
        f"Such a run calls an arm better four times in five if it is better by {100 * answer.detectable:.1f} points "
        f"({pairs} of arms)."
    )


def row(cells: Sequence[str]) -> str:
    """Format one line of a table."""
    return f"| {' | '.join(cells)} |"


def interval(low: float, high: float) -> str:
    """Format an interval in percentage points."""
    return f"{points(low)} … {points(high)}"


def _arms(primary: Comparison, log_loss: Comparison) -> Iterator[str]:
    yield row(["arm", f"{find_metric(primary.endpoint).title} (%)", "95 %", "log-loss"])
    yield row(["---", "---:", "---:", "---:"])
    for arm, loss in zip(primary.arms, log_loss.arms, strict=True):
        ends = f"{points(arm.low, sign=False)} … {points(arm.high, sign=False)}"
        yield row([arm.arm, points(arm.mean, sign=False), ends, f"{loss.mean:.3f}"])


def _differences(primary: Comparison, log_loss: Comparison) -> Iterator[str]:
    yield row(
        [
            "difference (points)",
            "mean",
            "bootstrap 95 %",
            f"over {_units(primary)} 95 %",
            "p (Holm)",
            "word",
            *_CHANCES,
            "log-loss",
        ]
    )
    yield row(["---", "---:", "---:", "---:", "---:", "---", *("---:" for _ in _CHANCES), "---"])
    for verdict, loss in zip(primary.verdicts, log_loss.verdicts, strict=True):
        nats = loss.difference
        ends = f"{nats.bootstrap.low:+.3f} … {nats.bootstrap.high:+.3f}".replace("-", "−")
        yield row([*_cells(verdict), f"{nats.estimate:+.3f}".replace("-", "−") + f" ({ends})"])


def _units(primary: Comparison) -> str:
    spread = primary.verdicts[0].difference.spread
    return "folds" if spread is None else spread.units


def _cells(verdict: ArmVerdict) -> list[str]:
    difference = verdict.difference
    units, chances = difference.units, difference.chances
    return [
        f"{difference.first} − {difference.second}",
        points(difference.estimate),
        interval(difference.bootstrap.low, difference.bootstrap.high),
        "–" if units is None else interval(units.low, units.high),
        f"{verdict.holm:.2g}",
        verdict.word,
        *(("–",) * 3 if chances is None else (f"{100 * p:.0f}" for p in (chances.better, chances.same, chances.worse))),
    ]


def _control(difference: PairedDifference) -> str:
    ends = interval(difference.bootstrap.low, difference.bootstrap.high)
    return f"{difference.first} − {difference.second} = {points(difference.estimate)} points ({ends})"


def _classes(answer: Answer) -> Iterator[str]:
    """The figure of each class under each arm; of many classes those on which the arms differ most."""
    arms = [arm.arm for arm in answer.primary.arms]
    figure = find_metric(answer.primary.endpoint).of_class
    shown = answer.classes
    if len(shown) > _MOST_CLASSES:
        spread = sorted(shown, key=lambda one: min(one.arms.values()) - max(one.arms.values()))[:_MOST_CLASSES]
        shown = tuple(one for one in shown if one in spread)
    yield row([f"{figure} (%)", "clips", *arms])
    yield row(["---", "---:", *("---:" for _ in arms)])
    for one in shown:
        yield row([printable(one.name), str(one.clips), *(points(one.arms[arm], sign=False) for arm in arms)])
    if len(shown) < len(answer.classes):
        yield f"These are the {len(shown)} of {len(answer.classes)} classes on which the arms differ most."


def _looks(looks: dict[str, Look]) -> Iterator[str]:
    yield row(["against the reference", "mean", "interval for all looks together", "state"])
    yield row(["---", "---:", "---:", "---"])
    for name, look in looks.items():
        ends = interval(look.low, look.high) if look.low > -1 or look.high < 1 else "too early"
        yield row([name, points(look.estimate), ends, look.state])


def _shifts(parts: Sequence[Shifted], update: str) -> Iterator[str]:
    names = [mean.arm for mean in parts[0].arms]
    yield row([f"update: {update}", *(part.shift for part in parts)])
    yield row(["---", *("---:" for _ in parts)])
    for name in names:
        yield row([name, *(_shift_cell(part, name) for part in parts)])


def _shift_cell(part: Shifted, name: str) -> str:
    """Format the accuracy, and the difference from the reference with its interval."""
    mean = next(arm.mean for arm in part.arms if arm.arm == name)
    text = points(mean, sign=False)
    for verdict in part.verdicts:
        if verdict.difference.first == name:
            difference = verdict.difference
            ends = interval(difference.bootstrap.low, difference.bootstrap.high)
            text += f" ({points(difference.estimate)}: {ends})"
    return text
