"""Accuracy of a recipe whose ingredients are chosen on the other folds, so that no tested clip had a say in them.

    python -m benchmarks.nested_recipe esc10/ -o nested --choose-once --minutes 9

For each outer fold, every recipe of `docs/nested-recipe.toml` is trained without the outer fold and one more, and
tested on that one more. The recipe with the most correct clips over these inner folds (the lower log-loss among equals)
is trained on all folds but the outer one, and tested there once. Each seed has weights, batches and a choice of its
own; with `--choose-once` the choices of the first seed hold for all, which takes half the time. A model without two
folds serves both as outer folds. The command may be stopped and repeated.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import xxhash
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.measure import RESULTS, circumstances
from spectronorm.cli.compare_design import START
from spectronorm.experiment import Design, Training, labelled_clips, parse_arms, prepare
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.statistics import bootstrap
from spectronorm.experiment.arms.arm import Arm
from spectronorm.experiment.running.prepare import Prepared, arm_inputs
from spectronorm.experiment.training.inputs import ArmInputs
from spectronorm.experiment.training.models import make_model
from spectronorm.experiment.training.train import mean_log_probabilities, mean_probability, train
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json

RECIPES = Path(__file__).parent.parent / "docs" / "nested-recipe.toml"
Floats = NDArray[np.float64]


class TimeUsedUp(Exception):
    """The minutes are over; the finished models are on disk."""


@dataclass(frozen=True)
class Chosen:
    """The recipe that the inner folds choose for an outer fold, and what it does there.

    Attributes:
        fold: The outer fold.
        seed: The seed.
        recipe: Name of the chosen recipe.
        inner: Accuracy of each recipe over the inner folds.
        hits: 1 for each correct clip of the outer fold.
    """

    fold: str
    seed: int
    recipe: str
    inner: dict[str, float]
    hits: tuple[int, ...]


@dataclass(eq=False)
class Models:
    """Log-probabilities of models that are trained without some folds, made when asked for and kept on disk."""

    prepared: Prepared
    folder: Path
    until: float
    clock: Callable[[], float] = time.monotonic
    made: int = 0
    _inputs: dict[Arm, ArmInputs] = field(default_factory=dict)

    def tested(self, recipe: Arm, left_out: tuple[str, ...], fold: str, seed: int) -> Floats:
        """Return the recipe's log-probabilities `(clip, class)` of a fold's clips; its models never saw `left_out`."""
        return mean_probability([self._model(part, left_out, fold, seed) for part in recipe.parts])

    def _model(self, part: Arm, left_out: tuple[str, ...], fold: str, seed: int) -> Floats:
        path = self._path(part, left_out, fold, seed)
        if not path.exists():
            if self.clock() > self.until:
                raise TimeUsedUp
            self._train(part, left_out, seed)
        return np.asarray(np.load(path))

    def _train(self, part: Arm, left_out: tuple[str, ...], seed: int) -> None:
        """Train a model, and keep what it says of the clips of each fold that it never saw, in each way of testing."""
        clips, training = self.prepared.clips, self.prepared.design.training
        seeds = (seed, *(int(name) for name in left_out))
        model = make_model(training.model, len(clips.classes), part.front_end.level_shape[-1], seeds)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        learned = np.array([i for i in range(len(clips.source)) if clips.fold_of(i) not in left_out], dtype=np.int64)
        for _ in train(model, self._inputs_of(part, left_out), clips.labels, learned, training, seeds):
            pass
        parts = {one for arm in self.prepared.design.arms for one in arm.parts if one.trained == part.trained}
        for one, fold in itertools.product(parts, left_out):
            views = self._inputs_of(one, left_out).views(clips.test_clips(fold))
            with atomic_write(self._path(one, left_out, fold, seed), None) as file:
                np.save(file, mean_log_probabilities(model, views, training))
        self.made += 1
        print(f"{part.name}: without {' and '.join(left_out)}, seed {seed}", flush=True)

    def _path(self, part: Arm, left_out: tuple[str, ...], fold: str, seed: int) -> Path:
        training = self.prepared.design.training.to_dict()
        what = [part.trained.to_dict(), part.test_crops, training, left_out, fold, seed]
        return self.folder / f"{xxhash.xxh3_64_hexdigest(canonical_json(what).encode())}.npy"

    def _inputs_of(self, part: Arm, left_out: tuple[str, ...]) -> ArmInputs:
        """Inputs whose statistics are those of the folds that the model trains on."""
        if part not in self._inputs:
            self._inputs[part] = arm_inputs(self.prepared, part, left_out[0])
        profile = self.prepared.profiles[part.front_end.fingerprint]
        for fold in left_out:
            profile = profile.without(**{self.prepared.clips.fold_column: fold})
        return replace(self._inputs[part], normalizer=part.normalizer.fit(profile))


def choose(models: Models, recipes: Sequence[Arm], fold: str, seed: int, by: int) -> Chosen:
    """Choose a recipe for an outer fold on the other folds with the seed `by`, and test it with the seed `seed`."""
    clips = models.prepared.clips
    inner, losses = {}, {}
    for recipe in recipes:
        hits: list[bool] = []
        true: list[float] = []
        for other in clips.held_out:
            if other != fold:
                said = models.tested(recipe, pair(clips.held_out, fold, other), other, by)
                labels = clips.labels[clips.test_clips(other)]
                hits += (said.argmax(axis=1) == labels).tolist()
                true += said[np.arange(len(labels)), labels].tolist()
        inner[recipe.name], losses[recipe.name] = float(np.mean(hits)), -float(np.mean(true))
    best = max(recipes, key=lambda recipe: (inner[recipe.name], -losses[recipe.name]))
    said = models.tested(best, (fold,), fold, seed)
    right = said.argmax(axis=1) == clips.labels[clips.test_clips(fold)]
    return Chosen(fold, seed, best.name, inner, tuple(int(hit) for hit in right))


def pair(folds: Sequence[str], one: str, other: str) -> tuple[str, ...]:
    """Return two folds in the order of all folds."""
    return tuple(fold for fold in folds if fold in (one, other))


def nested(models: Models, recipes: Sequence[Arm], seeds: int, *, once: bool) -> Iterator[Chosen]:
    """Yield the choice for each seed and outer fold; stops at the end of the time."""
    try:
        for seed, fold in itertools.product(range(seeds), models.prepared.clips.held_out):
            yield choose(models, recipes, fold, seed, 0 if once else seed)
    except TimeUsedUp:
        return


def summary(found: Sequence[Chosen], prepared: Prepared) -> dict[str, object]:
    """Return accuracy over the whole seeds, its 95 % interval over recordings crossed with seeds, and each seed's."""
    clips = prepared.clips
    folds = clips.held_out
    seeds = [s for s in sorted({c.seed for c in found}) if sum(c.seed == s for c in found) == len(folds)]
    if not seeds:
        return {"seeds": 0}
    hits = {(c.fold, c.seed): c.hits for c in found}
    values = np.array([[hit for fold in folds for hit in hits[fold, seed]] for seed in seeds], dtype=np.float64).T[None]
    order = np.concatenate([clips.test_clips(fold) for fold in folds])
    _, groups = np.unique([clips.groups[i] for i in order], return_inverse=True)
    numbers = np.repeat(np.arange(len(folds)), [len(clips.test_clips(fold)) for fold in folds])
    low, high = bootstrap(Outcomes(("nested",), values, numbers, groups.astype(np.int64))).interval("nested")
    each = [float(share) for share in values[0].mean(axis=0)]
    return {"seeds": len(seeds), "accuracy": float(values.mean()), "interval": [low, high], "each seed": each}


def main() -> None:
    """Train what is missing, and print the choices and the accuracy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--recipes", default=str(RECIPES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--choose-once", action="store_true")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--minutes", type=float, default=1e9)
    given = parser.parse_args()
    torch.set_num_threads(1)
    begin, cpu = time.monotonic(), time.process_time()
    training = Training(model=given.model, epochs=given.epochs, precision=given.precision, device="cpu")
    recipes = parse_arms(given.recipes, START)
    prepared = prepare(labelled_clips(sn.open_source(given.source)), Design(recipes, training), given.output)
    folder = given.output / "models"
    folder.mkdir(exist_ok=True)
    models = Models(prepared, folder, begin + 60 * given.minutes)
    found = list(nested(models, recipes, given.seeds, once=given.choose_once))
    for one in found:
        inner = ", ".join(f"{name} {100 * value:.1f}" for name, value in one.inner.items())
        print(f"seed {one.seed}, fold {one.fold}: {one.recipe}, {100 * np.mean(one.hits):.1f} % (inner: {inner})")
    said = summary(found, prepared)
    print(json.dumps(said))
    print(f"{models.made} models in {time.process_time() - cpu:.0f} s of processor time")
    RESULTS.mkdir(exist_ok=True)
    rows = [{"fold": c.fold, "seed": c.seed, "recipe": c.recipe, "inner": c.inner, "hits": sum(c.hits)} for c in found]
    text = json.dumps({**said, "choices": rows, **circumstances()}, indent=1)
    (RESULTS / "nested_recipe.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
