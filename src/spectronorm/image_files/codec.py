"""Conversion between levels and greyscale PNG: clip, round, and store everything that the inverse needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, require_floats, to_host
from spectronorm.errors import (
    ArgumentError,
    AudioError,
    BadAudioReason,
    FileFormatError,
    FrontEndMismatch,
    ShapeError,
)
from spectronorm.front_end import FrontEnd, WaveformGain, db_per_unit, frames_of, shortest_length
from spectronorm.image_files.header import FIRST_KEYWORD, KEYWORD, Header, Layout
from spectronorm.image_files.level_range import LevelRange
from spectronorm.image_files.png import MAX_PIXELS, NOT_INVERTIBLE, PNG, Pixels, encode_png, read_png
from spectronorm.short_repr import with_short_repr
from spectronorm.storage.fields_only import FieldsOnly
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True)
class ImageCodec(FieldsOnly):
    """Converts levels `(band, frame)` of one front end to PNG and back, within `max_error`.

    The channels of a stack `(channel, band, frame)` lie below each other in one image.

    A level is mapped to a grey scale of `2^bits` steps from `low` to `high`: clipped, then rounded to the nearest step,
    never truncated. By default low frequencies are at the bottom and dark is loud.

    Raises:
        ArgumentError: if a range by band does not have the front end's number of bands.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(64))
    >>> codec = sn.images.ImageCodec(front_end, sn.images.LevelRange(-80, 20, "by hand"))
    >>> round(codec.max_error, 3)
    0.196
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
        header = self.header(frames, length, gain=gain, source=source, width=width)
        if width is not None and width < frames:
            host = host[:, :width]
        elif width is not None:
            silence = np.full((host.shape[0], width - frames), self.front_end.floor)
            host = np.concatenate([host, silence], axis=1)
        return self._laid_out(self._codes(host)), header

    def header(
        self,
        frames: int,
        length: int,
        *,
        gain: WaveformGain | None = None,
        source: str = "",
        width: int | None = None,
    ) -> Header:
        """Return the header of a clip of this number of frames; see `encode`.

        Raises:
            ArgumentError: if `length` does not fit the frames, or `width` is below 1.
        """
        if frames_of(self.front_end, length) != frames:
            raise ArgumentError(
                f"length={length} samples make {frames_of(self.front_end, length)} frames with this front end, but "
                f"the level has {frames}; pass the length of the wave that it was made from"
            )
        if width is not None and width < 1:
            raise ArgumentError(f"width={width} must be at least 1 frame")
        if width is not None and width < frames:
            frames, length = width, shortest_length(self.front_end, width)
        return Header(self.front_end, self.level_range, self.layout, frames, length, gain or WaveformGain(), source)

    def block(self, level: Array) -> Pixels:
        """Return the pixels of some frames of a level; those of a whole level are those of its parts side by side."""
        return np.asarray(self._laid_out(self._codes(self._checked(level))))

    def decode(self, pixels: Pixels) -> NDArray[np.float64]:
        """Return the level `(band, frame)` of pixels, padding included; of a stack, `(channel, band, frame)`.

        Raises:
            ShapeError: if there is not one row for each band.
        """
        rows = math.prod(self.front_end.level_shape)
        if pixels.ndim != 2 or pixels.shape[0] != rows:
            raise ShapeError(
                f"pixels of shape {pixels.shape} must be (row, column) with {rows} rows, one for each band that the "
                "codec's front end has"
            )
        level = np.asarray(self._laid_out(pixels) * self._step + self._low, dtype=np.float64)
        return level.reshape(*self.front_end.level_shape, level.shape[1])

    def clipped(self, level: Array) -> int:
        """Return the number of cells of a level outside the range."""
        host = self._checked(level)
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
        """Convert codes to pixels, or pixels to codes: both steps are their own inverse.

        The channels of a stack lie below each other, the first at the top.
        """
        if self.layout.low_frequencies == "bottom":
            bands = self.front_end.level_shape[-1]
            codes = codes.reshape(-1, bands, codes.shape[-1])[:, ::-1].reshape(codes.shape)
        if self.layout.loud == "dark":
            codes = self.top - codes
        return np.ascontiguousarray(codes)

    def _checked(self, level: Array) -> NDArray[Any]:
        require_floats(level, "a level")
        host = to_host(level).astype(np.float64, copy=False)
        if host.shape[:-1] == self.front_end.level_shape:
            host = host.reshape(self.front_end.n_bands, host.shape[-1])
        if host.ndim != 2 or host.shape[0] != self.front_end.n_bands or host.shape[1] < 1:
            raise ShapeError(
                f"a level of shape {tuple(host.shape)} is not (band, frame) with the {self.front_end.n_bands} bands "
                "of this codec's front end and at least one frame"
            )
        if not np.isfinite(host).all():
            raise ShapeError("the level holds NaN or infinite values; an image can hold finite levels only")
        return host


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class DecodedImage:
    """Content of an image: the level `(band, frame)` without padding, the header, and the largest error.

    The level of a stack is `(channel, band, frame)`.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> codec = sn.images.ImageCodec(front_end, sn.images.LevelRange.fixed_db(front_end, -100.0, 60.0))
    >>> level = front_end(0.1 * np.random.default_rng(0).standard_normal(16_000))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.png"
    ...     _ = path.write_bytes(codec.encode(level))
    ...     image = sn.images.decode(path)
    >>> bool(np.abs(image.level - level).max() <= image.max_error + 1e-9)
    True
    """

    level: NDArray[np.float64]
    header: Header
    max_error: float

    def require_front_end(self, front_end: FrontEnd) -> None:
        """Check that the level was made by `front_end`.

        Raises:
            FrontEndMismatch: if it was not, naming the differences.
        """
        front_end.require_same(self.header.front_end, "the image")


def require_readable(rows: int, columns: int) -> None:
    """Raise `AudioError` if an image would have more pixels than are read back."""
    if rows * columns > MAX_PIXELS:
        raise AudioError(
            BadAudioReason.TOO_LARGE,
            f"its image would have {rows} x {columns} pixels, more than the {MAX_PIXELS} that are read back; crop it, "
            "or cut the file into pieces",
        )


def encode_image(pixels: Pixels, header: Header) -> bytes:
    """Encode the result of `ImageCodec.pixels` as the bytes of a PNG."""
    return encode_png(pixels, KEYWORD, header.to_text(pixels))


@known_keywords
def decode(path: str | Path, front_end: FrontEnd | None = None) -> DecodedImage:
    """Read an image written by `ImageCodec`; nothing but the file is needed.

    Raises:
        FileFormatError: if the file is not a PNG, has no header, was altered or re-encoded with loss, is a coloured
            picture, or has a format version that this version cannot read.
        FrontEndMismatch: if `front_end` is given and the image was made by another one, naming the differences.

    >>> import numpy as np, spectronorm as sn
    >>> import tempfile
    >>> front_end = sn.FrontEnd(bands=sn.Mel(64))
    >>> codec = sn.images.ImageCodec(front_end, sn.images.LevelRange(-100, 20, "by hand"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = sn.images.export([(np.zeros(16_000), 16_000)], codec, folder)
    ...     sn.images.decode(next(Path(folder).rglob("*.png"))).level.shape
    (64, 81)
    """
    path = Path(path)
    png, header = _pixels_and_header(path)
    if front_end is not None and front_end != header.front_end:
        differences = "; ".join(front_end.differences(header.front_end))
        raise FrontEndMismatch(f"{path}: was made by another front end ({differences}); use its own, or export again")
    codec = ImageCodec(header.front_end, header.level_range, header.layout)
    level = codec.decode(png.pixels)[..., : header.frames]
    return DecodedImage(level, header, codec.max_error)


def read_header(path: Path) -> Header:
    """Return the header of an image, after verifying its pixels; raises `FileFormatError` as `decode` does."""
    return _pixels_and_header(path)[1]


def _pixels_and_header(path: Path) -> tuple[PNG, Header]:
    png = read_png(path)
    if KEYWORD not in png.texts:
        if FIRST_KEYWORD in png.texts:
            raise FileFormatError(
                f"{path}: was written by a version before 0.2, whose images cannot be read any longer; export it again"
            )
        hint = png.texts.get(NOT_INVERTIBLE, "spectronorm did not write it, or a program that re-encoded it dropped it")
        raise FileFormatError(f"{path}: carries no spectronorm header, so its levels are not known ({hint})")
    return png, Header.from_text(png.texts[KEYWORD], png.pixels, path)
