"""The run, block by block: all arms share weights, batches and draws, and finished models are kept."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import xxhash
from torch import nn

from spectronorm.arrays import Floats
from spectronorm.experiment.arms.arm import Arm
from spectronorm.experiment.arms.own_training import NOTHING
from spectronorm.experiment.deploy import Deployed, scores_of
from spectronorm.experiment.design import Block
from spectronorm.experiment.results import Results, TrainedModel
from spectronorm.experiment.running.prepare import Prepared, arm_inputs, input_channels
from spectronorm.experiment.training.checkpoint import Checkpoint
from spectronorm.experiment.training.inputs import ArmInputs
from spectronorm.experiment.training.learning_rate import find_learning_rate
from spectronorm.experiment.training.models import make_model
from spectronorm.experiment.training.train import Epoch, Training, mean_log_probabilities, mean_probability, train
from spectronorm.runs.progress import Progress, silent
from spectronorm.storage.atomic import write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.suggestion import known_keywords

CHECKPOINT, RATE = "checkpoint-", "learning-rate-"


@known_keywords
def run(prepared: Prepared, results: Results, progress: Progress = silent) -> Iterator[Block]:
    """Train the missing models, block by block; yields each block when all its arms are done.

    Args:
        prepared: Result of `prepare`.
        results: Finished models; each new model is added as it arrives.
        progress: Called with the number of epochs done and the total number of epochs.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.experiment import Design, Results, Training, labelled_clips, parse_arms, prepare
    >>> waves = 0.1 * np.random.default_rng(0).standard_normal((12, 8000))
    >>> items = [{"audio": (wave, 16_000), "label": "ab"[n % 2], "fold": n // 4} for n, wave in enumerate(waves)]
    >>> design = Design(parse_arms("none,band", sn.FrontEnd(bands=sn.Mel(16))), Training("linear", epochs=1), seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     prepared = prepare(labelled_clips(sn.open_source(items)), design, pathlib.Path(folder))
    ...     blocks = list(run(prepared, Results(pathlib.Path(folder), prepared.settings())))
    >>> [(block.fold, block.seed) for block in blocks]
    [('0', 0), ('1', 0), ('2', 0)]
    """
    design = prepared.design
    blocks = list(design.blocks(prepared.clips))
    epochs = {name: design.epochs_of(name) for name in design.names}
    total, done = len(blocks) * sum(epochs.values()), 0
    for block in blocks:
        for name in design.names:
            if (block.fold, block.seed, name) in results.done:
                done += epochs[name]
            else:
                training = ArmTraining(prepared, block, name, results.folder)
                for _ in training.epochs():
                    done += 1
                    progress(done, total)
                results.add(training.result())
                training.remove_checkpoints()
            progress(done, total)
        for left in results.folder.glob(f"{CHECKPOINT}*"):
            left.unlink()
        yield block


@dataclass(eq=False)
class ArmTraining:
    """Training and test of one arm in one block, with one model or several whose probabilities are averaged.

    The folder keeps checkpoints.
    """

    prepared: Prepared
    block: Block
    name: str
    folder: Path
    _epochs: list[list[Epoch]] = field(default_factory=list)
    _rates: list[float] = field(default_factory=list)
    _tested: list[Floats] = field(default_factory=list)
    _deployed: list[dict[str, dict[str, Floats]]] = field(default_factory=list)
    _seconds: float = 0.0

    def epochs(self) -> Iterator[None]:
        """Train and test each member; yields at the end of each epoch."""
        design, clips, block = self.prepared.design, self.prepared.clips, self.block
        test = clips.test_clips(block.fold)
        for part, member in design.arm(self.name).models:
            inputs = arm_inputs(self.prepared, part, block.fold)
            seed = design.seed_of(self.name, block, member)
            begin = time.perf_counter()
            training = self._searched(part, inputs)
            model = self._model(part, training, seed)
            epochs: list[Epoch] = []
            checkpoint, learned = self._checkpoint(part, member), clips.train_clips(block.fold)
            for epoch in train(model, inputs, clips.labels, learned, training, seed, checkpoint, test):
                epochs.append(epoch)
                yield
            self._seconds += time.perf_counter() - begin
            self._rates.append(training.rate if epochs else 0.0)
            self._epochs.append(epochs)
            several = clips.several_labels
            self._tested.append(mean_log_probabilities(model, inputs.views(test), training, several=several))
            deployed = Deployed(model, inputs, several)
            self._deployed.append({} if self.name == design.control else self._shifted(deployed))

    def _model(self, part: Arm, training: Training, seed: tuple[int, ...]) -> nn.Module:
        """Return the part's model with its initial weights, on the training's device."""
        channels, bands = input_channels(part.front_end), part.front_end.level_shape[-1]
        model = make_model(training.model, len(self.prepared.clips.classes), bands, seed, channels)
        # Inputs have this memory order; weights in another order would be converted at each step.
        model.to(training.torch_device()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return model

    def _searched(self, part: Arm, inputs: ArmInputs) -> Training:
        """Return the part's training settings, with a searched learning rate if it asks for one.

        The search depends on the arm and the held-out fold, not on the seed, and is kept in the folder.
        """
        training = self.prepared.design.training_of(part)
        if not training.search_learning_rate or training.trains == NOTHING or part.own.learning_rate is not None:
            return training
        file = self.folder / f"{RATE}{self._digest(part, ())}.json"
        rate = _kept_rate(file)
        if rate is None:
            seed = (0, *self.prepared.design.seed_of(self.name, Block(self.block.fold, 0))[1:])
            make = functools.partial(self._model, part, training, seed)
            rate = find_learning_rate(make, inputs, self.prepared.clips, self.block.fold, training, seed)
            write_text(file, f"{rate!r}\n", None)
        return replace(training, learning_rate=rate)

    def result(self) -> TrainedModel:
        """Return the result after the last epoch."""
        clips = self.prepared.clips
        labels, metric = clips.labels[clips.test_clips(self.block.fold)], self.prepared.design.metric_name
        log_probability = mean_probability(self._tested)
        first, *others = self._deployed
        return TrainedModel(
            fold=self.block.fold,
            seed=self.block.seed,
            arm=self.name,
            scores=scores_of(log_probability, labels, metric),
            predicted=() if clips.several_labels else tuple(int(c) for c in log_probability.argmax(axis=1)),
            loss=self._curve("loss"),
            held_out_loss=self._curve("held_out"),
            learning_rate=max(self._rates),
            seconds=round(self._seconds, 2),
            shifted={
                shift: {
                    update: scores_of(
                        mean_probability([each[shift][update] for each in self._deployed]), labels, metric
                    )
                    for update in updates
                    if all(update in other[shift] for other in others)
                }
                for shift, updates in first.items()
            },
        )

    def _curve(self, name: str) -> tuple[float, ...]:
        """Mean loss of the models by epoch, for the epochs that all have; nothing if an epoch's loss is infinite."""
        shortest = min(map(len, self._epochs))
        each = np.mean([[getattr(epoch, name) for epoch in epochs[:shortest]] for epochs in self._epochs], axis=0)
        return tuple(round(float(value), 6) for value in each) if np.isfinite(each).all() else ()

    def _shifted(self, deployed: Deployed) -> dict[str, dict[str, Floats]]:
        prepared, inputs = self.prepared, deployed.inputs
        test = prepared.clips.test_clips(self.block.fold)
        return {
            shift: deployed.log_probabilities(
                prepared.waves.levels(inputs.arm.front_end, prepared.device(shift)),
                prepared.clips,
                test,
                prepared.design.training_of(inputs.arm),
                prepared.design.update_classes,
            )
            for shift in prepared.design.shifts
        }

    @property
    def _shared(self) -> bool:
        """True if another arm of the block trains an identical model, which it then loads from the checkpoint."""
        design = self.prepared.design
        arm = design.arm(self.name)
        return any(arm.shares_models_with(other) for other in design.arms if other.name != arm.name)

    def _checkpoint(self, part: Arm, member: int) -> Checkpoint:
        """Return the checkpoint of a training, keyed by everything that determines the model, so that arms share it."""
        design = self.prepared.design
        digest = self._digest(part, design.seed_of(self.name, self.block, member))
        keeps_end = len(design.arm(self.name).models) > 1 or self._shared
        return Checkpoint(self.folder / f"{CHECKPOINT}{digest}.pt", digest, keeps_end=keeps_end)

    def _digest(self, part: Arm, seed: tuple[int, ...]) -> str:
        settings = {**self.prepared.settings(), "arms": part.trained.to_dict(), "shifts": [], "reference": ""}
        return xxhash.xxh3_128_hexdigest(canonical_json([settings, self.block.fold, seed]).encode())

    def remove_checkpoints(self) -> None:
        """Remove the checkpoints that no other arm needs."""
        if self._shared:
            return
        for part, member in self.prepared.design.arm(self.name).models:
            self._checkpoint(part, member).remove()


def _kept_rate(file: Path) -> float | None:
    """Return the learning rate that an earlier search left; None if there is none or the file is damaged."""
    try:
        rate = float(file.read_text())
    except (OSError, ValueError):
        return None
    return rate if math.isfinite(rate) and rate > 0 else None
