"""Writer and strict reader of PNG files; common writers take ten times as long for equal bytes.

Files follow the standard (ISO/IEC 15948): every row is filtered by the average of left and above, one IDAT chunk is
deflated by isal if installed (extra `fast`) and by zlib otherwise, and one iTXt chunk holds the header.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from spectronorm.errors import FileFormatError

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

MAX_PIXELS = 1 << 26
"""Largest number of pixels, far above any spectrogram; larger images are refused before they are decoded."""
_MAX_FILE_BYTES = 1 << 28
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
_FILTER_AVERAGE = 3
_CHUNK_BYTES = 1 << 18


def _find_deflate() -> tuple[str, Callable[[bytes], bytes]]:
    try:
        from isal import isal_zlib
    except (ImportError, OSError):
        return "zlib", lambda data: zlib.compress(data, 1)
    return "isal", lambda data: bytes(isal_zlib.compress(data, 1))


def _compressor() -> Any:
    """A compressor to which data comes in parts."""
    if DEFLATE == "isal":
        from isal import isal_zlib

        return isal_zlib.compressobj(1)
    return zlib.compressobj(1)


DEFLATE, _deflate = _find_deflate()
"""Compression library: isal or zlib. The pixels are equal; the bytes of the files differ."""


@dataclass(frozen=True, eq=False)
class PNG:
    """Pixels `(row, column)` of a greyscale image, and its text chunks by keyword."""

    pixels: Pixels
    texts: dict[str, str]

    @property
    def bits(self) -> int:
        """Bit depth, 8 or 16."""
        return 8 * self.pixels.dtype.itemsize


def encode_png(
    pixels: Pixels,
    keyword: str,
    text: str,
    palette: NDArray[np.uint8] | None = None,
    more: Mapping[str, str] | None = None,
) -> bytes:
    """Encode a PNG: greyscale `(row, column)` of uint8 or uint16, or uint8 indices into a palette `(256, 3)`.

    The text goes into an iTXt chunk before the pixels, compressed, in UTF-8; `more` texts by keyword follow it.
    """
    bits = 8 * pixels.dtype.itemsize
    filtered = _filtered(_bytes_of(pixels), bits // 8)
    head = _head(pixels.shape, bits, {keyword: text, **(more or {})}, palette)
    return b"".join([*head, _chunk(b"IDAT", _deflate(filtered.tobytes())), _chunk(b"IEND", b"")])


def png_parts(
    shape: tuple[int, int],
    bits: int,
    rows: Iterable[Pixels],
    keyword: str,
    text: str,
    palette: NDArray[np.uint8] | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[bytes]:
    """Yield the bytes of a PNG as `encode_png` does, for pixels of this shape whose rows come one after the other.

    The pixels are equal; their compressed bytes are divided into several chunks.
    """
    yield from _head(shape, bits, {keyword: text, **(more or {})}, palette)
    deflating = _compressor()
    above = np.zeros(shape[1] * bits // 8, np.uint8)
    waiting = bytearray()
    for row in rows:
        plain = _bytes_of(row[None])
        waiting += deflating.compress(_filtered(plain, bits // 8, above).tobytes())
        above = plain[0]
        if len(waiting) >= _CHUNK_BYTES:
            yield _chunk(b"IDAT", bytes(waiting))
            waiting.clear()
    yield _chunk(b"IDAT", bytes(waiting) + deflating.flush())
    yield _chunk(b"IEND", b"")


def _bytes_of(pixels: Pixels) -> NDArray[np.uint8]:
    """The pixels as rows of bytes, big-endian."""
    wide = pixels.dtype.itemsize == 2
    return np.asarray(pixels.astype(">u2").view(np.uint8) if wide else pixels, dtype=np.uint8)


def _head(
    shape: tuple[int, ...], bits: int, texts: Mapping[str, str], palette: NDArray[np.uint8] | None
) -> Iterator[bytes]:
    """Yield what stands before the pixels."""
    yield _SIGNATURE
    colour = _GREY if palette is None else _PALETTE
    yield _chunk(b"IHDR", struct.pack(">IIBBBBB", shape[1], shape[0], bits, colour, 0, 0, 0))
    for keyword, text in texts.items():
        yield _chunk(b"iTXt", keyword.encode("latin-1") + b"\0\1\0\0\0" + _deflate(text.encode("utf-8")))
    if palette is not None:
        yield _chunk(b"PLTE", palette.tobytes())


def _filtered(
    rows: NDArray[np.uint8], bytes_in_pixel: int, before: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Filter rows of bytes by the rounded-down average of left and above, and prefix the filter's number.

    The row `before` lies above the first one.
    """
    height, width = rows.shape
    filtered = np.empty((height, width + 1), dtype=np.uint8)
    filtered[:, 0] = _FILTER_AVERAGE
    left, above = np.zeros_like(rows), np.zeros_like(rows)
    left[:, bytes_in_pixel:] = rows[:, :-bytes_in_pixel]
    above[1:] = rows[:-1]
    if before is not None:
        above[0] = before
    average = (left & above) + ((left ^ above) >> 1)  # average without the carry bit, for which a byte has no room
    np.subtract(rows, average, out=filtered[:, 1:])
    return filtered


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def read_png(path: str | Path) -> PNG:
    """Read a greyscale PNG of 8 or 16 bits.

    Raises:
        FileFormatError: if there is no such file, or if it is not a PNG, damaged, too large, or not greyscale.
    """
    path = Path(path)
    data = _read(path)
    mode, pixels, texts = _decode(path, data)
    kinds = {"L": np.uint8, "I;16": np.uint16}
    if mode not in kinds:
        told = f" ({texts[NOT_INVERTIBLE].partition(';')[0]})" if NOT_INVERTIBLE in texts else ""
        raise FileFormatError(
            f"{path}: its pixels are in colour (mode {mode}), but a spectrogram image is greyscale of 8 or 16 "
            f"bits{told}; export it without a colormap"
        )
    return PNG(np.ascontiguousarray(pixels, dtype=kinds[mode]), texts)


NOT_INVERTIBLE = "spectronorm-picture"
"""Keyword of the text in coloured pictures, which says that they cannot be inverted."""


def read_picture(path: Path) -> PNG:
    """Read a coloured picture as indices into its palette.

    Raises:
        FileFormatError: if the file is not a valid PNG with a palette.
    """
    mode, pixels, texts = _decode(path, _read(path))
    if mode != "P":
        raise FileFormatError(f"{path}: is not a picture in the colours of a colormap (mode {mode})")
    return PNG(np.ascontiguousarray(pixels, dtype=np.uint8), texts)


def read_texts(path: Path) -> dict[str, str]:
    """Read the text chunks of any PNG, and verify its pixels too.

    Raises:
        FileFormatError: if the file is not a valid PNG.
    """
    return _decode(path, _read(path))[2]


def read_colours(path: Path) -> Image.Image:
    """Read any PNG written by this package as an RGB image for viewing; 16 bits are reduced to 8.

    Raises:
        FileFormatError: as `read_png` does.
    """
    mode, pixels, _ = _decode(path, _read(path))
    if mode == "P":
        with Image.open(path, formats=["PNG"]) as image:
            return image.convert("RGB")
    shown = (pixels.astype(np.uint16) >> 8).astype(np.uint8) if mode == "I;16" else pixels
    return Image.fromarray(shown).convert("RGB")


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise FileFormatError(f"{path}: there is no such file; check the path")
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise FileFormatError(f"{path}: has {size} bytes, more than {_MAX_FILE_BYTES}; no spectrogram is so large")
        data = path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None
    if not data.startswith(_SIGNATURE):
        raise FileFormatError(f"{path}: is not a PNG file; other formats lose what the inverse needs")
    if data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        if width * height > MAX_PIXELS:
            raise FileFormatError(
                f"{path}: claims {width} x {height} pixels, more than {MAX_PIXELS}; no spectrogram is so large"
            )
    return data


def _decode(path: Path, data: bytes) -> tuple[str, NDArray[np.generic], dict[str, str]]:
    """Return mode, pixels and texts, after verifying every checksum."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
                mode = image.mode
                image.load()
                pixels = np.asarray(image)
                texts = {str(k): str(v) for k, v in image.text.items()} if isinstance(image, PngImageFile) else {}
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
        Warning,
        EOFError,
        KeyError,
        AttributeError,
        IndexError,
        struct.error,
        zlib.error,
        MemoryError,
        OverflowError,
    ) as error:
        told = "no image can be found in it" if isinstance(error, UnidentifiedImageError) else error
        raise FileFormatError(f"{path}: is damaged or cut off ({told}); export it again") from None
    if not data.rstrip(b"\0").endswith(b"IEND\xaeB`\x82"):
        raise FileFormatError(f"{path}: does not end where a PNG ends; export it again")
    return mode, pixels, texts
