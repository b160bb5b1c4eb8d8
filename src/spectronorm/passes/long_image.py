"""The image of a clip that is too long to be held, from its blocks through a file that waits on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from spectronorm.audio import ClipReference, LongClip, Reader, Streamed, stream
from spectronorm.front_end import WaveformGain
from spectronorm.image_files import ImageCodec
from spectronorm.image_files.codec import require_readable
from spectronorm.image_files.header import KEYWORD, Header, digest_of_rows
from spectronorm.image_files.picture import MADE_BY, picture_header_text, picture_palette, picture_text
from spectronorm.image_files.png import NOT_INVERTIBLE, Pixels, png_parts
from spectronorm.passes.stores import SpooledArray
from spectronorm.profile import LevelBlocks, needs_all_first, streams


@dataclass(frozen=True, eq=False)
class SpooledImage:
    """Pixels that wait on disk, and what their header says.

    Attributes:
        pixels: The pixels `(row, column)`, with the padding.
        frames: Number of frames of the clip.
        length: Number of samples of the clip.
        gain: Undoes the waveform level.
        clipped: Number of cells outside the range of the grey scale, of those that are shown.
    """

    pixels: SpooledArray
    frames: int
    length: int
    gain: WaveformGain
    clipped: int

    def rows(self) -> Iterator[Pixels]:
        """Yield the rows of pixels, big-endian."""
        wide = self.pixels.dtype.itemsize == 2
        for row in self.pixels.rows():
            yield np.frombuffer(row, ">u2") if wide else np.frombuffer(row, np.uint8)


@dataclass(frozen=True)
class LongImage:
    """Draws one long clip; whether a clip is long is for its header to say."""

    codec: ImageCodec
    reader: Reader
    duration: float | None
    width: int | None

    def spooled(self, clip: ClipReference, folder: Path, stack: ExitStack) -> Streamed[SpooledImage] | None:
        """The image of a clip; None for a clip that can be held. `stack` closes the file in which the pixels wait."""
        front_end = self.codec.front_end
        if not streams(front_end):
            return None

        def work(blocks: LongClip) -> SpooledImage:
            folder.mkdir(parents=True, exist_ok=True)
            waiting: BinaryIO = stack.enter_context(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
            return self._spooled(blocks, waiting)

        return stream(
            self.reader,
            clip,
            front_end.sample_rate,
            work,
            duration=self.duration,
            resampler=front_end.resampler,
            twice=needs_all_first(front_end),
        )

    def _spooled(self, blocks: LongClip, waiting: BinaryIO) -> SpooledImage:
        codec, front_end = self.codec, self.codec.front_end
        levels = LevelBlocks(front_end, blocks)
        dtype = np.dtype(np.uint8 if codec.layout.bits == 8 else ">u2")
        counts: list[int] = []
        frames = clipped = shown = 0
        for level in levels:
            frames += level.shape[-1]
            part = level if self.width is None else level[..., : self.width - shown]
            if part.shape[-1]:
                waiting.write(codec.block(part).astype(dtype, copy=False).tobytes())
                clipped += codec.clipped(part)
                counts.append(part.shape[-1])
                shown += part.shape[-1]
        width = self.width
        if width is None:
            padded = 0 if self.duration is None else max(1, round(self.duration * front_end.sample_rate))
            width = max(frames, front_end.frames(padded) if padded else 0)
        require_readable(front_end.n_bands, width)
        silence = codec.block(np.full((front_end.n_bands, 1), front_end.floor)).astype(dtype)
        pixels = SpooledArray((front_end.n_bands, width), dtype, 1, waiting, counts, silence)
        return SpooledImage(pixels, frames, levels.samples, WaveformGain.undoing(levels.changes), clipped)


def image_parts(header: Header, image: SpooledImage) -> Iterator[bytes]:
    """Yield the bytes of an image that can be inverted."""
    text = header.text_with(digest_of_rows(image.pixels.shape, image.pixels.dtype.itemsize, image.rows()))
    shape = image.pixels.shape[0], image.pixels.shape[1]
    return png_parts(shape, header.layout.bits, image.rows(), KEYWORD, text)


def picture_parts(codec: ImageCodec, image: SpooledImage, colormap: str, header: Header) -> Iterator[bytes]:
    """Yield the bytes of a coloured picture."""
    palette = picture_palette(codec, colormap)

    def indices() -> Iterator[Pixels]:
        for row in image.rows():
            yield np.asarray(codec.top - row if codec.layout.loud == "dark" else row, dtype=np.uint8)

    shape = image.pixels.shape[0], image.pixels.shape[1]
    more = {MADE_BY: picture_header_text(header, colormap, digest_of_rows(shape, 1, indices()))}
    return png_parts(shape, 8, indices(), NOT_INVERTIBLE, picture_text(colormap, header), palette, more)
