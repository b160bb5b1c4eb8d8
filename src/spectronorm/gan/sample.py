"""Samples of a model as files: images that `spectronorm invert` reads, and their sounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectronorm.arrays import MAX_SEED, set_whole_numbers
from spectronorm.errors import ArgumentError
from spectronorm.gan.model import MAX_IMAGES, GanModel
from spectronorm.image_files import ImageCodec, Layout
from spectronorm.passes.inversion_options import InversionOptions
from spectronorm.passes.outputs import INDEX_NAME, files_in, require_folder, write_index
from spectronorm.passes.sounds import invert_file
from spectronorm.runs.lock import output_lock
from spectronorm.runs.progress import Progress, reported, silent
from spectronorm.short_repr import with_bounded_repr
from spectronorm.storage.atomic import atomic_write, remove_unfinished
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import overwriting, require_replaceable
from spectronorm.suggestion import choice_of, known_keywords, known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class SampleOptions:
    """Options for writing samples.

    Attributes:
        images: Number of images.
        seed: Seed of the latent variables; the first images do not depend on the number of images.
        classes: The classes to take in turn; by default all classes of the model.
        bits: Bit depth of the images, 8 or 16.
        audio: Also write the sounds.
        quality: Quality of the inversion (see `invert`).

    Raises:
        ArgumentError: if a number is out of range.

    >>> SampleOptions(16, seed=1, classes=("7",), audio=True).classes
    ('7',)
    """

    images: int
    seed: int = 0
    classes: tuple[str, ...] = ()
    bits: int = 8
    audio: bool = False
    quality: str = "good"

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("images",), 1, MAX_IMAGES)
        set_whole_numbers(self, ("seed",), 0, MAX_SEED)


@dataclass(frozen=True)
class WrittenSamples:
    """Result of writing samples: names of the images, and notes on the sounds."""

    folder: Path
    images: tuple[str, ...]
    notes: tuple[str, ...]


@known_keywords
def write_samples(
    model: GanModel,
    folder: str | Path,
    options: SampleOptions,
    progress: Progress = silent,
    *,
    overwrite: bool = False,
) -> WrittenSamples:
    """Write images, named by number and class, with an index, and WAV files beside them with `audio`.

    Each image carries front end, range and length, so that its inverse needs nothing else; the sounds are exactly
    what `spectronorm invert` makes of the images.

    Args:
        model: What samples.
        folder: Where to.
        options: How many, which and what.
        progress: Called with the number of files done and of all.
        overwrite: Let files be replaced that are not ours.

    Raises:
        OutputRefused: if the folder is a file, or a file in it would be replaced that is not ours.
        ArgumentError: if a class is unknown, or an option is invalid.
        OutputBusy: if another run is writing there.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> from spectronorm.gan import GanDesign, GanTraining, TrainingSource, prepare_gan, train_gan
    >>> stft, compress = sn.STFT(256, hop_length=128), sn.Decibel(floor_db=-80.0)
    >>> front_end = sn.FrontEnd(8000, stft=stft, bands=sn.Mel(16), compress=compress)
    >>> design = GanDesign(size=16, width=2, latent=4, training=GanTraining(batch_size=2, device="cpu"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for n, wave in enumerate(0.1 * np.random.default_rng(0).standard_normal((4, 1920))):
    ...         soundfile.write(pathlib.Path(folder) / f"{n}.wav", wave, 8000)
    ...     prepared = prepare_gan(TrainingSource(folder), front_end, design)
    ...     _ = list(train_gan(prepared, pathlib.Path(folder) / "run", 1))
    ...     model = GanModel.load(pathlib.Path(folder) / "run" / "model.safetensors")
    ...     written = write_samples(model, pathlib.Path(folder) / "samples", SampleOptions(2))
    >>> written.images
    ('0000.png', '0001.png')
    """
    folder = Path(folder)
    require_folder(folder, "samples")
    labels = _labels(model, options)
    codec = ImageCodec(model.window.front_end, model.level_range, Layout(bits=options.bits))
    levels = (level for batch in model.batches(options.images, options.seed, labels) for level in batch)
    names, notes = _names(model, labels), []
    with overwriting(overwrite), output_lock(folder):
        for path, content in files_in(folder, _files(names, options)):
            require_replaceable(path, content)
        remove_unfinished(folder)
        for number, (name, level) in enumerate(reported(zip(names, levels, strict=True), len(names), progress)):
            source = f"generated: seed {options.seed}, number {number}, step {model.step}"
            with atomic_write(folder / name, Content.PICTURE) as file:
                file.write(codec.encode(level, length=model.window.samples, source=source))
            if options.audio:
                inversion = InversionOptions(quality=options.quality)
                sound = invert_file(folder / name, (folder / name).with_suffix(".wav"), inversion)
                notes += [f"{name}: {note}" for note in sound.notes]
        _write_index(folder, model, names, labels)
    return WrittenSamples(folder, tuple(names), tuple(notes))


def _files(names: Sequence[str], options: SampleOptions) -> Iterator[tuple[str, Content]]:
    yield INDEX_NAME, Content.INDEX
    for name in names:
        yield name, Content.PICTURE
        if options.audio:
            yield str(Path(name).with_suffix(".wav")), Content.SOUND


def _labels(model: GanModel, options: SampleOptions) -> Sequence[int]:
    """Return the class index of each image."""
    if not options.classes:
        return [int(label) for label in model.labels(options.images)]
    unknown = [name for name in options.classes if name not in model.classes]
    if unknown:
        none = "the model has no classes: it was trained without --conditional"
        known = f"it must be {choice_of(unknown[0], model.classes)}" if model.classes else none
        raise ArgumentError(f"class {unknown[0]!r} is unknown; {known}")
    chosen = [model.classes.index(name) for name in options.classes]
    return [int(label) for label in np.resize(chosen, options.images)]


def _names(model: GanModel, labels: Sequence[int]) -> list[str]:
    digits = max(4, len(str(len(labels) - 1)))
    parts = [f"-class{label:03d}" if model.classes else "" for label in labels]
    return [f"{number:0{digits}d}{part}.png" for number, part in enumerate(parts)]


def _write_index(folder: Path, model: GanModel, names: Sequence[str], labels: Sequence[int]) -> None:
    classes = [[model.classes[label]] if model.classes else [] for label in labels]
    rows = ([name, *some, model.window.frames] for name, some in zip(names, classes, strict=True))
    write_index(folder, ["path", *(["label"] if model.classes else []), "frames"], rows)
