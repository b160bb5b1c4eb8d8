"""Training run in a folder: its settings, its state, and a preview in image and sound at every checkpoint."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from spectronorm.arrays import whole_number
from spectronorm.errors import ArgumentError, FileFormatError, OutputRefused
from spectronorm.gan.checkpoint import load_checkpoint, save_checkpoint
from spectronorm.gan.prepare import PreparedGan
from spectronorm.gan.preview import save_preview
from spectronorm.gan.training import GanTrainer, StepLosses, explained_memory
from spectronorm.runs.lock import output_lock
from spectronorm.runs.progress import Progress, silent
from spectronorm.storage import read_bounded, refuse_damage, strict_json
from spectronorm.storage.atomic import remove_unfinished, write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable
from spectronorm.suggestion import known_keywords

SETTINGS, LOG = "training.json", "log.jsonl"
CHECKPOINT, MODEL, PROFILE = "checkpoint.safetensors", "model.safetensors", "profile.safetensors"
PREVIEWS = "previews"
MAX_STEPS = 1_000_000_000


@dataclass(frozen=True)
class CheckpointLine:
    """One line of the log: step, mean losses since the previous line, and seconds of training so far."""

    step: int
    discriminator_loss: float
    generator_loss: float
    seconds: float


@known_keywords
def train_gan(
    prepared: PreparedGan, folder: Path, steps: int, *, every: int = 500, progress: Progress = silent
) -> Iterator[CheckpointLine]:
    """Train up to `steps`, resuming from the folder's checkpoint; yields the line logged at every checkpoint.

    Each checkpoint comprises the whole state, the model, and an image and a sound from fixed latent variables.

    Args:
        prepared: Result of `prepare_gan`.
        folder: Folder of the run.
        steps: Total number of steps, including the steps already done.
        every: Number of steps between checkpoints; the last step is a checkpoint too.
        progress: Called with the number of steps done and the total number of steps.

    Raises:
        ArgumentError: if the folder holds a training with other settings, losses are not finite, or memory runs out.
        FileFormatError: if the folder's files are damaged.
        OutputBusy: if another run is training in the folder.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> from spectronorm.gan import GanDesign, GanTraining, TrainingSource, prepare_gan
    >>> stft, compress = sn.STFT(256, hop_length=128), sn.Decibel(floor_db=-80.0)
    >>> front_end = sn.FrontEnd(8000, stft=stft, bands=sn.Mel(16), compress=compress)
    >>> design = GanDesign(size=16, width=2, latent=4, training=GanTraining(batch_size=2, device="cpu"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for n, wave in enumerate(0.1 * np.random.default_rng(0).standard_normal((4, 1920))):
    ...         soundfile.write(pathlib.Path(folder) / f"{n}.wav", wave, 8000)
    ...     prepared = prepare_gan(TrainingSource(folder), front_end, design)
    ...     [line.step for line in train_gan(prepared, pathlib.Path(folder) / "run", 2, every=1)]
    [1, 2]
    """
    whole_number(steps, "steps", 1, MAX_STEPS), whole_number(every, "every", 1, MAX_STEPS)
    with output_lock(folder):
        remove_unfinished(folder)
        seconds = _open_folder(prepared, folder)
        trainer = prepared.trainer()
        if (folder / CHECKPOINT).exists():
            load_checkpoint(trainer, folder / CHECKPOINT)
        losses: list[StepLosses] = []
        begin = time.perf_counter() - seconds
        while trainer.step < steps:
            with explained_memory(trainer.architecture, trainer.training.batch_size):
                losses.append(trainer.advance())
            progress(trainer.step, steps)
            if trainer.step % every == 0 or trainer.step == steps:
                line = _line(trainer.step, losses, time.perf_counter() - begin)
                losses = []
                _save(prepared, trainer, folder, line)
                yield line


def _open_folder(prepared: PreparedGan, folder: Path) -> float:
    """Create the folder, or check that it holds this training; returns the seconds of training so far."""
    path = folder / SETTINGS
    here = json.loads(canonical_json(prepared.settings))
    if not (folder / CHECKPOINT).exists():  # No work depends on these settings yet, so they may be replaced.
        if os.path.lexists(folder / LOG) and not path.exists():
            raise OutputRefused(f"{folder / LOG}: already exists without {SETTINGS}; choose another folder with -o")
        require_replaceable(folder / MODEL, Content.CONTAINER)
        require_replaceable(path, Content.RECORD)
        prepared.profile.save(folder / PROFILE)
        write_text(path, json.dumps(here, indent=1, sort_keys=True) + "\n", Content.RECORD)
        return 0.0
    try:
        there = strict_json(read_bounded(path))
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: is damaged ({error}); choose another folder") from None
    # The source may have moved if its images are unchanged.
    differing = [k for k in here if k != "origin" and not (isinstance(there, dict) and there.get(k) == here[k])]
    if differing:
        raise ArgumentError(
            f"{path}: this folder holds a training with other settings ({', '.join(differing)}); give "
            "the same command again to resume it (more --steps are allowed), or choose another folder with -o"
        )
    lines = read_log(folder)
    return lines[-1].seconds if lines else 0.0


def read_log(folder: Path) -> list[CheckpointLine]:
    """Read the lines of a run's log, without a last line that an interruption cut short.

    Raises:
        FileFormatError: if any other line is damaged.
    """
    path = folder / LOG
    if not os.path.lexists(path):
        return []
    if not path.is_file():
        raise OutputRefused(f"{path}: is not a regular file; choose another folder with -o")
    text = path.read_text(encoding="utf-8", errors="replace")
    with refuse_damage(path, "the log", "delete it to continue without"):
        return [CheckpointLine(**strict_json(line)) for line in text[: text.rfind("\n") + 1].splitlines()]


def _line(step: int, losses: list[StepLosses], seconds: float) -> CheckpointLine:
    means = [
        float(torch.stack(values).mean())
        for values in ([x.discriminator for x in losses], [x.generator for x in losses])
    ]
    if not np.isfinite(means).all():
        raise ArgumentError(
            f"training diverged before step {step}: losses are not finite; the last checkpoint is kept, and "
            "--learning-rate or --loss may be changed in another folder"
        )
    return CheckpointLine(step, round(means[0], 5), round(means[1], 5), round(seconds, 1))


def _save(prepared: PreparedGan, trainer: GanTrainer, folder: Path, line: CheckpointLine) -> None:
    model = prepared.model(trainer)
    model.save(folder / MODEL)
    save_preview(model, folder / PREVIEWS / f"step-{trainer.step:06d}")
    kept = "".join(canonical_json(asdict(old)) + "\n" for old in read_log(folder) if old.step < line.step)
    write_text(folder / LOG, f"{kept}{canonical_json(asdict(line))}\n", None)
    save_checkpoint(trainer, folder / CHECKPOINT)
