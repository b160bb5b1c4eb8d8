"""Preparation of a training: the clips are measured, and become images in the range of the networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from spectronorm.front_end import FrontEnd
from spectronorm.gan.clips import ImageWindow, classes_of, read_levels
from spectronorm.gan.model import GanModel
from spectronorm.gan.networks import Architecture
from spectronorm.gan.scaling import to_unit
from spectronorm.gan.training import GanTrainer, GanTraining, explained_memory
from spectronorm.gan.training_source import TrainingSource
from spectronorm.image_files import LevelRange, parse_range
from spectronorm.normalize import FittedOn
from spectronorm.passes.fit import fit
from spectronorm.passes.one_pass import MAX_BAD
from spectronorm.profile import BadFile, Profile
from spectronorm.runs.progress import Progress, silent
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_keywords, known_settings

_FORMAT = 2


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
