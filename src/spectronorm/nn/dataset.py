"""A source as a map-style data set for PyTorch's DataLoader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from spectronorm.audio import AudioCache, ClipReference, Reader, Source, open_source
from spectronorm.audio.channels import EACH
from spectronorm.audio.duration import check_duration
from spectronorm.augment import RandomCrop
from spectronorm.engines import Engine, ThreadEngine
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason, SourceError
from spectronorm.features import open_for, with_all_channels
from spectronorm.front_end import FrontEnd, require_front_end
from spectronorm.passes.one_pass import MAX_BAD, OneClip, one_pass
from spectronorm.profile import BadFile
from spectronorm.runs.progress import Progress


class ClipItem(NamedTuple):
    """One clip, or a batch of them (then each with an axis in front).

    `wave` is float32 `(sample,)` in [-1, 1], `length` how many of its samples are real, `label` the index of its class
    (-1 for a clip without one), `position` its place in the data set.
    """

    wave: Tensor
    length: Tensor
    label: Tensor
    position: Tensor


@dataclass(frozen=True)
class _Checked(OneClip):
    index: int
    bad: tuple[BadFile, ...] = ()


class ClipDataset(Dataset[ClipItem]):
    """Decodes, resamples, and crops or pads the clips of a source: waves for `Preprocess(wave, lengths=length)`.

    With `duration` each clip is cropped at its end, or padded with zeros there, to one length. With `crop` a random
    stretch is taken, another in each epoch, the same for a seed however many workers there are. With neither, clips
    keep their lengths, and the DataLoader needs `collate_fn=collate`.

    Args:
        source: What `open_source` opens, or a source.
        front_end: Says the sample rate, the resampler and the shortest clip.
        duration: In seconds.
        crop: A random crop; its `samples` then say the length.
        label: The column that holds the class.
        cache: A folder for decoded audio: from the second epoch on nothing is decoded.
        seed: Of the random crops.

    Attributes:
        classes: The classes' names in order; `label` counts in it.
        bad: Files that `usable` left out.

    Raises:
        SourceError: when the source cannot be opened or is empty.
        ArgumentError: when both `duration` and `crop` are given, or the clips would be shorter than one window.
    """

    def __init__(
        self,
        source: str | Path | Source,
        front_end: FrontEnd,
        *,
        duration: float | None = None,
        crop: RandomCrop | None = None,
        label: str = "label",
        cache: str | Path | None = None,
        seed: int = 0,
    ) -> None:
        if duration is not None and crop is not None:
            raise ArgumentError(f"duration={duration} and crop={crop} both say how long clips are; give one of them")
        check_duration(duration, front_end.sample_rate)
        opened = open_source(source)
        front_end = require_front_end(with_all_channels(front_end, opened), "reading clips")
        if crop is not None and len(front_end.level_shape) > 1:
            raise ArgumentError(f"crop={crop} would cut each channel of a stack elsewhere; give a duration instead")
        self.source, self.front_end, self.crop, self.seed = open_for(opened, front_end), front_end, crop, seed
        self.samples = None if crop is None else crop.samples
        if duration is not None:
            self.samples = round(duration * front_end.sample_rate)
        if self.samples is not None and self.samples < front_end.min_samples:
            raise ArgumentError(
                f"clips of {self.samples} samples are shorter than one window of {front_end.min_samples}; "
                "take longer ones"
            )
        self.cache = None if cache is None else AudioCache(Path(cache))
        self.classes = _classes([clip.columns[label] for clip in self.source if label in clip.columns])
        number = {name: i for i, name in enumerate(self.classes)}
        self.labels = [number.get(clip.columns.get(label, ""), -1) for clip in self.source]
        self.bad: tuple[BadFile, ...] = ()
        # Shared, so that workers that live through many epochs see it change.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> ClipItem:
        """The clip at `index`; raises `SourceError`, naming the file and why, when it cannot be used."""
        clip = self.source.clips[index]
        try:
            samples = self._decoded(clip)
        except AudioError as error:
            raise SourceError(
                f"{clip.name}: {error}; ClipDataset.usable() leaves such files out and lists them"
            ) from None
        index = index % len(self)
        wave, length = self._fitted(samples, index)
        return ClipItem(wave, torch.tensor(length), torch.tensor(self.labels[index]), torch.tensor(index))

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, so that it gets crops of its own; workers that are running see it too."""
        self._epoch.fill_(epoch)

    def usable(
        self, *, max_bad: float = MAX_BAD, engine: Engine | None = None, progress: Progress | None = None
    ) -> Self:
        """Read every clip once (which fills the cache) and leave the bad ones out; they are listed in `bad`.

        Args:
            max_bad: The share of files that may be bad.
            engine: Where it runs; by default threads on all cores.
            progress: Called as clips get done.

        Raises:
            TooManyBad: when more files are bad than `max_bad`, or all are.
        """

        def check(index: int) -> _Checked:
            clip = self.source.clips[index]
            try:
                self._decoded(clip)
            except AudioError as error:
                return _Checked(index, (BadFile.of(clip.name, error),))
            return _Checked(index)

        items = range(len(self))
        with one_pass(
            self.source, check, items, max_bad=max_bad, engine=engine or ThreadEngine(), progress=progress
        ) as results:
            bad = {one.index for one in results if one.bad}
        good = object.__new__(type(self))
        good.__dict__ |= self.__dict__
        good.source = replace(self.source, clips=tuple(clip for i, clip in enumerate(self.source) if i not in bad))
        good.labels = [label for i, label in enumerate(self.labels) if i not in bad]
        good.bad = (*self.bad, *results.bad)
        return good

    def _decoded(self, clip: ClipReference) -> NDArray[np.float32]:
        front_end, reader = self.front_end, self.source.reader
        if reader.channels == EACH and "channel" in clip.columns:
            reader = replace(reader, channels=clip.columns["channel"])
        if self.cache is None or clip.part is not None:  # the cache is of files, not of members of archives
            samples = reader.read(clip, front_end.sample_rate, resampler=front_end.resampler).samples
        else:
            special = None if reader == Reader() else reader
            samples = self.cache.read(clip.path, front_end.sample_rate, front_end.resampler, reader=special)
        if samples.shape[-1] < front_end.min_samples:
            raise AudioError(
                BadAudioReason.TOO_SHORT,
                f"it has {samples.shape[-1]} samples at {front_end.sample_rate} Hz, less than one window of "
                f"{front_end.min_samples}",
            )
        return np.asarray(samples)

    def _fitted(self, samples: NDArray[np.float32], index: int) -> tuple[Tensor, int]:
        """The wave of the length that was asked for, and how many of its samples are real."""
        if self.crop is not None:
            generator = np.random.default_rng([self.seed, int(self._epoch), index])
            cropped, length = self.crop(np.asarray(samples), generator)
            return torch.from_numpy(cropped), int(length)
        there = samples.shape[-1]
        length = there if self.samples is None else min(there, self.samples)
        wave = np.zeros((*samples.shape[:-1], length if self.samples is None else self.samples), dtype=np.float32)
        wave[..., :length] = samples[..., :length]
        return torch.from_numpy(wave), length


def collate(items: Sequence[ClipItem]) -> ClipItem:
    """A batch of clips of different lengths: waves padded with zeros to the longest."""
    longest = max(item.wave.shape[-1] for item in items)
    waves = torch.stack([torch.nn.functional.pad(item.wave, (0, longest - item.wave.shape[-1])) for item in items])
    return ClipItem(waves, *(torch.stack([item[i] for item in items]) for i in (1, 2, 3)))


def _classes(labels: Sequence[str]) -> tuple[str, ...]:
    """Distinct labels in order; numbers in the order of numbers."""
    return tuple(sorted(set(labels), key=lambda name: (0, int(name), name) if name.isdecimal() else (1, 0, name)))
