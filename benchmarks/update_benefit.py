"""Benefit of each update behind each change: four small models on ESC-10, all folds, three seeds.

    python -m benchmarks.update_benefit measure ESC10_FOLDER    # half an hour of one core; goes on where it stopped
    python -m benchmarks.update_benefit write                   # the table of the docs, and that of the advice

An update sees one half of the held-out fold's clips, unlabelled, and is tested on the other half; then they change
places. Intervals are 95 %, by a bootstrap over recordings of the mean over models and seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import spectronorm as sn
from benchmarks.changes import Change, heard
from benchmarks.developed_on import FIRST
from benchmarks.document import put_table
from benchmarks.measure import RESULTS
from benchmarks.shifts import FRESH, SHIFTS
from spectronorm.experiment.arms.arm import Arm, arm_of_name
from spectronorm.experiment.clips.folds import LabelledClips, labelled_clips
from spectronorm.experiment.clips.levels import repeated
from spectronorm.experiment.deploy import BATCH_NORM, FEW, MEAN, MEAN_AND_STD, NO_UPDATE, Deployed
from spectronorm.experiment.training.inputs import ArmInputs
from spectronorm.experiment.training.models import make_model
from spectronorm.experiment.training.train import Training, train
from spectronorm.monitor import Kind
from spectronorm.monitor.change import measured_benefit

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
import deployment_story as story

FILE = RESULTS / "update-benefit.jsonl"
PAGE = Path(__file__).parent.parent / "docs" / "monitoring.md"
ADVICE = Path(measured_benefit.__file__)
UPDATES = (MEAN, MEAN_AND_STD, BATCH_NORM)
SEEDS, SECONDS, RATE = 3, 5.0, 16_000
FEW_CLASSES = (1, 2, 3, 5)
AS_IN_TRAINING = "as in training"
Levels = Mapping[tuple[str, str], NDArray[np.float32]]
STANDARDIZED = story.FRONT_END
AS_RECORDED = sn.FrontEnd(RATE, stft=sn.STFT(1024, hop_length=640), bands=sn.Mel(64))


@dataclass(frozen=True)
class Tried:
    """A model with its normalization, and the front end that it listens through."""

    model: str
    normalize: str
    front_end: sn.FrontEnd
    training: Training

    @property
    def arm(self) -> Arm:
        return arm_of_name(self.normalize, self.front_end)


MODELS = (
    Tried("story", "band", STANDARDIZED, Training(device="cpu")),
    Tried("story", "global", STANDARDIZED, Training(device="cpu")),
    Tried("tiny", "band", AS_RECORDED, Training(device="cpu")),
    Tried("mlp", "band", AS_RECORDED, Training(model="mlp", epochs=40, device="cpu")),
)
"""The network of the deployment story, `tiny` and `mlp` of `compare`; two of them hear audio as recorded."""


def changes() -> dict[str, tuple[str, Change]]:
    """Kind and device of every change by name, without those that the diagnosis is reported on."""
    known = {**SHIFTS, **FRESH}
    rules = (
        *("gain -20 dB", "gain +12 dB", "dull", "bright", "falling 6 dB an octave", "band-limited", "telephone band"),
        *("cut at a quarter", "noise 20 dB", "noise 5 dB", "pink noise 10 dB", "clipped"),
    )
    found = {name: (known[name].kind.value, Change(known[name].device, frozenset())) for name in rules}
    for name, change in FIRST.items():
        if change.device is not None:
            kind = sorted(change.right)[0] if len(change.right) == 1 else _FIRST.get(name, sorted(change.right)[0])
            found[name] = (kind, change)
    return found


_FIRST = {"half speed": "speed", "gate, 25 dB below the peak": "dynamics"}


def measure(folder: Path, only_seeds: Sequence[int]) -> None:
    """Train every model on every fold, test it behind every change, and append a line for each."""
    torch.set_num_threads(1)
    clips = labelled_clips(sn.open_source(folder))
    done = {(row["model"], row["fold"], row["seed"]) for row in _rows()} if FILE.exists() else set()
    levels = levels_behind(clips, {name: change for name, (_, change) in changes().items()})
    print(f"{len(levels)} sets of levels, {time.process_time():.0f} s of processor time", flush=True)
    profiles = profiles_of(clips)
    RESULTS.mkdir(exist_ok=True)
    for seed in only_seeds:
        for fold in clips.held_out:
            for tried in MODELS:
                name = f"{tried.model}, {tried.normalize}"
                if (name, fold, seed) not in done:
                    row = tested(tried, clips, levels, profiles[tried.front_end.fingerprint], fold, seed)
                    with FILE.open("a") as file:
                        file.write(json.dumps({"model": name, "fold": fold, "seed": seed, "hits": row}) + "\n")
                    print(f"seed {seed}, fold {fold}, {name}: {time.process_time():.0f} s", flush=True)


def levels_behind(clips: LabelledClips, behind: Mapping[str, Change]) -> Levels:
    """Levels of all clips by the front end's fingerprint and the change, and as in training."""
    waves = [repeated(sn.read(clip.path, RATE), round(SECONDS * RATE)) for clip in clips.source]
    found = {}
    for name, change in {AS_IN_TRAINING: Change(None, frozenset()), **behind}.items():
        changed = heard(change, waves, RATE)
        for front_end in (STANDARDIZED, AS_RECORDED):
            stacked = np.stack([front_end.clip_level(wave) for wave in changed])
            found[front_end.fingerprint, name] = stacked.astype(np.float32)
    return found


def profiles_of(clips: LabelledClips) -> dict[str, sn.Profile]:
    """Profile of all clips by the front end's fingerprint, in folds."""
    return {
        front_end.fingerprint: sn.fit(clips.source, front_end, group_by=("fold",), duration=SECONDS)
        for front_end in (STANDARDIZED, AS_RECORDED)
    }


def tested(
    tried: Tried, clips: LabelledClips, levels: Levels, profile: sn.Profile, fold: str, seed: int
) -> dict[str, dict[str, list[int]]]:
    """Hits of the tested clips, by change and update."""
    print_of = tried.front_end.fingerprint
    inputs = ArmInputs(
        tried.arm,
        tried.arm.normalizer.fit(profile.without(fold=fold)),
        levels[print_of, AS_IN_TRAINING],
        None,
        None,
        len(clips.classes),
        torch.device("cpu"),
    )
    model = _model(tried, len(clips.classes), seed)
    for _ in train(model, inputs, clips.labels, clips.train_clips(fold), tried.training, (seed, int(fold))):
        pass
    deployed, test = Deployed(model, inputs), clips.test_clips(fold)
    found = {}
    for (front_end, name), heard_levels in levels.items():
        if front_end != print_of:
            continue
        hits: dict[str, list[int]] = {}
        for few in FEW_CLASSES if name in (AS_IN_TRAINING, "dull") else (0,):
            scores = deployed.log_probabilities(heard_levels, clips, test, tried.training, few)
            hits |= {u: (p.argmax(axis=1) == clips.labels[test]).astype(int).tolist() for u, p in scores.items()}
        found[name] = hits
    return found


def _model(tried: Tried, classes: int, seed: int) -> nn.Module:
    if tried.model != "story":
        return make_model(tried.model, classes, tried.front_end.n_bands, (seed,))
    torch.manual_seed(seed)
    return story.network(classes)


def _rows() -> Iterator[dict[str, Any]]:
    with FILE.open() as file:
        yield from map(json.loads, file)


def gains(folder: Path) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Gain of each update behind each change, and by kind, in points, with its 95 % interval."""
    clips = labelled_clips(sn.open_source(folder))
    groups = {fold: [clips.groups[i] for i in clips.test_clips(fold)] for fold in clips.held_out}
    kinds = {name: kind for name, (kind, _) in changes().items()}
    apart: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows():
        for change, hits in row["hits"].items():
            keys = [change, f"kind {kinds.get(change, Kind.NOTHING.value)}"]
            if change in kinds:  # An unknown change may be any of them.
                keys.append(f"kind {Kind.UNKNOWN.value}")
            for update, values in hits.items():
                if update == NO_UPDATE:
                    continue
                for key in keys:
                    for group, now, then in zip(groups[row["fold"]], values, hits[NO_UPDATE], strict=True):
                        apart[key, update][group].append(100.0 * (now - then))
    found: dict[str, dict[str, tuple[float, float, float]]] = defaultdict(dict)
    for (key, update), by_group in apart.items():
        found[key][update] = _interval(by_group)
    return dict(found)


def _interval(by_group: Mapping[str, Sequence[float]]) -> tuple[float, float, float]:
    totals = np.array([[sum(values), len(values)] for values in by_group.values()])
    draws = np.random.default_rng(0).multinomial(len(totals), np.full(len(totals), 1 / len(totals)), size=2000) @ totals
    low, high = np.quantile(draws[:, 0] / draws[:, 1], [0.025, 0.975])
    return float(totals[:, 0].sum() / totals[:, 1].sum()), float(low), float(high)


def accuracies() -> dict[str, float]:
    """Accuracy without update, by change, over all models."""
    hits: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
    for row in _rows():
        for change, by_update in row["hits"].items():
            hits[change].append(np.array(by_update[NO_UPDATE]))
    return {change: 100.0 * float(np.concatenate(parts).mean()) for change, parts in hits.items()}


def write(folder: Path) -> None:
    """Write both tables."""
    found, plain = gains(folder), accuracies()
    runs = sum(1 for _ in _rows())
    head = ["change", "kind", "no update (%)", *(f"{update} (points)" for update in UPDATES)]
    rows = [
        [name, kind, f"{plain[name]:.1f}", *(_cell(found[name].get(update)) for update in UPDATES)]
        for name, kind in [(AS_IN_TRAINING, Kind.NOTHING.value), *((n, k) for n, (k, _) in changes().items())]
    ]
    put_table(PAGE, "update-benefit", [head, *rows], f"{runs} trained models.")
    few = [["from clips of", *(f"{update} (points)" for update in UPDATES)]]
    for change in (AS_IN_TRAINING, "dull"):
        for count in FEW_CLASSES:
            cells = (_cell(found[change].get(update + FEW.format(count))) for update in UPDATES)
            few.append([f"{count} of 10 classes, {change}", *cells])
        few.append([f"10 of 10 classes, {change}", *(_cell(found[change].get(update)) for update in UPDATES)])
    put_table(PAGE, "update-few-classes", few)
    entries = [
        (key.removeprefix("kind "), [(*by_update[update], worst(found, key, update)) for update in UPDATES])
        for key, by_update in sorted(found.items())
        if key.startswith("kind ")
    ]
    text = ADVICE.read_text()
    before, _, rest = text.partition("# begin: python -m benchmarks.update_benefit write\n")
    after = rest.partition("# end\n")[2]
    lines = [f'    "{kind}": ({", ".join(map(_benefit, by))}),\n' for kind, by in entries]
    ADVICE.write_text(
        f"{before}# begin: python -m benchmarks.update_benefit write\n"
        f"MEASURED: Mapping[str, tuple[Benefit, Benefit, Benefit]] = {{\n{''.join(lines)}}}\n# end\n{after}"
    )


def _benefit(figures: tuple[float, ...]) -> str:
    return f"Benefit({', '.join(f'{value:.1f}' for value in figures)})"


def worst(found: Mapping[str, Mapping[str, tuple[float, float, float]]], key: str, update: str) -> float:
    """The smallest mean gain behind one change of a kind."""
    kind = key.removeprefix("kind ")
    of_kind = [c for c, (k, _) in changes().items() if kind in (k, Kind.UNKNOWN.value)] or [AS_IN_TRAINING]
    return min(found[change][update][0] for change in of_kind)


def _cell(gain: tuple[float, float, float] | None) -> str:
    return "–" if gain is None else f"{gain[0]:+.1f} ({gain[1]:+.1f} … {gain[2]:+.1f})".replace("-", "−")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["measure", "write"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(SEEDS)))
    given = parser.parse_args()
    if given.action == "measure":
        measure(given.folder, given.seeds)
    else:
        write(given.folder)


if __name__ == "__main__":
    main()
