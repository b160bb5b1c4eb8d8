"""Log-spectrogram (level) of a waveform as a torch module."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spectronorm.arrays import readable_numbers
from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.nn.batches import mapped_tensors, unchanged
from spectronorm.nn.checks import check_finite, check_wave, expand_lengths
from spectronorm.nn.constants import Constants, settings_tensor, settings_text
from spectronorm.nn.dft import dft_module
from spectronorm.nn.padding import clip_by_clip, padded_at_ends, takes_valid, valid_mask

_PRECISIONS = {"float32": torch.float32, "float64": torch.float64}


class Spectrogram(Constants):
    """Module `Spectrogram(front_end)`, which maps waveforms `(..., sample)` to levels `(..., band, frame)`.

    The module runs the front end's own code, with the front end's constants as buffers. Gradients reach the waveform;
    `torch.compile(fullgraph=True)` and `torch.export` are supported. Half-precision waveforms, and waveforms under
    autocast, are computed in float32 or better, and the result has the dtype of the waveform.

    A waveform on the CPU that needs no gradient is computed by the compiled kernels in float64, clip by clip, on
    `torch.get_num_threads()` threads, which is also faster (`benchmarks/bench_torch.py`).

    Args:
        front_end: The front end.
        dft: `fft`, `stft` or `convolution`: equal except for rounding; relevant for export.
        precision: Lowest precision of the arithmetic. In `float32`, cells 100 dB below the loudest of their frame are
            rounding noise; `float64` agrees with NumPy there.

    Raises:
        ArgumentError: if a setting is unknown.

    >>> import torch, spectronorm
    >>> module = Spectrogram(spectronorm.preset("fastaudio"))
    >>> module(torch.zeros(2, 1, 80_000)).shape
    torch.Size([2, 1, 201, 401])
    """

    def __init__(self, front_end: FrontEnd, *, dft: str = "fft", precision: str = "float32") -> None:
        super().__init__()
        if precision not in _PRECISIONS:
            raise ArgumentError(f"precision={precision!r} must be one of {', '.join(_PRECISIONS)}")
        self.front_end = front_end
        self.dft, self.precision = dft, precision
        self.transform = dft_module(dft, front_end.stft)
        runs = front_end.band_runs()
        self._selects = runs.identity
        self._bands = front_end.level_shape[-1]
        if not runs.identity:
            self.register_constant("filters", runs.matrix, persistent=False)
        self._masks_level = takes_valid(front_end.level.__call__)
        self._min_samples, self._floor = front_end.min_samples, front_end.floor

    def forward(self, wave: Tensor, lengths: Tensor | None = None, *, sample_rate: int | None = None) -> Tensor:
        """Return levels `(..., band, frame)`.

        Args:
            wave: Waveforms `(..., sample)`, floating point in [-1, 1].
            lengths: Number of valid samples in each clip, in the shape of the leading axes. Each clip is then computed
                as if it were alone, and frames beyond `frames(lengths)` are the front end's floor.
            sample_rate: Sample rate of the waveform in Hz, to be checked against the front end's.

        Raises:
            ShapeError: if the dtype or shape is wrong, a clip is shorter than one window, or lengths do not fit.
            ArgumentError: if the sample rate is another one, or samples are not finite.
        """
        return self.working_level(wave, lengths, sample_rate).to(wave.dtype)

    def working_level(self, wave: Tensor, lengths: Tensor | None, sample_rate: int | None) -> Tensor:
        """`forward` in the dtype of the arithmetic."""
        return self.level_of(*self.checked(wave, lengths, sample_rate))

    def checked(self, wave: Tensor, lengths: Tensor | None, sample_rate: int | None) -> tuple[Tensor, Tensor | None]:
        """Return the waveform in the dtype of the arithmetic, zero in the padding, and a length for each clip."""
        check_wave(wave, self.front_end, sample_rate)
        if lengths is not None:
            lengths = expand_lengths(lengths, wave, 1, self._min_samples, "samples")
            wave = wave.masked_fill(~valid_mask(lengths, wave.shape[-1]), 0.0)
        check_finite(wave)
        return wave.to(torch.promote_types(wave.dtype, _PRECISIONS[self.precision])), lengths

    def level_of(self, working: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the level of the output of `checked`."""
        if self.takes_kernels(working):
            return mapped_tensors(self.front_end, working, lengths, unchanged(self.front_end, working.dtype))
        if not working.is_meta and torch.is_autocast_enabled(working.device.type):
            # Autocast would run the matrix products in half precision, where 60 dB below the peak is noise.
            with torch.autocast(working.device.type, enabled=False):
                return self._level(working, lengths)
        return self._level(working, lengths)

    def frames(self, lengths: Tensor) -> Tensor:
        """Return the number of frames of clips with these lengths (samples); 0 for a clip shorter than a window."""
        counts: Tensor = self.front_end.frame_counts(lengths)
        return counts

    def _level(self, wave: Tensor, lengths: Tensor | None) -> Tensor:
        front_end = self.front_end
        if lengths is None:
            leveled = front_end.level(wave, front_end.sample_rate)
            padded = front_end.stft.padded(leveled)
        else:
            leveled = self._masked_wave(wave, lengths)
            padded = padded_at_ends(front_end.stft, leveled, lengths - front_end.level.shortens)
        count = front_end.stft.frames(leveled.shape[-1])
        values = front_end.stft.magnitudes(self.transform(padded))[..., :count]
        values = values[..., : self._bands, :] if self._selects else self.filters.to(values.dtype) @ values
        if lengths is None:
            return self._compressed(values)
        # Padding is silenced before the compression, because some compressions look at the whole clip.
        padding = ~valid_mask(self.frames(lengths), values.shape[-1]).unsqueeze(-2)
        return self._compressed(values.masked_fill(padding, 0.0)).masked_fill(padding, self._floor)

    def _compressed(self, values: Tensor) -> Tensor:
        level: Tensor = self.front_end.compress(values, self.front_end.stft.power)
        return level

    def _masked_wave(self, wave: Tensor, lengths: Tensor) -> Tensor:
        """Apply the waveform level, and set samples beyond each clip's end to zero."""
        level: Any = self.front_end.level
        rate = self.front_end.sample_rate
        if not self._masks_level:
            return clip_by_clip(lambda clip: level(clip, rate), wave, lengths, what=level)
        leveled: Tensor = level(wave, rate, valid=valid_mask(lengths, wave.shape[-1]))
        return leveled.masked_fill(~valid_mask(lengths - level.shortens, leveled.shape[-1]), 0.0)

    def takes_kernels(self, wave: Tensor) -> bool:
        """True if the compiled kernels can take the waveform and no gradient is needed."""
        return self.dft == "fft" and readable_numbers(wave) is not None

    def get_extra_state(self) -> Tensor:
        """Return the front end's settings, which a checkpoint is checked against."""
        return settings_tensor(self.front_end.to_json())

    def set_extra_state(self, state: Tensor) -> None:
        """Check that a checkpoint belongs to this front end.

        Raises:
            FrontEndMismatch: if it belongs to another front end.
        """
        self.front_end.require_same(FrontEnd.from_json(settings_text(state)), "the checkpoint")

    def extra_repr(self) -> str:
        """Return the front end and the form of its computation, for `repr`."""
        return f"{self.front_end}, dft={self.dft!r}, precision={self.precision!r}"
