"""Training run in a folder: its settings, its state, and a preview in image and sound at every checkpoint."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xxhash
from numpy.typing import NDArray

from spectronorm.arrays import whole_number
from spectronorm.errors import ArgumentError, FileFormatError, OutputRefused
from spectronorm.front_end import FrontEnd
from spectronorm.gan.checkpoint import load_checkpoint, save_checkpoint
from spectronorm.gan.clips import ImageWindow, classes_of, read_levels
from spectronorm.gan.model import GanModel
from spectronorm.gan.networks import Architecture
from spectronorm.gan.preview import save_preview
from spectronorm.gan.scaling import to_unit
from spectronorm.gan.training import GanTrainer, GanTraining, StepLosses, explained_memory
from spectronorm.gan.training_source import TrainingSource
from spectronorm.image_files import LevelRange, parse_range
from spectronorm.normalize import FittedOn
from spectronorm.passes.fit import fit
from spectronorm.passes.one_pass import MAX_BAD
from spectronorm.profile import BadFile, Profile
from spectronorm.runs.lock import output_lock
from spectronorm.runs.progress import Progress, silent
from spectronorm.short_repr import with_bounded_repr
from spectronorm.storage import read_bounded, refuse_damage, strict_json
from spectronorm.storage.atomic import remove_unfinished, write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable
from spectronorm.suggestion import known_keywords, known_settings

SETTINGS, LOG = "training.json", "log.jsonl"
CHECKPOINT, MODEL, PROFILE = "checkpoint.safetensors", "model.safetensors", "profile.safetensors"
PREVIEWS = "previews"
_FORMAT = 2
MAX_STEPS = 1_000_000_000


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class GanDesign:
    """Settings of a training, without the clips.

    Attributes:
        size: Number of bands and of frames in an image.
        width: Channels at the largest image size.
        latent: Number of latent variables of an image.
        conditional: Condition the networks on the clips' labels.
        level_range: The levels at -1 and 1, in the notation of `parse_range`.
        fix_length: Rule for clips of other lengths, one of `FIX_LENGTH`, or None.
        training: Settings of the optimization.

    >>> from spectronorm.gan import GanTraining
    >>> GanDesign(size=64, width=16, conditional=True, training=GanTraining(batch_size=16)).width
    16
    """

    size: int = 64
    width: int = 32
    latent: int = 100
    conditional: bool = False
    level_range: str = "sigma=3"
    fix_length: str | None = None
    training: GanTraining = field(default_factory=GanTraining)


@dataclass(frozen=True, eq=False)
class PreparedGan:
    """Everything needed before the first step.

    Attributes:
        design: Settings of the training.
        architecture: Architecture of the networks.
        window: Window of an image.
        profile: Profile of the training clips.
        level_range: The levels at -1 and 1.
        images: Images `(clip, band, frame)` in [-1, 1].
        labels: The class index of each clip, `(clip,)`.
        classes: The names of the classes; empty for an unconditional model.
        clipped: Share of cells outside the range.
        settings: Settings that a resumed run must match.
        bad: Files that were left out.
    """

    design: GanDesign
    architecture: Architecture
    window: ImageWindow
    profile: Profile
    level_range: LevelRange
    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    clipped: float
    settings: Mapping[str, Any]
    bad: tuple[BadFile, ...]

    def trainer(self) -> GanTrainer:
        """Return a trainer at step 0."""
        with explained_memory(self.architecture, self.design.training.batch_size):
            return GanTrainer(self.architecture, self.design.training, self.images, self.labels)

    def model(self, trainer: GanTrainer) -> GanModel:
        """Return the current averaged generator as a model."""
        weights = {name: tensor.cpu().numpy().copy() for name, tensor in trainer.average.state_dict().items()}
        return GanModel(self.architecture, self.window, self.level_range, self.classes, trainer.step, weights)


@dataclass(frozen=True)
class CheckpointLine:
    """One line of the log: step, mean losses since the previous line, and seconds of training so far."""

    step: int
    discriminator_loss: float
    generator_loss: float
    seconds: float


@known_keywords
def prepare_gan(
    origin: TrainingSource,
    front_end: FrontEnd,
    design: GanDesign,
    *,
    max_bad: float = MAX_BAD,
    progress: Callable[[str], Progress] = lambda _: silent,
) -> PreparedGan:
    """Measure the clips, and make images of them.

    Args:
        origin: The clips, and the held-out groups.
        front_end: Front end with one band for each row of the images.
        design: Settings of the training.
        max_bad: Largest accepted share of bad files.
        progress: Called with the name of each stage; returns the callback for finished clips.

    Raises:
        ArgumentError: if a clip's length does not fit and there is no rule for it, or if a setting is invalid.
        SourceError: if clips have no label and the design is conditional.
        TooManyBad: if the share of bad files exceeds `max_bad`.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> from spectronorm.gan import TrainingSource
    >>> stft, compress = sn.STFT(256, hop_length=128), sn.Decibel(floor_db=-80.0)
    >>> front_end = sn.FrontEnd(8000, stft=stft, bands=sn.Mel(16), compress=compress)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for n, wave in enumerate(0.1 * np.random.default_rng(0).standard_normal((4, 1920))):
    ...         soundfile.write(pathlib.Path(folder) / f"{n}.wav", wave, 8000)
    ...     prepared = prepare_gan(TrainingSource(folder), front_end, GanDesign(size=16))
    >>> prepared.images.shape, prepared.bad
    ((4, 16, 16), ())
    """
    source = origin.training_clips()
    window = ImageWindow(front_end, design.size, design.fix_length)
    classes = classes_of(source) if design.conditional else ()
    architecture = design.training.architecture(design.size, design.width, design.latent, len(classes))
    clips = read_levels(source, window, classes=classes or None, max_bad=max_bad, progress=progress("reading clips"))
    profile = fit(source, front_end, duration=window.seconds, max_bad=max_bad, progress=progress("measuring"))
    level_range = parse_range(design.level_range, front_end, profile)
    low, high = level_range.low[:, None], level_range.high[:, None]
    images = to_unit(clips.levels, level_range)
    plain = asdict(design)
    del plain["training"]["device"]  # Another machine may resume the run.
    settings = {
        "format": _FORMAT,
        "origin": origin.to_dict(),
        "front_end": front_end.to_dict(),
        "design": plain,
        "classes": list(classes),
        "clips": len(clips.names),
        "sounds": FittedOn.of(profile).data,
        "labels": xxhash.xxh3_64_hexdigest(clips.labels.astype("<i8").tobytes()),
    }
    return PreparedGan(
        design=design,
        architecture=architecture,
        window=window,
        profile=profile,
        level_range=level_range,
        images=images,
        labels=clips.labels,
        classes=classes,
        clipped=float(((clips.levels < low) | (clips.levels > high)).mean()),
        settings=settings,
        bad=clips.bad,
    )


@known_keywords
def train_gan(
    prepared: PreparedGan, folder: Path, steps: int, *, every: int = 500, progress: Progress = silent
) -> Iterator[CheckpointLine]:
    """Train up to `steps`, resuming from the folder's checkpoint; yields the line logged at every checkpoint.

    Each checkpoint comprises the whole state, the model, and an image and a sound from fixed latent variables.

    Args:
        prepared: Result of `prepare`.
        folder: Folder of the run.
        steps: Total number of steps, including the steps already done.
        every: Number of steps between checkpoints; the last step is a checkpoint too.
        progress: Called with the number of steps done and the total number of steps.

    Raises:
        ArgumentError: if the folder holds a training with other settings, losses are not finite, or memory runs out.
        FileFormatError: if the folder's files are damaged.
        OutputBusy: if another run is training in the folder.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> from spectronorm.gan import GanTraining, TrainingSource
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
            raise OutputRefused(f"{folder / LOG}: stands there without {SETTINGS}; choose another folder with -o")
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
            f"training diverged before step {step}: losses are not finite; the last checkpoint stands, and "
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
