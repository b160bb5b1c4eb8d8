"""Integration with fastai: audio in data blocks, spectrograms by batch, and normalization by exact statistics.

Needs fastai 2.8, of which only `fastai.basics` is used: neither torchvision nor torchaudio.
"""
# fasttransform evaluates the annotations of encodes and decodes: no postponed annotations in this file.

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.errors import ArgumentError, MissingExtra

try:
    import torch
    from fastai.basics import (
        Normalize,
        TensorBase,
        TensorImageBase,
        Transform,
        TransformBlock,
        dispatch,
        get_show_batch_func,
        retain_type,
    )
    from matplotlib import pyplot as plt
    from torch import Tensor
except (ImportError, OSError):
    raise MissingExtra(
        "spectronorm.interop.fastai", "torch,fastai", then="pip install --no-deps fastai==2.8.*"
    ) from None

from spectronorm.audio import read_clip
from spectronorm.display import Player, play, plot, plot_wave
from spectronorm.front_end import AsRecorded, FrontEnd, StandardizeWaveform, find_preset
from spectronorm.interop.stats_recorder import StatsRecorder
from spectronorm.normalize import FittedNormalizer

__all__ = [
    "FASTAUDIO",
    "AudioBlock",
    "AudioNormalize",
    "AudioSpectrogram",
    "AudioTensor",
    "AudioToSpec",
    "SpecNormalize",
    "StatsRecorder",
]

FASTAUDIO = replace(find_preset("fastaudio").front_end, level=AsRecorded())
"""201 bands of 16 kHz audio in dB, as in fastaudio's basic spectrogram: the waveform as it is; see `AudioNormalize`."""


class AudioTensor(TensorBase):  # type: ignore[misc]
    """Samples `(channel, sample)` with their `sample_rate` (Hz)."""

    @classmethod
    def create(
        cls, path: str | Path, sample_rate: int = FASTAUDIO.sample_rate, duration: float | None = None
    ) -> "AudioTensor":
        """Read a file's samples as one channel, cropped or repeated to `duration` (s).

        Raises:
            AudioError: if the file cannot be used, with the reason.
        """
        samples = read_clip(path, sample_rate).samples
        if duration is not None:
            # Repeated, because zero padding would be digital silence that reveals the clip's length.
            samples = np.resize(samples, max(1, round(duration * sample_rate)))
        return cls(torch.from_numpy(samples.copy())[None], sample_rate=sample_rate)

    def show(self, ctx: Any = None, **kwargs: Any) -> Any:
        """Draw the waveform over seconds (see `play` for its sound)."""
        ax = plot_wave(self._samples(), self._rate(), ax=_axes(ctx, 8, 2), title=str(kwargs.pop("title", None) or ""))
        ax.set(**kwargs)
        return ax

    def play(self) -> Player:
        """Return a player of the waveform, as the last value of a notebook's cell."""
        return play(self._samples(), self._rate())

    def _samples(self) -> Tensor:
        return plain_tensor(self).cpu().reshape(-1, self.shape[-1])[:1]

    def _rate(self) -> int:
        return int(getattr(self, "sample_rate", FASTAUDIO.sample_rate))


class AudioSpectrogram(TensorImageBase):  # type: ignore[misc]
    """Log-spectrograms (levels), raw or normalized, `(channel, band, frame)`, or a batch of them."""

    def show(self, ctx: Any = None, *, colorbar: bool = True, **kwargs: Any) -> Any:
        """Draw the first channel in seconds and Hz, with a colour bar in the level's unit, or of normalized values."""
        front_end = getattr(self, "front_end", None)
        first = plain_tensor(self).cpu().reshape(-1, *self.shape[-2:])[0]
        if front_end is not None and first.shape[0] != front_end.n_bands:
            front_end = None  # another transform has changed the bands
        unit = "normalized" if getattr(self, "normalized", False) else None
        title = str(kwargs.pop("title", None) or "")
        ax = plot(first, front_end, ax=_axes(ctx, 8, 4), unit=unit, title=title, colorbar=colorbar)
        ax.images[-1].set(**kwargs)
        return ax


def AudioBlock(sample_rate: int = FASTAUDIO.sample_rate, duration: float | None = 5.0) -> Any:  # noqa: N802
    """Block of audio files for fastai's `DataBlock`, bare or called: `DataBlock(blocks=(AudioBlock, CategoryBlock))`.

    Args:
        sample_rate: Sample rate in Hz.
        duration: Length in seconds that each clip is cropped or repeated to, so that clips can be batched; None keeps
            the lengths.
    """
    return TransformBlock(type_tfms=partial(AudioTensor.create, sample_rate=sample_rate, duration=duration))


class AudioNormalize(Transform):  # type: ignore[misc]
    """Item transform that standardizes each waveform to mean 0 and std 1, for front ends without a waveform level."""

    def encodes(self, x: AudioTensor) -> AudioTensor:
        """Return the standardized waveform; a silent waveform stays silent."""
        rate = getattr(x, "sample_rate", FASTAUDIO.sample_rate)
        standardized: AudioTensor = in_class_of_tensor(x, StandardizeWaveform()(plain_tensor(x), rate))
        return standardized


class AudioToSpec(Transform):  # type: ignore[misc]
    """Batch transform of waveforms `(batch, channel, sample)` to levels `(batch, channel, band, frame)`.

    By default fastaudio's basic spectrogram, of waveforms as they are; `AudioNormalize` before it standardizes them.
    """

    order = 90  # before Normalize (99)

    def __init__(self, front_end: FrontEnd = FASTAUDIO) -> None:
        super().__init__()
        self.front_end = front_end

    def encodes(self, x: AudioTensor) -> AudioSpectrogram:
        """Return the levels.

        Raises:
            ArgumentError: if the sample rate of the waveforms is not the front end's.
        """
        rate = getattr(x, "sample_rate", self.front_end.sample_rate)
        if rate != self.front_end.sample_rate:
            raise ArgumentError(
                f"audio at {rate} Hz does not fit a front end of {self.front_end.sample_rate} Hz; use "
                f"AudioBlock(sample_rate={self.front_end.sample_rate})"
            )
        spectrogram = AudioSpectrogram(self.front_end(plain_tensor(x)))
        spectrogram.front_end = self.front_end
        return spectrogram


class SpecNormalize(Normalize):  # type: ignore[misc]
    """Normalization `(x - mean) / std` of spectrograms, and back: fastai's `Normalize` for one-channel spectrograms.

    `mean` and `std` broadcast against `(batch, channel, band, frame)`, as returned by `StatsRecorder`. Without them,
    they are measured over the whole training set (fastai's own transform measures one batch) by averaging over `axes`:
    `(0, 2, 3)` gives a single number, `(0, 1, 3)` one for each band. A deviation of zero counts as 1.
    """

    mean: Any
    std: Any

    @classmethod
    def of(cls, normalizer: FittedNormalizer) -> "SpecNormalize":
        """Convert a normalizer fitted by `spectronorm`.

        Raises:
            ArgumentError: if the normalizer has no data set's mean and scale, but finds them in each clip.
        """
        if normalizer.affine is None:
            raise ArgumentError(
                f"{normalizer.normalizer} finds its map in each clip; use LevelNormalize, or one that is "
                "fitted to the data set, such as Standardize"
            )
        shift, scale = (
            torch.from_numpy(np.array(value, dtype=np.float32).reshape(1, 1, -1, 1))
            for value in (normalizer.affine.shift, normalizer.affine.scale)
        )
        return cls(shift, scale)

    def setups(self, dl: Any) -> None:
        """Measure the training set, unless mean and deviation are given."""
        if self.mean is not None and self.std is not None:
            return
        recorder = StatsRecorder(self.axes)
        with torch.no_grad():
            for x, *_ in dl.new(shuffle=False, drop_last=False):
                recorder.update(x)
        std = recorder.std
        self.mean, self.std = (
            value.to(x.device) for value in (recorder.mean, torch.where(std > 0, std, torch.ones_like(std)))
        )

    def encodes(self, x: TensorImageBase) -> TensorImageBase:
        """Return the normalized spectrograms."""
        return in_class_of_tensor(x, (plain_tensor(x) - _beside(self.mean, x)) / _beside(self.std, x), normalized=True)

    def decodes(self, x: TensorImageBase) -> TensorImageBase:
        """Return the levels."""
        return in_class_of_tensor(x, plain_tensor(x) * _beside(self.std, x) + _beside(self.mean, x), normalized=False)


@dispatch  # type: ignore[untyped-decorator]
def show_batch(
    x: AudioSpectrogram, y: Any, samples: Any, ctxs: Any = None, max_n: int = 9, figsize: Any = None, **kwargs: Any
) -> Any:
    """Draw a grid of spectrograms with their labels; called by fastai's `dls.show_batch()`."""
    if ctxs is None:
        ctxs = _grid(min(len(samples), max_n), figsize)
    return get_show_batch_func(object)(x, y, samples, ctxs=ctxs, max_n=max_n, **kwargs)


@dispatch  # type: ignore[untyped-decorator]
def show_results(
    x: AudioSpectrogram,
    y: Any,
    samples: Any,
    outs: Any,
    ctxs: Any = None,
    max_n: int = 9,
    figsize: Any = None,
    **kwargs: Any,
) -> Any:
    """Draw a grid of spectrograms, each titled with its label and its prediction; called by `learn.show_results()`."""
    del x, y  # used by fastai to choose this function
    if ctxs is None:
        ctxs = _grid(min(len(samples), max_n), figsize)
    for (level, label), (out, *_), ax in zip(samples, outs, ctxs, strict=False):
        level.show(ctx=ax, title=f"{label} / {out}", **kwargs)
    return ctxs


def _grid(count: int, figsize: Any) -> list[Any]:
    """Return axes for `count` pictures, with about equal numbers of rows and columns."""
    rows = max(1, math.isqrt(count))
    columns = math.ceil(count / rows)
    figure, axes = plt.subplots(rows, columns, figsize=figsize or (4 * columns, 3 * rows), layout="constrained")
    flat = list(np.atleast_1d(axes).flat)
    for ax in flat[count:]:
        figure.delaxes(ax)
    return flat[:count]


def _axes(ctx: Any, width: float, height: float) -> Any:
    return plt.subplots(figsize=(width, height), layout="constrained")[1] if ctx is None else ctx


def plain_tensor(x: Any) -> Tensor:
    """Return the tensor without fastai's class, so that every operation is torch's own."""
    tensor: Tensor = x.detach().as_subclass(Tensor) if not x.requires_grad else x.as_subclass(Tensor)
    return tensor


def in_class_of_tensor(x: Any, values: Tensor, **attributes: Any) -> Any:
    """Return the values in the class of `x`, with its other attributes, and with these."""
    made = retain_type(values, old=x)
    made.__dict__ = {**vars(made), **attributes}  # fastai lets both share one dictionary
    return made


def _beside(statistic: Any, x: Any) -> Tensor:
    """Return a mean or deviation in the dtype and on the device of `x`."""
    return torch.as_tensor(statistic).as_subclass(Tensor).to(x.device, x.dtype)
