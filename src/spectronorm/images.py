"""Spectrogram images: greyscale PNGs that carry what their inverse needs, and how a whole source is written as such."""

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
