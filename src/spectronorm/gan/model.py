"""Trained generator, with everything needed to turn its images into sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from spectronorm.arrays import MAX_SEED, whole_number
from spectronorm.errors import ArgumentError, FileFormatError
from spectronorm.front_end import FrontEnd
from spectronorm.gan.clips import ImageWindow
from spectronorm.gan.networks import Architecture, Generator
from spectronorm.gan.scaling import from_unit
from spectronorm.image_files import ImageCodec, LevelRange
from spectronorm.short_repr import with_short_repr
from spectronorm.storage import container, refuse_damage
from spectronorm.suggestion import known_settings
from spectronorm.version import __version__

KIND, FORMAT = "gan", 2
_BATCH = 64
_WEIGHTS = "generator."


MAX_IMAGES = 1_000_000
"""The most images of one call."""


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class GanModel:
    """Trained generator; `model.sample(n)` returns levels of sounds that were never recorded.

    Attributes:
        architecture: Architecture of the networks.
        window: Window of an image.
        level_range: The levels at -1 and 1.
        classes: The names of the classes; empty for an unconditional model.
        step: Number of training steps.
        weights: Weights of the averaged generator, by name.

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
    >>> model.step, model.sample(3, seed=1).shape
    (1, (3, 16, 16))
    """

    architecture: Architecture
    window: ImageWindow
    level_range: LevelRange
    classes: tuple[str, ...]
    step: int
    weights: Mapping[str, NDArray[Any]]

    def sample(self, images: int, seed: int = 0, labels: Sequence[int] | None = None) -> NDArray[np.float64]:
        """Return levels `(image, band, frame)`; the first images of a seed do not depend on the number of images.

        Args:
            images: Number of images.
            seed: Seed of the latent numbers.
            labels: Class index of each image; by default the classes in turn.

        Raises:
            ArgumentError: if an argument is out of range.
        """
        return np.concatenate(list(self.batches(images, seed, labels)))

    def batches(self, images: int, seed: int = 0, labels: Sequence[int] | None = None) -> Iterator[NDArray[np.float64]]:
        """Yield the levels of `sample` in batches, so that memory does not grow with the number of images."""
        images, seed = whole_number(images, "images", 1, MAX_IMAGES), whole_number(seed, "seed", 0, MAX_SEED)
        chosen = self.labels(images) if labels is None else np.asarray(labels, dtype=np.int64)
        if len(chosen) != images or not 0 <= chosen.min() <= chosen.max() < max(1, len(self.classes)):
            raise ArgumentError(f"labels must be one of 0 … {len(self.classes) - 1} for each of {images} images")
        generator, front_end, rng = self._generator(), self.window.front_end, np.random.default_rng(seed)
        for start in range(0, images, _BATCH):
            part = chosen[start : start + _BATCH]
            latent = rng.uniform(-1.0, 1.0, (len(part), self.architecture.latent)).astype(np.float32)
            levels = from_unit(_generated(generator, latent, part), self.level_range)
            yield np.clip(levels, front_end.floor, front_end.grid.high)  # No recording lies outside these limits.

    def labels(self, images: int) -> NDArray[np.int64]:
        """Class index of each image: the classes in turn."""
        return np.arange(images, dtype=np.int64) % max(1, len(self.classes))

    def _generator(self) -> Generator:
        """Build the network.

        Raises:
            ValueError: if a weight is missing or of another type.
            RuntimeError: if the weights do not fit the architecture.
        """
        with torch.device("meta"):  # Takes no memory, whatever size a file claims.
            generator = Generator(self.architecture)
        weights = {name: torch.from_numpy(np.array(value)) for name, value in self.weights.items()}
        wrong = [n for n, t in generator.state_dict().items() if n not in weights or weights[n].dtype != t.dtype]
        if wrong:
            raise ValueError(f"{wrong[0]} is missing or not of its type")
        # Every tensor is stored with an axis, but BatchNorm's count of batches has none.
        shaped = {n: t.reshape(()) if n.endswith("num_batches_tracked") else t for n, t in weights.items()}
        generator.load_state_dict(shaped, assign=True)
        return generator.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload, no-any-return]

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the model, whole or not at all: a safetensors file with a JSON header.

        Raises:
            OutputRefused: if a file would be replaced that is not ours, unless `overwrite` is set.
        """
        header = {
            "kind": KIND,
            "format": FORMAT,
            "version": __version__,
            "front_end": self.window.front_end.to_dict(),
            "fingerprint": self.window.front_end.fingerprint,
            "fix_length": self.window.fix_length,
            "range": self.level_range.scheme,
            "architecture": asdict(self.architecture),
            "classes": list(self.classes),
            "step": self.step,
        }
        weights = {f"{_WEIGHTS}{name}": value for name, value in self.weights.items()}
        tensors = {"range.low": self.level_range.low, "range.high": self.level_range.high, **weights}
        container.save_tensors(Path(path), header, tensors, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model.

        Raises:
            FileFormatError: if the file is not a valid model, or has another format version.
        """
        header, tensors = container.load_tensors(Path(path))
        if header.get("kind") != KIND or header.get("format") != FORMAT:
            raise FileFormatError(
                f"{path}: holds a {header.get('kind')!r} of format {header.get('format')!r}, written by spectronorm "
                f"{header.get('version')!r}; this version reads a {KIND!r} of format {FORMAT}: use the "
                "model.safetensors of a training, and the spectronorm that wrote it"
            )
        with refuse_damage(path, "the model", "train it again"):
            model = cls._parsed(header, tensors)
            model._generator()
        return model

    @classmethod
    def _parsed(cls, header: Mapping[str, Any], tensors: container.Tensors) -> Self:
        front_end = FrontEnd.from_dict(header["front_end"])
        if header["fingerprint"] != front_end.fingerprint:
            raise ValueError("the fingerprint does not fit the front end")
        architecture = Architecture(**header["architecture"])
        classes = tuple(header["classes"])
        if not all(isinstance(name, str) for name in (*classes, header["range"])):
            raise TypeError("a class or the range is not text")
        window = ImageWindow(front_end, architecture.size, header["fix_length"])
        level_range = LevelRange(tensors["range.low"], tensors["range.high"], header["range"])
        ImageCodec(front_end, level_range)  # Checks that the range fits the bands.
        if len(classes) != architecture.classes:
            raise ValueError("the number of names differs from the number of classes")
        weights = {name.removeprefix(_WEIGHTS): t for name, t in tensors.items() if name.startswith(_WEIGHTS)}
        if not all(np.isfinite(weight).all() for weight in weights.values()):
            raise ValueError("a weight is not finite")
        return cls(
            architecture, window, level_range, classes, whole_number(header["step"], "step", 0, 1 << 53), weights
        )


@torch.no_grad()
def _generated(generator: Generator, latent: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Generate images `(image, band, frame)` from at most one batch of latent numbers.

    A full batch is always computed, since another batch size could select another kernel, which rounds differently.
    """
    missing = _BATCH - len(latent)
    z = torch.from_numpy(np.pad(latent, ((0, missing), (0, 0))))
    images: NDArray[np.float32] = generator(z, torch.from_numpy(np.pad(labels, (0, missing))))[:, 0].numpy()
    return images[: len(latent)]


def require_one_design(models: Sequence[GanModel]) -> None:
    """Check that models differ in nothing but their weights and the levels at -1 and 1.

    Raises:
        ArgumentError: if their windows, classes, networks or numbers of steps differ.
    """
    first, parts = models[0], ("window", "classes", "architecture", "step")
    for model in models[1:]:
        for part in parts:
            if getattr(model, part) != getattr(first, part):
                raise ArgumentError(
                    f"the models differ in their {part} ({getattr(first, part)} and {getattr(model, part)}); score "
                    "models of one design together, others one by one"
                )
