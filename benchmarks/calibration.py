"""Chance of each word in simulated comparisons whose truth is known, through the functions that `compare` uses.

    python -m benchmarks.calibration null            # arms that are equal: better, worse and equivalent
    python -m benchmarks.calibration margin          # arms that differ by 2, 3 and 4 points: equivalent
    python -m benchmarks.calibration power           # arms that differ by the stated difference: better
    python -m benchmarks.calibration plan            # ... by the difference stated after the first block: better
    python -m benchmarks.calibration metrics         # equal arms under other metrics than accuracy
    python -m benchmarks.calibration metric-margin   # arms that differ by 2 and 3 points of these: equivalent
    python -m benchmarks.calibration null --draws 1000 --only "1 × 400 clips"
    python -m benchmarks.calibration write           # the tables of the docs

Rows are printed and kept in `benchmarks/results/` as they come; `write` puts the newest row of each design into the
page and leaves the others as they are. The model of the outcomes is `benchmarks.simulated_runs`. A row of 400 clips and
300 draws takes half a minute of processor time, one of 2000 clips two minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.document import renew_rows
from benchmarks.measure import RESULTS
from benchmarks.simulated_runs import OWN, MetricSetting, Setting, simulate, simulate_metric, widening
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.precision import stated_difference
from spectronorm.experiment.answer.statistics import bootstrap
from spectronorm.experiment.answer.words import BETTER, EQUIVALENT, UNRESOLVED, UNSAID, WORSE, ArmVerdict, verdicts
from spectronorm.experiment.running.plan import planned_difference

_Design = TypeVar("_Design", Setting, MetricSetting)
Row = Mapping[str, object]
REPLICATES = 1000
PAGE = Path(__file__).parent.parent / "docs" / "experiment.md"
FILE = RESULTS / "calibration.jsonl"
DESIGNS = (
    Setting((80,) * 5, 3),
    Setting((80,) * 5, 3, arms=6),
    Setting((80,) * 5, 1),
    Setting((80,) * 5, 3, run=5.0),
    Setting((40,) * 2, 1),
    Setting((200,) * 2, 1),
    Setting((200, 50, 50, 50, 50), 3),
    Setting((500,) * 6, 3, speakers=6),
    Setting((1000,) * 3, 1, speakers=6),
    Setting((500,), 3, speakers=6),
    *(Setting((clips,), 1) for clips in (40, 400, 2000)),
    *(
        Setting((clips,), seeds, run=run)
        for clips in (40, 400, 2000)
        for seeds in (3, 5, 10)
        for run in (0, 0.5, 1, 1.8)
    ),
    Setting((400,), 3, run=5.0, accuracy=0.6),
    Setting((400,), 3, arms=6),
)
MARGIN_DESIGNS = (
    Setting((40,), 1),
    Setting((20,) * 2, 1),
    Setting((20,) * 2, 3),
    Setting((40,) * 2, 1),
    Setting((80,), 5),
    Setting((20,) * 5, 1),
    Setting((400,), 1),
    Setting((400,), 3, run=0),
    Setting((2000,), 3, run=0),
    Setting((2000,), 3),
    Setting((80,) * 5, 1),
    Setting((80,) * 5, 3),
    Setting((80,) * 5, 3, run=0),
    Setting((400,) * 5, 3),
)
POWER_DESIGNS = (
    Setting((80,) * 5, 3),
    Setting((80,) * 5, 3, arms=3),
    Setting((80,) * 5, 3, arms=6),
    Setting((80,) * 5, 1),
    Setting((80,) * 3, 1, arms=3, accuracy=0.6),
    Setting((1000,) * 2, 3, accuracy=0.6),
    Setting((400,), 3, run=1),
    Setting((400,), 3),
    Setting((400,), 3, run=5, accuracy=0.6),
    Setting((400,), 5),
    Setting((400,), 10),
    Setting((2000,), 3),
    Setting((2000,), 5),
)
PLAN_DESIGNS = (
    *(Setting((80,) * 5, seeds, run=run) for seeds in (1, 3) for run in (0, 1.8)),
    Setting((80,) * 5, 1, accuracy=0.6),
    Setting((80,) * 5, 3, arms=6),
    *(Setting((400,), seeds, run=run) for seeds in (3, 10) for run in (0, 1.8)),
    Setting((400,), 3, accuracy=0.6),
    *(Setting((2000,), 3, run=run) for run in (0, 1.8)),
)
METRIC_DESIGNS = (
    *(
        MetricSetting(name, folds, seeds, several)
        for name in ("map", "eer")
        for folds, seeds, several in (
            ((80,) * 5, 3, True),
            ((80,) * 5, 3, False),
            ((40,) * 5, 1, True),
            ((400,), 5, True),
            ((400,) * 5, 3, True),
        )
    ),
    MetricSetting("auc", (80,) * 5, 3),
    MetricSetting("auc", (400,), 5),
    MetricSetting("recall", (80,) * 5, 3, several=False),
    MetricSetting("recall", (400,), 5, several=False),
)

MARGIN_METRICS = (
    *(
        MetricSetting(name, folds, seeds, several, run=0.02)
        for name, several in (("recall", False), ("map", True), ("auc", True), ("eer", True))
        for folds, seeds in (((1000,) * 5, 3), ((2000,), 5))
    ),
    MetricSetting(OWN, (400,) * 5, 3, several=False, run=0.02),
)


def said(outcomes: Outcomes, seed: int) -> list[ArmVerdict]:
    """Return the verdicts on all pairs of arms."""
    resampled = bootstrap(outcomes, replicates=REPLICATES, seed=seed)
    names = outcomes.arms
    return list(verdicts([resampled.difference(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]))


def words(setting: Setting, advantage: float, draws: int, seed: int) -> list[list[str]]:
    """Return the words about all pairs of arms in `draws` simulated runs, the first arm against the second first."""
    runs = (simulate(setting, advantage, np.random.default_rng([seed, draw])) for draw in range(draws))
    return [[verdict.word for verdict in said(run, draw)] for draw, run in enumerate(runs)]


def null(draws: int, seed: int, only: str) -> Iterator[Row]:
    """Return the chance of each word among equal arms: for any pair of a run, and for a single pair."""
    for setting in selected(DESIGNS, only):
        found = words(setting, 0.0, draws, seed)
        flat = [word for each in found for word in each]
        yield {
            "design": setting.name,
            "better or worse, any pair": share(any(w in (BETTER, WORSE) for w in each) for each in found),
            "unresolved": share(w == UNRESOLVED for w in flat),
            "equivalent": share(w == EQUIVALENT for w in flat),
            "cannot be said": share(w == UNSAID for w in flat),
            "draws": draws,
        }


def margin(draws: int, seed: int, only: str) -> Iterator[Row]:
    """Return the chance of the word "equivalent" for arms that differ by 2, 3 and 4 points."""
    for setting in selected(MARGIN_DESIGNS, only):
        shares = {
            f"{size} points": share(each[0] == EQUIVALENT for each in words(setting, size, draws, seed))
            for size in (0, 2, 3, 4)
        }
        yield {"design": setting.name, **shares, "draws": draws}


def power(draws: int, seed: int, only: str) -> Iterator[Row]:
    """Return the chance of the word "better" for arms that differ by the difference that a run states.

    A run states it from its own precision, which few folds or seeds know badly: so the quartiles too. A run of two
    folds states none.
    """
    for setting in selected(POWER_DESIGNS, only):
        stated = []
        for draw in range(draws):
            found = said(simulate(setting, 0.0, np.random.default_rng([seed, 1, draw])), draw)
            size = stated_difference([verdict.difference for verdict in found])
            if size is None:
                break
            stated.append(size)
        if not stated:
            empty = dict.fromkeys(("stated (points)", "middle half of the runs", "better"), "–")
            yield {"design": setting.name, **empty, "draws": draws}
            continue
        low, size, high = (100 * float(size) for size in np.quantile(stated, [0.25, 0.5, 0.75]))
        room = size < 100 * (0.995 - setting.accuracy)
        found_words = words(setting, size, draws, seed) if room else []
        yield {
            "design": setting.name,
            "stated (points)": round(size, 1),
            "middle half of the runs": f"{low:.1f} … {high:.1f}",
            "better": share(each[0] == BETTER for each in found_words) if room else "–",
            "draws": draws,
        }


def plan(draws: int, seed: int, only: str) -> Iterator[Row]:
    """Return the chance of the word "better" for arms that differ by the difference that the first block states.

    The statement is for trainings that lie as far apart as those of the design.
    """
    for setting in selected(PLAN_DESIGNS, only):
        runs = (simulate(setting, 0.0, np.random.default_rng([seed, 1, draw])) for draw in range(draws))
        size = 100 * float(np.median([planned(run, setting.run / 100) for run in runs]))
        found = words(setting, size, draws, seed)
        yield {
            "design": setting.name,
            "stated (points)": round(size, 1),
            "better": share(each[0] == BETTER for each in found),
            "draws": draws,
        }


def planned(run: Outcomes, apart: float) -> float:
    """Return the difference that `compare` states after the first block of a run."""
    first = run.folds == run.folds[0]
    _, groups = np.unique(run.groups[first], return_inverse=True)
    block = Outcomes(run.arms, run.values[:, first, :1], run.folds[first], groups, overlap=run.overlap)
    pairs = [(a, b) for i, a in enumerate(run.arms) for b in run.arms[i + 1 :]]
    return planned_difference(block, pairs, len(run.folds), len(np.unique(run.folds)), run.values.shape[2], apart)


def metrics(draws: int, seed: int, only: str) -> Iterator[Row]:
    """Return the chance of each word about two equal arms under each metric, and how often the intervals hold zero."""
    for setting in selected(METRIC_DESIGNS, only):
        runs = (simulate_metric(setting, 0.0, np.random.default_rng([seed, 7, draw])) for draw in range(draws))
        found = [said(run, draw)[0] for draw, run in enumerate(runs)]
        yield {
            "design": setting.name,
            "better or worse": share(v.word in (BETTER, WORSE) for v in found),
            "unresolved": share(v.word == UNRESOLVED for v in found),
            "equivalent": share(v.word == EQUIVALENT for v in found),
            "bootstrap holds zero": share(not v.difference.bootstrap.excludes_zero for v in found),
            "over folds or seeds": share(not v.difference.units.excludes_zero for v in found if v.difference.units),
            "draws": draws,
        }


def metric_margin(draws: int, seed: int, only: str) -> Iterator[Row]:
    """Return the chance of the word "equivalent" for arms that differ by 2 and 3 points of another metric."""
    for setting in selected(MARGIN_METRICS, only):
        row: dict[str, object] = {"design": f"{setting.name}, run {setting.run:g}"}
        for size in (0, 2, 3):
            wider = widening(setting, size / 100)
            runs = (simulate_metric(setting, wider, np.random.default_rng([seed, 7, draw])) for draw in range(draws))
            found = [said(run, draw)[0] for draw, run in enumerate(runs)]
            row[f"{size} points"] = share(v.word == EQUIVALENT for v in found)
            if size:
                mean = 100 * float(np.mean([abs(v.difference.estimate) for v in found]))
                row[f"mean difference, {size}"] = round(mean, 1)
        yield {**row, "draws": draws}


def selected(designs: Sequence[_Design], only: str) -> list[_Design]:
    """Return the designs whose name holds a text."""
    return [design for design in designs if only in design.name]


def share(found: Iterable[bool]) -> float:
    """Return the share of what is true, in percent."""
    values = list(found)
    return round(100 * sum(values) / len(values), 1)


TABLES: Mapping[str, Callable[[int, int, str], Iterator[Row]]] = {
    "null": null,
    "margin": margin,
    "power": power,
    "plan": plan,
    "metrics": metrics,
    "metric-margin": metric_margin,
}


def measure(table: str, draws: int, seed: int, only: str) -> None:
    """Print the rows of a table and keep them, as they come."""
    RESULTS.mkdir(exist_ok=True)
    for row in TABLES[table](draws, seed, only):
        print(" | ".join(str(value) for value in row.values()), flush=True)
        with FILE.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"table": table, "row": row}, ensure_ascii=False) + "\n")


def write() -> None:
    """Put the newest row of each design that was measured into the page."""
    found: dict[str, dict[object, Row]] = {table: {} for table in TABLES}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        kept = json.loads(line)
        found[kept["table"]][kept["row"]["design"]] = kept["row"]
    for table, rows in found.items():
        if rows:
            head = list(next(iter(rows.values())))
            renew_rows(PAGE, f"calibration-{table}", [head, *([str(row[n]) for n in head] for row in rows.values())])


def main() -> None:
    """Measure one table, or write all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=[*TABLES, "write"])
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="Designs whose name holds this text.")
    given = parser.parse_args()
    if given.table == "write":
        write()
    else:
        measure(given.table, given.draws, given.seed, given.only)


if __name__ == "__main__":
    main()
