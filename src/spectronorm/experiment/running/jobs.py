"""Training jobs for an engine: the models are independent, so they may run on any worker and in any order."""

from __future__ import annotations

import tempfile
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch

from spectronorm.engines import Engine
from spectronorm.errors import EngineError
from spectronorm.experiment.design import Block, Design
from spectronorm.experiment.results import Results, TrainedModel
from spectronorm.experiment.running.prepare import Prepared
from spectronorm.experiment.running.run import ArmTraining
from spectronorm.runs.progress import Progress, silent
from spectronorm.runs.resume import Guarded

Job = tuple[Block, tuple[str, ...]]
"""A block and the names of the arms that share one trained model, usually a single arm."""
_ONE_AT_A_TIME = threading.Lock()  # Drawing initial weights sets torch's global generator for a moment.
_kept: dict[str, Prepared] = {}


@dataclass(frozen=True, eq=False)
class TrainTask:
    """Training of the arms of one job; picklable and small: each process computes the levels once for all its jobs."""

    prepared: Prepared
    torch_version: str = field(default_factory=lambda: str(torch.__version__))
    run: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __call__(self, job: Job) -> list[TrainedModel]:
        """Train the arms and return their results.

        Raises:
            EngineError: if this process has another version of torch than the process that began the run.
        """
        if self.torch_version != str(torch.__version__):
            raise EngineError(
                f"a worker has torch {torch.__version__}, but the run was started with {self.torch_version}; "
                "install that version there"
            )
        block, names = job
        # Each job has its own folder; otherwise workers would remove each other's checkpoints.
        with _ONE_AT_A_TIME, tempfile.TemporaryDirectory(prefix="spectronorm-") as folder:
            if self.run not in _kept:
                _kept.clear()
                _kept[self.run] = self.prepared
            return [_trained(_kept[self.run], block, name, Path(folder)) for name in names]


def _trained(prepared: Prepared, block: Block, name: str, folder: Path) -> TrainedModel:
    training = ArmTraining(prepared, block, name, folder)
    for _ in training.epochs():
        pass
    return training.result()


def run_on(engine: Engine, prepared: Prepared, results: Results, progress: Progress = silent) -> Iterator[Block]:
    """Train the missing models; yields the blocks in their planned order, each as soon as all its arms are done.

    Args:
        engine: Engine that trains the models.
        prepared: Result of `prepare`.
        results: Finished models; each new model is added as it arrives.
        progress: Called with the number of epochs done and the total number of epochs.

    Raises:
        EngineError: if the engine fails, or if a worker would not reproduce the results.
    """
    design = prepared.design
    blocks = list(design.blocks(prepared.clips))
    jobs = [(block, names) for block in blocks for names in _together(design, _missing(design, block, results))]
    epochs = {name: design.epochs_of(name) for name in design.names}
    total = len(blocks) * sum(epochs.values())
    done = total - sum(epochs[name] for _, names in jobs for name in names)
    trained = engine.map(Guarded(TrainTask(prepared), prepared.clips.source), jobs)
    for block in blocks:
        while _missing(design, block, results):
            for model in next(trained):
                results.add(model)
                done += epochs[model.arm]
            progress(done, total)
        yield block


def _missing(design: Design, block: Block, results: Results) -> list[str]:
    return [name for name in design.names if (block.fold, block.seed, name) not in results.done]


def _together(design: Design, names: list[str]) -> list[tuple[str, ...]]:
    """Group the names whose arms share a model, which is trained once; the control always has a model of its own."""
    groups: list[tuple[str, ...]] = []
    for name in names:
        arm, alone = design.arm(name), name == design.control
        sharing = [
            group for group in groups if not alone and any(arm.shares_models_with(design.arm(other)) for other in group)
        ]
        joined = (*(other for group in sharing for other in group), name)
        groups = [*(group for group in groups if group not in sharing), joined]
    return groups
