"""Settings of the inversion of files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.interop.tutorial_pictures import LegacyLogMel
from spectronorm.pipeline import Pipeline
from spectronorm.runs.versions import libraries
from spectronorm.short_repr import with_bounded_repr

FORMATS = ("wav", "flac")


@with_bounded_repr
@dataclass(frozen=True)
class InversionOptions:
    """Settings of the inversion (see `invert`), and facts that cannot be read from the files.

    `front_end` made the levels in `.npy` files of levels; `pipeline` normalized the levels in `.npy` files of
    normalized ones (by default the pipeline that `spectronorm apply` wrote in a folder above). `legacy` holds the
    settings of images that carry none. `format` is wav or flac, with 16 bits.

    Raises:
        ArgumentError: if the format is unknown.

    >>> InversionOptions(quality="fast", format="flac").format
    'flac'
    """

    method: str = "auto"
    quality: str = "good"
    seed: int = 0
    format: str = "wav"
    front_end: FrontEnd | None = None
    pipeline: Pipeline | None = None
    legacy: LegacyLogMel | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ArgumentError(f"format={self.format!r} must be one of {', '.join(FORMATS)}")

    def identity(self) -> dict[str, Any]:
        """Return everything except the files that determines the sounds, as plain JSON values."""
        return {
            "command": "invert",
            "method": self.method,
            "quality": self.quality,
            "seed": self.seed,
            "format": self.format,
            "front_end": None if self.front_end is None else self.front_end.to_dict(),
            "pipeline": None if self.pipeline is None else self.pipeline.summary(),
            "legacy": None if self.legacy is None else asdict(self.legacy),
            "libraries": libraries(),
        }
