"""Source of clips as a map-style data set for PyTorch's DataLoader."""

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

from spectronorm.audio import AudioCache, ClipReference, Openable, Source, Windows, open_source
from spectronorm.audio.duration import check_duration
from spectronorm.augment import RandomCrop
from spectronorm.counted import counted
from spectronorm.engines import Engine, ThreadEngine
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason, SourceError
from spectronorm.features import open_for, with_all_channels
from spectronorm.front_end import FrontEnd, require_front_end
from spectronorm.passes.one_pass import MAX_BAD, OneClip, one_pass
from spectronorm.passes.windowed import windowed
from spectronorm.profile import BadFile
from spectronorm.runs.progress import Progress
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

_LABEL = "label"


@with_bounded_repr
class ClipItem(NamedTuple):
    """One clip, or a batch of clips (each entry then has a batch axis in front).

    `wave` is float32 `(sample,)` in [-1, 1], `length` its number of valid samples, `label` the index of its class (-1
    for a clip without one), `position` its index in the data set.

    >>> import torch
    >>> item = ClipItem(torch.zeros(16_000), 8000, 1, 0)
    >>> item.length, item.label
    (8000, 1)
    """

    wave: Tensor
    length: Tensor
    label: Tensor
    position: Tensor


@dataclass(frozen=True)
class _Checked(OneClip):
    index: int
    bad: tuple[BadFile, ...] = ()


@known_settings
class ClipDataset(Dataset[ClipItem]):
    """Decodes, resamples, and crops or pads the clips of a source: waveforms for `Preprocess(wave, lengths=length)`.

    With `duration`, each clip is cropped or zero-padded at its end to a fixed length. With `crop`, a random section is
    taken, another one in each epoch, reproducibly for a seed with any number of workers. With neither, clips keep their
    lengths, and the DataLoader needs `collate_fn=collate`.

    Args:
        source: A source, or an argument of `open_source`.
        front_end: Determines the sample rate, the resampler and the shortest clip.
        duration: Length of each clip in seconds.
        crop: A random crop; its `samples` set the length. The channels of a stack are cut at one start.
        label: The column of the class.
        cache: A folder for decoded audio: from the second epoch on, nothing is decoded.
        seed: Seed of the random crops.
        window: Cut recordings into windows of this length in seconds, or by a rule of `audio.Windows`; by default the
            last one is zero-padded to the length of the others.
        overlap: Number of seconds that neighbouring windows share.

    Attributes:
        classes: The names of the classes in order; `label` is an index into them.
        bad: Files that `usable` left out.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        ArgumentError: if both `duration` and `crop` are given, or if the clips would be shorter than one window.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> items = [{"audio": (0.1 * rng.standard_normal(8000), 16_000), "label": "ab"[n % 2]} for n in range(4)]
    >>> dataset = ClipDataset(sn.open_source(items), sn.FrontEnd(16_000), duration=1.0)
    >>> len(dataset), dataset.classes, dataset[1].wave.shape, dataset[1].length
    (4, ('a', 'b'), torch.Size([16000]), tensor(8000))
    """

    def __init__(  # noqa: PLR0913  (every one of them is an independent choice of the user)
        self,
        source: Openable,
        front_end: FrontEnd,
        *,
        duration: float | None = None,
        crop: RandomCrop | None = None,
        label: str = _LABEL,
        classes: Sequence[str] | None = None,
        cache: str | Path | None = None,
        seed: int = 0,
        window: float | Windows | None = None,
        overlap: float = 0.0,
    ) -> None:
        if duration is not None and crop is not None:
            raise ArgumentError(f"duration={duration} and crop={crop} both say how long clips are; give one of them")
        check_duration(duration, front_end.sample_rate)
        opened, seconds = windowed(open_source(source), front_end, window, overlap, duration)
        duration = duration if crop is not None else seconds
        front_end = require_front_end(with_all_channels(front_end, opened), "reading clips")
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
        self.classes = _classes(self.source, label) if classes is None else tuple(classes)
        _check_labels(self.source, label, self.classes)
        number = {name: i for i, name in enumerate(self.classes)}
        self.labels = [number.get(clip.columns.get(label, ""), -1) for clip in self.source]
        self.bad: tuple[BadFile, ...] = ()
        # Shared memory, so that persistent workers see the epoch change.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> ClipItem:
        """Return the clip at `index`.

        Raises:
            SourceError: if the clip cannot be used, naming the file and the reason.
        """
        clip = self.source.clips[index]
        try:
            samples = self._decoded(clip)
        except AudioError as error:
            raise SourceError(
                f"{clip.name}: {error.reason.value}: {error.detail}; "
                "ClipDataset.usable() leaves such files out and lists them"
            ) from None
        index = index % len(self)
        wave, length = self._fitted(samples, index)
        return ClipItem(wave, torch.tensor(length), torch.tensor(self.labels[index]), torch.tensor(index))

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which selects the random crops; running workers see the change."""
        self._epoch.fill_(epoch)

    def usable(
        self, *, max_bad: float = MAX_BAD, engine: Engine | None = None, progress: Progress | None = None
    ) -> Self:
        """Read every clip once (which fills the cache) and leave out the bad ones, which are listed in `bad`.

        Args:
            max_bad: Largest accepted share of bad files.
            engine: Engine that runs the work; by default threads on all cores.
            progress: Called with the number of clips done and the total number of clips.

        Raises:
            TooManyBad: if the share of bad files exceeds `max_bad`, or if all files are bad.
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
        if self.cache is None:
            samples = reader.read(clip, front_end.sample_rate, resampler=front_end.resampler).samples
        else:
            samples = self.cache.read(clip, front_end.sample_rate, front_end.resampler, reader=reader)
        if self.samples is None and samples.shape[-1] < front_end.min_samples:
            raise AudioError(
                BadAudioReason.TOO_SHORT,
                f"it has {counted(samples.shape[-1], 'sample')} at {front_end.sample_rate} Hz, less than one window of "
                f"{front_end.min_samples}",
            )
        return np.asarray(samples)

    def _fitted(self, samples: NDArray[np.float32], index: int) -> tuple[Tensor, int]:
        """Return the waveform in the requested length, and its number of valid samples."""
        if self.crop is not None:
            generator = np.random.default_rng([self.seed, int(self._epoch), index])
            cut = self.crop if samples.ndim == 1 else self.crop.stack
            cropped, length = cut(np.asarray(samples), generator)
            return torch.from_numpy(cropped), max(int(length), self.front_end.min_samples)
        there = samples.shape[-1]
        length = there if self.samples is None else min(there, self.samples)
        wave = np.zeros((*samples.shape[:-1], length if self.samples is None else self.samples), dtype=np.float32)
        wave[..., :length] = samples[..., :length]
        # Of a clip shorter than one window, the first window counts: the rest of it is padding.
        return torch.from_numpy(wave), max(length, self.front_end.min_samples)


def collate(items: Sequence[ClipItem]) -> ClipItem:
    """Combine clips of different lengths into a batch, padded with zeros to the longest.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> items = [(0.1 * rng.standard_normal(samples), 16_000) for samples in (8000, 6000)]
    >>> dataset = ClipDataset(sn.open_source(items), sn.FrontEnd(bands=sn.Mel(40)))
    >>> batch = collate([dataset[0], dataset[1]])
    >>> batch[0].shape, batch[1]
    (torch.Size([2, 8000]), tensor([8000, 6000]))
    """
    longest = max(item.wave.shape[-1] for item in items)
    waves = torch.stack([torch.nn.functional.pad(item.wave, (0, longest - item.wave.shape[-1])) for item in items])
    return ClipItem(waves, *(torch.stack([item[i] for item in items]) for i in (1, 2, 3)))


def _check_labels(source: Source, label: str, classes: Sequence[str]) -> None:
    """Raise `ArgumentError` unless the column exists and every label is a class."""
    if label != _LABEL and not source.values(label):
        known = ", ".join(source.column_names()) or "none"
        raise ArgumentError(f"label={label!r}: no clip of this source has such a column; the columns are {known}")
    if len(set(classes)) < len(classes):
        raise ArgumentError(f"classes={tuple(classes)} names a class twice")
    strange = {clip.columns[label] for clip in source if label in clip.columns} - set(classes)
    if strange:
        raise ArgumentError(f"{label}={min(strange)!r} is not among the classes {', '.join(classes) or '(none)'}")


def _classes(source: Source, label: str) -> tuple[str, ...]:
    """Distinct labels of the whole source in order; numbers in the order of numbers."""
    labels = source.values(label)
    return tuple(sorted(set(labels), key=lambda name: (0, int(name), name) if name.isdecimal() else (1, 0, name)))
