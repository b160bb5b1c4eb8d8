"""Images made by a widely copied tutorial code for spectrograms as GAN images.

That code writes `255 - flip(uint8(255 · (ln(mel + 1e-9) - min) / (max - min)))`. The cast truncates instead of
rounding, and does not clip: levels outside min … max wrap around to the other end of the scale, silence among them,
whose level is `ln(1e-9)`. The image does not record min, max or the STFT settings, so they must be given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError, FileFormatError
from spectronorm.front_end import STFT, FrontEnd, Ln, Mel
from spectronorm.image_files.png import read_png
from spectronorm.interop.wrapped_codes import TURN, WrappedCells, count_turns
from spectronorm.short_repr import with_bounded_repr

_OFFSET = 1e-9
_SILENCE = math.log(_OFFSET)


@dataclass(frozen=True)
class LegacyLogMel:
    """Settings of such an image, by the tutorial's own names; `n_fft` was `2 · hop_length`.

    Raises:
        ArgumentError: if a number is out of range.

    >>> LegacyLogMel(sr=22_050, hop_length=512, n_mels=128, min=-20.7, max=3.2).front_end.stft.n_fft
    1024
    """

    sr: int
    hop_length: int
    n_mels: int
    min: float
    max: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.min) and math.isfinite(self.max) and self.min < self.max):
            raise ArgumentError(f"min={self.min}, max={self.max} must be finite, with min < max")
        if not 1 <= self.hop_length <= 1 << 15 or not 1 <= self.n_mels <= 4096:
            raise ArgumentError(
                f"hop_length={self.hop_length}, n_mels={self.n_mels} must lie in 1 … 32768 and 1 … 4096"
            )

    @classmethod
    def parse(cls, text: str) -> LegacyLogMel:
        """Parse `sr=22050,hop_length=512,n_mels=128,min=-20.7,max=3.2`.

        Raises:
            ArgumentError: if the text has another form.
        """
        pairs = dict(part.partition("=")[::2] for part in text.split(",") if part)
        names = [f.name for f in fields(cls)]
        if sorted(pairs) != sorted(names):
            raise ArgumentError(
                f"legacy-logmel={text!r} must give each of {', '.join(names)} once, "
                "such as sr=22050,hop_length=512,n_mels=128,min=-20.7,max=3.2"
            )
        try:
            whole = {name: int(pairs[name]) for name in names[:3]}
            return cls(**whole, min=float(pairs["min"]), max=float(pairs["max"]))
        except ValueError:
            raise ArgumentError(
                f"legacy-logmel={text!r}: every value must be a number, the first three whole"
            ) from None

    @property
    def front_end(self) -> FrontEnd:
        """The front end with these settings – librosa's melspectrogram followed by the natural logarithm."""
        stft = STFT(n_fft=2 * self.hop_length, hop_length=self.hop_length, pad_mode="constant", power=2.0)
        return FrontEnd(sample_rate=self.sr, stft=stft, bands=Mel(self.n_mels), compress=Ln(_OFFSET))

    @property
    def max_error(self) -> float:
        """Half a step in the level's unit, which the cast took."""
        return (self.max - self.min) / 255.0 / 2.0

    @property
    def code_of_silence(self) -> float:
        """The code of silence before the cast; it wraps around below -1.

        Examples:
            >>> round(LegacyLogMel(22050, 512, 128, min=-17.6, max=4.3).code_of_silence, 2)
            -36.37
        """
        return (_SILENCE - self.min) / (self.max - self.min) * 255.0


@with_bounded_repr
@dataclass(frozen=True, eq=False)
class LegacyImage:
    """Level `(band, frame)` recovered from an image, and how many cells had wrapped around.

    >>> import pathlib, tempfile, numpy as np
    >>> from PIL import Image
    >>> settings = LegacyLogMel(sr=22_050, hop_length=512, n_mels=64, min=-20.0, max=4.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.png"
    ...     Image.fromarray(np.full((64, 30), 100, np.uint8)).save(path)
    ...     image = decode_legacy_logmel(path, settings)
    >>> image.level.shape, image.settings == settings
    ((64, 30), True)
    """

    level: NDArray[np.float64]
    settings: LegacyLogMel
    wrapped: WrappedCells

    @property
    def losses(self) -> Mapping[str, float]:
        """Losses and repairs: half a step, and the shares of cells that wrapped around, in all and of each kind."""
        step_db = (self.settings.max - self.settings.min) / 255.0 * 10.0 / math.log(10.0)
        cells = self.wrapped.cells
        return {
            "max_error_db": step_db / 2.0,
            "wrapped_share": self.wrapped.share,
            "silence_share": self.wrapped.silence / cells,
            "below_share": self.wrapped.below / cells,
            "above_share": self.wrapped.above / cells,
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Losses and repairs in words."""
        told = [f"half a step of {self.losses['max_error_db']:.2f} dB is lost in each cell, a whole one next to min"]
        wrapped = self.wrapped
        if wrapped.silence:
            code = math.trunc(self.settings.code_of_silence) % TURN
            told.append(
                f"{wrapped.silence:,} cells ({self.losses['silence_share']:.2%}) were silence that had wrapped around "
                f"to code {code}: restored"
            )
        for number, name, side in ((wrapped.below, "below", "below min"), (wrapped.above, "above", "above max")):
            if number:
                told.append(
                    f"{number:,} cells ({self.losses[f'{name}_share']:.2%}) {side} had wrapped around: restored by the "
                    "cells around them"
                )
        return tuple(told)


def decode_legacy_logmel(path: str | Path, settings: LegacyLogMel) -> LegacyImage:
    """Decode such an image: flip and invert it back, undo what wrapped around, and add half a step for the truncation.

    Silence is `ln(1e-9)`, whose code follows from min and max. If that code wraps around, flat areas of it become
    silence again. Other cells that wrapped around are found by their neighbours: black meets white there.

    Raises:
        FileFormatError: if the file is not an 8-bit greyscale PNG, or does not have `n_mels` rows.

    >>> import pathlib, tempfile, numpy as np
    >>> from PIL import Image
    >>> settings = LegacyLogMel(sr=22_050, hop_length=512, n_mels=64, min=-20.0, max=4.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.png"
    ...     Image.fromarray(np.full((64, 30), 100, np.uint8)).save(path)
    ...     round(float(decode_legacy_logmel(path, settings).level.mean()), 2)
    -5.36
    """
    png = read_png(path)
    if png.bits != 8 or png.pixels.shape[0] != settings.n_mels:
        raise FileFormatError(
            f"{path}: has {png.pixels.shape[0]} rows of {png.bits} bits, but n_mels={settings.n_mels} and 8 bits were "
            "given; check the settings"
        )
    codes = (255 - png.pixels)[::-1].astype(np.int64)
    turns, silent = count_turns(codes, settings.code_of_silence)
    values = codes + TURN * turns
    # The cast truncates towards zero: code 0 holds what lies less than a step above and, unless nothing can, below it.
    middle = np.sign(values) * 0.5 if settings.code_of_silence < 0.0 else 0.5
    scale = (settings.max - settings.min) / 255.0
    level = np.where(silent, _SILENCE, (values + middle) * scale + settings.min)
    below, above = int(((turns < 0) & ~silent).sum()), int((turns > 0).sum())
    return LegacyImage(level, settings, WrappedCells(int(silent.sum()), below, above, codes.size))
