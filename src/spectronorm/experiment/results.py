"""Results on disk: the run's settings in one JSON file, and one appended line for each trained model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.errors import ArgumentError, FileFormatError, OutputRefused
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.metrics.metric import truth_of
from spectronorm.storage import read_bounded, refuse_damage, strict_json
from spectronorm.storage.atomic import atomic_write, write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.field_values import finite, whole
from spectronorm.suggestion import known_settings

SETTINGS, LINES = "experiment.json", "results.jsonl"


@dataclass(frozen=True)
class Scores:
    """Scores of each tested clip.

    Attributes:
        hit: 1 if the predicted classes are right.
        log_probability: Log-probability of the truth.
        of_classes: Log-probability of each class, if the metric is not accuracy, or a clip may have several.
    """

    hit: tuple[int, ...]
    log_probability: tuple[float, ...]
    of_classes: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class TrainedModel:
    """Result of one model: one arm in one block.

    Attributes:
        fold: The held-out fold, whose clips were scored, in the source's order.
        seed: The block's seed.
        arm: The arm's name.
        scores: Scores on the clips as recorded.
        predicted: The predicted class of each clip; none if a clip may have several.
        loss: Mean training loss of each epoch.
        seconds: Duration of the training in seconds.
        shifted: Scores by deployment, and by update (`none`, `mean`, `mean and std`, `BatchNorm`).
        held_out_loss: Mean log-loss of the held-out clips after each epoch, which decided nothing.
        learning_rate: Highest learning rate; 0 if nothing was trained.
    """

    fold: str
    seed: int
    arm: str
    scores: Scores
    predicted: tuple[int, ...]
    loss: tuple[float, ...]
    seconds: float
    shifted: Mapping[str, Mapping[str, Scores]] = field(default_factory=dict)
    held_out_loss: tuple[float, ...] = ()
    learning_rate: float = 0.0

    @property
    def key(self) -> tuple[str, int, str]:
        """The fold, seed and arm that identify the model in a run."""
        return (self.fold, self.seed, self.arm)


@known_settings
class Results:
    """Finished models of a run, in a folder; the command that began the run resumes it.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     results = Results(pathlib.Path(folder), {"seeds": 1})
    ...     len(results.done)
    0
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Open the folder, or create it.

        Raises:
            ArgumentError: if the folder holds a run with other settings; the message names the differences.
            FileFormatError: if the folder's files are damaged.
        """
        self.folder, self.settings = folder, settings
        self.done: dict[tuple[str, int, str], TrainedModel] = {}
        path = folder / SETTINGS
        if path.exists():
            _require_same(path, _read_json(path), json.loads(canonical_json(settings)))
        else:
            if os.path.lexists(folder / LINES):
                raise OutputRefused(
                    f"{folder / LINES}: already exists without {SETTINGS}; choose another folder with -o"
                )
            write_text(path, json.dumps(settings, indent=1, sort_keys=True, allow_nan=False) + "\n", None)
        self._recover()

    def add(self, model: TrainedModel) -> None:
        """Append one model's line and flush it to disk."""
        with (self.folder / LINES).open("ab") as file:
            file.write(canonical_json(_plain(asdict(model))).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.done[model.key] = model

    def _recover(self) -> None:
        """Read the finished models; remove a last line that an interruption cut short."""
        path = self.folder / LINES
        if not os.path.lexists(path):
            return
        if not path.is_file():
            raise OutputRefused(f"{path}: is not a regular file; choose another folder with -o")
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            with refuse_damage(path, f"line {number}", "delete the line or the file"):
                model = _parse(strict_json(line))
            self.done[model.key] = model
        if len(whole) < len(data):
            with atomic_write(path, None) as file:
                file.write(whole)


def clips_settings(clips: LabelledClips) -> list[list[str]]:
    """Return each clip's name, class, fold and group, which identify the data that results belong to."""
    names = (clip.name for clip in clips.source)
    truth = truth_of(clips.labels, len(clips.classes))
    labels = [";".join(c for c, found in zip(clips.classes, row, strict=True) if found) for row in truth]
    return [[name, labels[i], clips.fold_of(i), clips.groups[i]] for i, name in enumerate(names)]


def _scores(plain: Mapping[str, Any]) -> Scores:
    hit, log_probability = tuple(plain["hit"]), tuple(float(v) for v in plain["log_probability"])
    of_classes = tuple(tuple(float(v) for v in row) for row in plain.get("of_classes", ()))
    if len(hit) != len(log_probability) or not set(hit) <= {0, 1} or not np.isfinite(log_probability).all():
        raise ValueError("the scores are invalid")
    if of_classes and (len(of_classes) != len(hit) or not np.isfinite(np.array(of_classes)).all()):
        raise ValueError("the scores of the classes are invalid")
    return Scores(hit, log_probability, of_classes)


def _plain(model: dict[str, Any]) -> dict[str, Any]:
    """A model as plain values, without the scores of classes where there are none."""
    for scores in (model["scores"], *(score for by in model["shifted"].values() for score in by.values())):
        if not scores["of_classes"]:
            del scores["of_classes"]
    return model


def _parse(plain: Mapping[str, Any]) -> TrainedModel:
    shifted = {s: {u: _scores(v) for u, v in by.items()} for s, by in plain["shifted"].items()}
    return TrainedModel(
        fold=str(plain["fold"]),
        seed=whole(plain["seed"]),
        arm=str(plain["arm"]),
        scores=_scores(plain["scores"]),
        predicted=tuple(whole(v) for v in plain["predicted"]),
        loss=tuple(float(v) for v in plain["loss"]),
        seconds=finite(plain["seconds"]),
        shifted=shifted,
        held_out_loss=tuple(finite(v) for v in plain.get("held_out_loss", [])),
        learning_rate=finite(plain.get("learning_rate", 0.0)),
    )


def _read_json(path: Path) -> Any:
    try:
        return strict_json(read_bounded(path))
    except ValueError as error:
        raise FileFormatError(f"{path}: is damaged ({error}); choose another folder") from None


def _require_same(path: Path, there: Any, here: Any) -> None:
    if there == here:
        return
    names = sorted(here) if isinstance(there, dict) else []
    differing = [name for name in names if there.get(name) != here[name]] or ["everything"]
    raise ArgumentError(
        f"{path}: this folder holds a run with other settings ({', '.join(differing)}); repeat the original command to "
        "resume it, or choose another folder with -o"
    )
