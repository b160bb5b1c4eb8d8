"""Pictures for viewing: coloured spectrograms and contact sheets, marked as impossible to invert."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spectronorm.errors import ArgumentError, MissingExtra
from spectronorm.image_files.codec import ImageCodec
from spectronorm.image_files.png import NOT_INVERTIBLE, Pixels, encode_png, read_colours

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

_GAP, _TITLE = 6, 14


def encode_picture(codec: ImageCodec, pixels: Pixels, colormap: str, source: str = "") -> bytes:
    """Encode pixels made by `codec` as a PNG in the colours of a matplotlib colormap, where bright is loud.

    Raises:
        ArgumentError: if there is no such colormap, or if the codec has 16 bits, which colours cannot show.
        MissingExtra: if matplotlib is not installed.
    """
    text, colours = picture_text(codec, colormap, source)
    indices = codec.top - pixels if codec.layout.loud == "dark" else pixels
    return encode_png(np.ascontiguousarray(indices, dtype=np.uint8), NOT_INVERTIBLE, text, colours)


def picture_text(codec: ImageCodec, colormap: str, source: str) -> tuple[str, NDArray[np.uint8]]:
    """Return the text and the palette of a coloured picture; raises as `encode_picture` does."""
    if codec.layout.bits != 8:
        raise ArgumentError(f"bits={codec.layout.bits} with colormap={colormap!r}: colours show 8 bits; leave one out")
    return f"a picture for viewing in {colormap} colours: not invertible; {source}", palette(colormap)


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
