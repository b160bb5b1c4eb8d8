"""Whole pipeline as a torch module."""

from __future__ import annotations

from torch import Tensor, nn

from spectronorm.front_end import require_front_end
from spectronorm.nn.batches import mapped_tensors
from spectronorm.nn.normalize import Normalize
from spectronorm.nn.spectrogram import Spectrogram
from spectronorm.pipeline import Pipeline, require_pipeline
from spectronorm.suggestion import known_settings


@known_settings
class Preprocess(nn.Module):
    """`Preprocess(pipeline)(wave)` maps waves `(..., sample)` to normalized spectrograms `(..., band, frame)`.

    `Spectrogram` and `Normalize` in one (see there for the arguments), without rounding in between. With `lengths`
    (samples) padding is never counted, and is what `padding` says in the result (see `Normalize`): zero where a mean is
    subtracted, and what its origin does for a published pipeline.

    >>> import spectronorm as sn, torch
    >>> module = Preprocess(sn.published("whisper"))
    >>> module(torch.rand(2, 16_000), lengths=torch.tensor([16_000, 4_000])).shape
    torch.Size([2, 80, 100])
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        trainable: bool = False,
        dft: str = "fft",
        precision: str = "float32",
        padding: str | float | None = None,
    ) -> None:
        super().__init__()
        pipeline = require_pipeline(pipeline, "Preprocess")
        self.spectrogram = Spectrogram(
            require_front_end(pipeline.front_end, "preprocessing waves"), dft=dft, precision=precision
        )
        self.normalize = Normalize(pipeline.normalizer, trainable=trainable, padding=padding)

    def forward(self, wave: Tensor, lengths: Tensor | None = None, *, sample_rate: int | None = None) -> Tensor:
        """Return the normalized spectrogram; raises as `Spectrogram` does."""
        spectrogram = self.spectrogram
        working, ends = spectrogram.checked(wave, lengths, sample_rate)
        band_map = self.normalize.band_map(working.dtype)
        if band_map is not None and spectrogram.takes_kernels(working):
            return mapped_tensors(spectrogram.front_end, working, ends, band_map).to(wave.dtype)
        level = spectrogram.level_of(working, ends)
        frames = None if lengths is None else spectrogram.frames(lengths)
        return self.normalize.normalized(level, frames, overwrite=True).to(wave.dtype)

    def frames(self, lengths: Tensor) -> Tensor:
        """Return the number of frames of clips with these lengths (samples)."""
        return self.spectrogram.frames(lengths)

    def pipeline(self) -> Pipeline:
        """Return the pipeline with this module's current numbers, ready to be saved."""
        return Pipeline(self.spectrogram.front_end, self.normalize.normalizer())
