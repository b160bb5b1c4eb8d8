"""Sounds from levels and from spectrogram images: one, a whole folder, or a round trip with its losses."""

from spectronorm.inversion import InversionPlan, Vocoder, invert
from spectronorm.passes.inversion_options import InversionOptions
from spectronorm.passes.round_trip import RoundTrip, RoundTripOptions, round_trip
from spectronorm.passes.sounds import InvertedFile, InvertedFiles
from spectronorm.passes.sounds import export_audio as export

__all__ = [
    "InversionOptions",
    "InversionPlan",
    "InvertedFile",
    "InvertedFiles",
    "RoundTrip",
    "RoundTripOptions",
    "Vocoder",
    "export",
    "invert",
    "round_trip",
]
