"""Pictures for viewing: coloured spectrograms and contact sheets, marked as impossible to invert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spectronorm.errors import ArgumentError, FileFormatError, MissingExtra
from spectronorm.image_files.codec import ImageCodec, read_header
from spectronorm.image_files.header import Header, pixel_digest
from spectronorm.image_files.png import NOT_INVERTIBLE, Pixels, encode_png, read_colours, read_picture, read_texts

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

MADE_BY = "spectronorm-picture-header"
"""Keyword of the header of coloured pictures, which says how they were made."""
_GAP, _TITLE = 6, 14


def encode_picture(codec: ImageCodec, pixels: Pixels, colormap: str, header: Header | None = None) -> bytes:
    """Encode pixels made by `codec` as a PNG in the colours of a matplotlib colormap, where bright is loud.

    A header, as `ImageCodec.pixels` returns it, makes the picture say how it was made.

    Raises:
        ArgumentError: if there is no such colormap, or if the codec has 16 bits, which colours cannot show.
        MissingExtra: if matplotlib is not installed.
    """
    colours = picture_palette(codec, colormap)
    indices = np.ascontiguousarray(codec.top - pixels if codec.layout.loud == "dark" else pixels, dtype=np.uint8)
    more = {} if header is None else {MADE_BY: picture_header_text(header, colormap, pixel_digest(indices))}
    return encode_png(indices, NOT_INVERTIBLE, picture_text(colormap, header), colours, more)


def picture_text(colormap: str, header: Header | None) -> str:
    """The text that says that a picture cannot be inverted, and of what it is."""
    of = "" if header is None else f"{header.source} frames:{header.frames}"
    return f"a picture for viewing in {colormap} colours: not invertible; {of}"


def picture_header_text(header: Header, colormap: str, digest: str) -> str:
    """The text of a picture's own header, for indices with this digest."""
    return replace(header, colormap=colormap).text_with(digest)


def read_any_header(path: Path) -> Header:
    """Return the header of an image or of a coloured picture, after verifying its pixels.

    Raises:
        FileFormatError: if the file is neither, is damaged, or is a picture without a header.
    """
    texts = read_texts(path)
    if NOT_INVERTIBLE not in texts:
        return read_header(path)
    if MADE_BY not in texts:
        raise FileFormatError(
            f"{path}: is a picture that does not say how it was made, such as a sheet of several clips or one of an "
            "earlier version; export it again"
        )
    return Header.from_text(texts[MADE_BY], read_picture(path).pixels, path)


def picture_palette(codec: ImageCodec, colormap: str) -> NDArray[np.uint8]:
    """Return the palette of a coloured picture; raises as `encode_picture` does."""
    if codec.layout.bits != 8:
        raise ArgumentError(f"bits={codec.layout.bits} with colormap={colormap!r}: colours show 8 bits; leave one out")
    return palette(colormap)


@lru_cache(maxsize=8)
def palette(colormap: str) -> NDArray[np.uint8]:
    """Return the 256 colours `(256, 3)` of a matplotlib colormap."""
    try:
        import matplotlib
    except (ImportError, OSError):
        raise MissingExtra("A colormap", "report") from None
    if colormap not in matplotlib.colormaps:
        raise ArgumentError(f"colormap={colormap!r} is unknown; use one that matplotlib has, such as viridis or magma")
    colours = matplotlib.colormaps[colormap](np.linspace(0.0, 1.0, 256))[:, :3]
    return np.asarray(np.rint(255.0 * colours), dtype=np.uint8)


def contact_sheet(
    title: str, images: Sequence[tuple[str, Path]], columns: int = 4, cell: tuple[int, int] = (240, 128)
) -> Image.Image:
    """Draw a sheet with a title and small versions of exported images, grey or coloured, each above its name.

    `cell` is the width and height of one image, in pixels.

    Raises:
        FileFormatError: if one of the files is not an image.
    """
    width, height = cell
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    size = (columns * (width + _GAP) + _GAP, _TITLE + _GAP + rows * (height + _TITLE + _GAP))
    sheet = Image.new("RGB", size, (255, 255, 255))
    from PIL import ImageDraw, ImageFont  # FreeType: 2 MB that nothing else needs

    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    draw.text((_GAP, 2), _printable(title), fill=0, font=font)
    for number, (name, path) in enumerate(images):
        x = _GAP + number % columns * (width + _GAP)
        y = _TITLE + _GAP + number // columns * (height + _TITLE + _GAP)
        sheet.paste(read_colours(path).resize((width, height), Image.Resampling.BOX), (x, y + _TITLE))
        draw.text((x, y), _fitting(draw, font, _printable(name), width), fill=0, font=font)
    return sheet


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() and ord(letter) < 0x250 else "?" for letter in text)


def _fitting(
    draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, text: str, width: int
) -> str:
    """Shorten the text at its beginning to fit, since names differ at their end."""
    while len(text) > 4 and draw.textlength(text, font=font) > width:
        text = "…" + text[2:]
    return text
