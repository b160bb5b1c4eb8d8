"""Cost of following the advice of a watch, behind changes that neither names nor advice were made with.

    python -m benchmarks.diagnoses                                   # the names, by window
    python -m benchmarks.followed_advice measure ESC10_FOLDER [--folds 1 2] [--models story tiny mlp]
    python -m benchmarks.followed_advice write ESC10_FOLDER          # the table of the docs

The reporting half of the changes is deployed on the held-out folds of trained models, and every update is tested there
as by `benchmarks.update_benefit`. Whoever follows the advice makes the first update that it names, or none; the figure
is the mean over the names that `benchmarks.diagnoses` found in windows of 32 clips. The promise: no advice costs more
than a point on average where another update would gain five. A minute of one core for each model and fold.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

import spectronorm as sn
from benchmarks.changes import REPORT
from benchmarks.diagnoses import PAGE, Named
from benchmarks.document import put_table
from benchmarks.measure import RESULTS
from benchmarks.update_benefit import AS_IN_TRAINING, MODELS, UPDATES, levels_behind, profiles_of, tested
from spectronorm.experiment.clips.folds import labelled_clips
from spectronorm.experiment.deploy import NO_UPDATE
from spectronorm.monitor import Kind, Remedy
from spectronorm.monitor.change.advice import advised

FILE = RESULTS / "followed-advice.jsonl"
NAMES = RESULTS / "diagnoses-ESC-10-report.json"
COSTS, GAINS = -1.0, 5.0
COLUMN = dict(zip(Remedy, UPDATES, strict=True))


def measure(folder: Path, folds: list[str], models: list[str], seed: int = 0) -> None:
    """Train the models on the folds that are not done yet, and append a line for each."""
    torch.set_num_threads(1)
    clips = labelled_clips(sn.open_source(folder))
    done = {(row["model"], row["fold"], row["seed"]) for row in _rows()}
    levels = levels_behind(clips, {name: change for name, change in REPORT.items() if change.device is not None})
    profiles = profiles_of(clips)
    RESULTS.mkdir(exist_ok=True)
    for fold in folds or clips.held_out:
        for tried in MODELS:
            name = f"{tried.model}, {tried.normalize}"
            if tried.model not in models or (name, fold, seed) in done:
                continue
            hits = tested(tried, clips, levels, profiles[tried.front_end.fingerprint], fold, seed)
            with FILE.open("a") as file:
                file.write(json.dumps({"model": name, "fold": fold, "seed": seed, "hits": hits}) + "\n")
            print(f"fold {fold}, {name}: {time.process_time():.0f} s", flush=True)


def _rows() -> Iterator[dict[str, object]]:
    if FILE.exists():
        with FILE.open() as file:
            yield from map(json.loads, file)


def gains(rows: list[dict[str, object]]) -> dict[str, dict[str, float]]:
    """Mean gain of each update behind each change, in points."""
    apart: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        hits = row["hits"]
        assert isinstance(hits, Mapping)
        for change, by_update in hits.items():
            for update in UPDATES:
                if update in by_update:
                    pairs = zip(by_update[NO_UPDATE], by_update[update], strict=True)
                    apart[change][update] += [now - before for before, now in pairs]
    return {c: {u: 100.0 * sum(v) / len(v) for u, v in by.items()} for c, by in apart.items() if c != AS_IN_TRAINING}


def followed(names: Counter[Named], gain: Mapping[str, float]) -> tuple[float, Counter[str]]:
    """Mean gain of doing what is advised for each name, of two causes for the larger, and how often each is made."""
    made: Counter[str] = Counter()
    for (kind, *_), windows in names.items():
        best = advised(kind)
        made[COLUMN[best[0]] if best and kind is not Kind.NOTHING else NO_UPDATE] += windows
    return sum(n * gain.get(update, 0.0) for update, n in made.items()) / made.total(), made


def write(rows: list[dict[str, object]], names: Mapping[str, Counter[Named]]) -> None:
    """Write the table of the docs."""
    table = [["change", "updates made", "advice followed (points)", "best update", "its gain (points)"]]
    broken, values, best_values = [], [], []
    for change, gain in gains(rows).items():
        value, made = followed(names[change], gain)
        best = max(gain, key=lambda update: gain[update])
        shown = ", ".join(f"{update} {n}" for update, n in made.most_common() if n)
        table.append([change, shown, _points(value), best, _points(gain[best])])
        values.append(value)
        best_values.append(max(gain[best], 0.0))
        if value < COSTS and gain[best] >= GAINS:
            broken.append(change)
    models = ", ".join(f"{model} on {n} folds" for model, n in Counter(row["model"] for row in rows).items())
    under = (
        f"Mean of {len(values)} changes: {sum(values) / len(values):+.1f} points by the advice, "
        f"{sum(best_values) / len(values):+.1f} by the best update of each. The advice costs more than a point where "
        f"another update gains five: {', '.join(broken) or 'nowhere'}. Models: {models}."
    )
    print(under)
    put_table(PAGE, "followed-advice", table, under)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["measure", "write"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", nargs="+", default=[])
    parser.add_argument("--models", nargs="+", default=["story", "tiny", "mlp"])
    given = parser.parse_args()
    if given.action == "measure":
        measure(given.folder, given.folds, given.models)
        return
    write(list(_rows()), _names())


def _points(gain: float) -> str:
    return f"{round(gain, 1) + 0.0:+.1f}".replace("-", "−")


def _names() -> dict[str, Counter[Named]]:
    """The kinds that `benchmarks.diagnoses` found in windows behind each change."""
    found = json.loads(NAMES.read_text())
    return {change: Counter({tuple(map(Kind, kinds)): n for kinds, n in named}) for change, named in found.items()}


if __name__ == "__main__":
    main()
