"""Conversion between levels and greyscale PNG: clip, round, and store everything that the inverse needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, require_floats, to_host
from spectronorm.errors import ArgumentError, FileFormatError, FrontEndMismatch, ShapeError
from spectronorm.front_end import FrontEnd, WaveformGain, db_per_unit, frames_of, shortest_length
from spectronorm.image_files.header import FIRST_KEYWORD, KEYWORD, Header, Layout
from spectronorm.image_files.level_range import LevelRange
from spectronorm.image_files.png import NOT_INVERTIBLE, Pixels, encode_png, read_png
from spectronorm.storage.fields_only import FieldsOnly


@dataclass(frozen=True)
class ImageCodec(FieldsOnly):
    """Converts levels `(band, frame)` of one front end to PNG and back, within `max_error`.

    A level is mapped to a grey scale of `2^bits` steps from `low` to `high`: clipped, then rounded to the nearest step,
    never truncated. By default low frequencies are at the bottom and dark is loud.

    Raises:
        ArgumentError: if a range by band does not have the front end's number of bands.
    """

    front_end: FrontEnd
    level_range: LevelRange
    layout: Layout = field(default_factory=Layout)

    def __post_init__(self) -> None:
        if self.level_range.low.size not in (1, self.front_end.n_bands):
            raise ArgumentError(
                f"a range of {self.level_range.low.size} bands does not fit the front end's {self.front_end.n_bands}"
            )

    @property
    def max_error(self) -> float:
        """Largest error of a level within the range, in the level's unit – half the step of the widest band."""
        return float(self._step.max()) / 2.0

    @property
    def max_error_db(self) -> float:
        """`max_error` in dB.

        Raises:
            ArgumentError: if the level is not logarithmic.
        """
        return self.max_error * db_per_unit(self.front_end)

    def encode(
        self,
        level: Array,
        *,
        length: int | None = None,
        gain: WaveformGain | None = None,
        source: str = "",
        width: int | None = None,
    ) -> bytes:
        """Encode a level as the bytes of a PNG.

        Args:
            level: Level `(band, frame)`, NumPy or torch.
            length: Number of samples of the clip; by default the number that the frames span.
            gain: Undoes the front end's waveform level (`WaveformGain.of`); by default nothing is undone.
            source: Free text for the header.
            width: Crop at the end, or pad with the floor, to this number of frames.

        Raises:
            ShapeError: if the level has another number of bands, is empty or is not finite.
            ArgumentError: if `length` does not fit the frames.
        """
        pixels, header = self.pixels(level, length=length, gain=gain, source=source, width=width)
        return encode_image(pixels, header)

    def pixels(
        self,
        level: Array,
        *,
        length: int | None = None,
        gain: WaveformGain | None = None,
        source: str = "",
        width: int | None = None,
    ) -> tuple[Pixels, Header]:
        """Return the pixels `(row, column)` and the header that `encode` writes."""
        host = self._checked(level)
        frames = host.shape[1]
        length = shortest_length(self.front_end, frames) if length is None else length
        if frames_of(self.front_end, length) != frames:
            raise ArgumentError(
                f"length={length} samples make {frames_of(self.front_end, length)} frames with this front end, but "
                f"the level has {frames}; pass the length of the wave that it was made from"
            )
        if width is not None:
            host, frames, length = self._to_width(host, length, width)
        header = Header(self.front_end, self.level_range, self.layout, frames, length, gain or WaveformGain(), source)
        return self._laid_out(self._codes(host)), header

    def decode(self, pixels: Pixels) -> NDArray[np.float64]:
        """Return the level `(band, frame)` of pixels, padding included."""
        codes = self._laid_out(pixels)
        return np.asarray(codes * self._step + self._low, dtype=np.float64)

    def clipped(self, level: Array) -> int:
        """Return the number of cells of a level outside the range."""
        host = to_host(level)
        return int(((host < self._low) | (host > self._high)).sum())

    @property
    def top(self) -> int:
        """The highest code, 255 or 65535."""
        return int(2**self.layout.bits - 1)

    @cached_property
    def _low(self) -> NDArray[np.float64]:
        return self.level_range.low[:, None]

    @cached_property
    def _high(self) -> NDArray[np.float64]:
        return self.level_range.high[:, None]

    @cached_property
    def _step(self) -> NDArray[np.float64]:
        return (self._high - self._low) / self.top

    def _codes(self, level: NDArray[Any]) -> Pixels:
        scaled = (level - self._low) / self._step
        np.rint(scaled, out=scaled)
        np.clip(scaled, 0, self.top, out=scaled)
        return scaled.astype(np.uint8) if self.layout.bits == 8 else scaled.astype(np.uint16)

    def _laid_out(self, codes: Any) -> Any:
        """Convert codes to pixels, or pixels to codes: both steps are their own inverse."""
        if self.layout.low_frequencies == "bottom":
            codes = codes[::-1]
        if self.layout.loud == "dark":
            codes = self.top - codes
        return np.ascontiguousarray(codes)

    def _to_width(self, level: NDArray[Any], length: int, width: int) -> tuple[NDArray[Any], int, int]:
        if width < 1:
            raise ArgumentError(f"width={width} must be at least 1 frame")
        frames = level.shape[1]
        if width < frames:
            return level[:, :width], width, shortest_length(self.front_end, width)
        silence = np.full((level.shape[0], width - frames), self.front_end.floor)
        return np.concatenate([level, silence], axis=1), frames, length

    def _checked(self, level: Array) -> NDArray[Any]:
        require_floats(level, "a level")
        host = to_host(level).astype(np.float64, copy=False)
        if host.ndim != 2 or host.shape[0] != self.front_end.n_bands or host.shape[1] < 1:
            raise ShapeError(
                f"a level of shape {tuple(host.shape)} is not (band, frame) with the {self.front_end.n_bands} bands "
                "of this codec's front end and at least one frame"
            )
        if not np.isfinite(host).all():
            raise ShapeError("the level holds NaN or infinite values; an image can hold finite levels only")
        return host


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """Content of an image: the level `(band, frame)` without padding, the header, and the largest error."""

    level: NDArray[np.float64]
    header: Header
    max_error: float

    def require_front_end(self, front_end: FrontEnd) -> None:
        """Check that the level was made by `front_end`.

        Raises:
            FrontEndMismatch: if it was not, naming the differences.
        """
        front_end.require_same(self.header.front_end, "the image")


def encode_image(pixels: Pixels, header: Header) -> bytes:
    """Encode the result of `ImageCodec.pixels` as the bytes of a PNG."""
    return encode_png(pixels, KEYWORD, header.to_text(pixels))


def decode(path: str | Path, front_end: FrontEnd | None = None) -> DecodedImage:
    """Read an image written by `ImageCodec`; nothing but the file is needed.

    Raises:
        FileFormatError: if the file is not a PNG, has no header, was altered or re-encoded with loss, is a coloured
            picture, or has a format version that this version cannot read.
        FrontEndMismatch: if `front_end` is given and the image was made by another one, naming the differences.
    """
    path = Path(path)
    png = read_png(path)
    if KEYWORD not in png.texts:
        if FIRST_KEYWORD in png.texts:
            raise FileFormatError(
                f"{path}: was written by a version before 0.2, whose images cannot be read any longer; export it again"
            )
        hint = png.texts.get(NOT_INVERTIBLE, "spectronorm did not write it, or a program that re-encoded it dropped it")
        raise FileFormatError(f"{path}: carries no spectronorm header, so its levels are not known ({hint})")
    header = Header.from_text(png.texts[KEYWORD], png.pixels, path)
    if front_end is not None and front_end != header.front_end:
        differences = "; ".join(front_end.differences(header.front_end))
        raise FrontEndMismatch(f"{path}: was made by another front end ({differences}); use its own, or export again")
    codec = ImageCodec(header.front_end, header.level_range, header.layout)
    level = codec.decode(png.pixels)[:, : header.frames]
    return DecodedImage(level, header, codec.max_error)
