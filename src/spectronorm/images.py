"""Spectrogram images: greyscale PNGs that carry everything needed for inversion, and the export of a source."""

from spectronorm.image_files import (
    IMAGE_RANGES,
    DecodedImage,
    Header,
    ImageCodec,
    ImageRange,
    Layout,
    LevelRange,
    decode,
)
from spectronorm.passes.images import ExportedImages, ExportOptions
from spectronorm.passes.images import export_images as export

__all__ = [
    "IMAGE_RANGES",
    "DecodedImage",
    "ExportOptions",
    "ExportedImages",
    "Header",
    "ImageCodec",
    "ImageRange",
    "Layout",
    "LevelRange",
    "decode",
    "export",
]
