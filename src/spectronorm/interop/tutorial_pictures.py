"""Images made by a widely copied tutorial code for spectrograms as GAN images.

That code writes `255 - flip(uint8(255 · (ln(mel + 1e-9) - min) / (max - min)))`. The cast truncates instead of
rounding, and does not clip: levels outside min … max wrap around to the other end of the scale. The image does not
record min, max or the STFT settings, so they must be given.
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

_JUMP = 128
"""A cell that differs by this number of codes from the median of its neighbours has most probably wrapped around."""


@dataclass(frozen=True)
class LegacyLogMel:
    """Settings of such an image, by the tutorial's own names; `n_fft` was `2 · hop_length`.

    Raises:
        ArgumentError: if a number is out of range.
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
        return FrontEnd(sample_rate=self.sr, stft=stft, bands=Mel(self.n_mels), compress=Ln(1e-9))

    @property
    def max_error(self) -> float:
        """Half a step in the level's unit, for cells that did not wrap."""
        return (self.max - self.min) / 255.0 / 2.0


@dataclass(frozen=True, eq=False)
class LegacyImage:
    """Level `(band, frame)` recovered from an image, and the number of cells that look wrapped and are lost."""

    level: NDArray[np.float64]
    settings: LegacyLogMel
    wrapped: int

    @property
    def losses(self) -> Mapping[str, float]:
        """Irrecoverable losses: half a step everywhere, and the wrapped cells."""
        step_db = (self.settings.max - self.settings.min) / 255.0 * 10.0 / math.log(10.0)
        return {
            "max_error_db": step_db / 2.0,
            "wrapped_cells": float(self.wrapped),
            "wrapped_share": self.wrapped / self.level.size,
        }


def decode_legacy_logmel(path: str | Path, settings: LegacyLogMel) -> LegacyImage:
    """Decode such an image: flip and invert it back, and add half a step for the truncation.

    A cell counts as wrapped if it differs by 128 codes or more from the median of the 3 x 3 cells around it: at the
    ends of the range, black meets white.

    Raises:
        FileFormatError: if the file is not an 8-bit greyscale PNG, or does not have `n_mels` rows.
    """
    png = read_png(path)
    if png.bits != 8 or png.pixels.shape[0] != settings.n_mels:
        raise FileFormatError(
            f"{path}: has {png.pixels.shape[0]} rows of {png.bits} bits, but n_mels={settings.n_mels} and 8 bits were "
            "told; check the settings"
        )
    codes = (255 - png.pixels)[::-1].astype(np.int64)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(codes, 1, mode="edge"), (3, 3))
    wrapped = int((np.abs(codes - np.median(around, axis=(-2, -1))) >= _JUMP).sum())
    level = np.asarray((codes + 0.5) / 255.0 * (settings.max - settings.min) + settings.min, dtype=np.float64)
    return LegacyImage(level, settings, wrapped)
