"""Contract of a file format for the statistics of a training set, as kept by other programs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError, FileFormatError, SpectronormError
from spectronorm.front_end import FrontEnd
from spectronorm.normalize import FittedNormalizer, FittedOn, Imported
from spectronorm.registry import Registry


@dataclass(frozen=True, eq=False)
class ShiftAndScale:
    """Map `(level - shift) / scale`: float64, one number `(1,)` or one number for each band `(band,)`.

    Raises:
        ArgumentError: if a number is not finite, a scale is not positive, or the numbers of scales and shifts differ.
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("shift", "scale"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64).reshape(-1))
        finite = np.isfinite(self.shift).all() and np.isfinite(self.scale).all()
        if self.shift.shape != self.scale.shape or not self.shift.size or not finite or not (self.scale > 0).all():
            raise ArgumentError(
                f"{self.shift.size} shifts and {self.scale.size} scales must be as many finite numbers, "
                "with positive scales"
            )


class StatisticsFormat(ABC):
    """One file format; `recognizes` checks a file's name and first bytes, `read` and `write` are inverses."""

    @abstractmethod
    def recognizes(self, path: Path) -> bool:
        """Return true if the file probably has this format."""

    @abstractmethod
    def read(self, path: Path) -> ShiftAndScale:
        """Read the numbers from a file.

        Raises:
            ValueError, KeyError, OSError: if the file has no such numbers.
        """

    @abstractmethod
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        """Write the numbers to a new file."""


STATISTICS_FORMATS: Registry[StatisticsFormat] = Registry(
    "statistics", "statistics format", StatisticsFormat, settings=False
)
"""Every statistics format by name."""


def read_statistics(path: str | Path, front_end: FrontEnd, format_name: str | None = None) -> FittedNormalizer:
    """Build a normalizer from the statistics in another program's file.

    Args:
        path: The file.
        front_end: The front end of the levels that were measured; the file does not say.
        format_name: A name in `STATISTICS_FORMATS`; by default the only format that recognizes the file.

    Raises:
        ArgumentError: if there is no such format, or the number of values is not the number of bands.
        FileFormatError: if no format or several formats recognize the file, or it is damaged.
    """
    path = Path(path)
    name = _recognized(path) if format_name is None else format_name
    reader = STATISTICS_FORMATS.find(name)()
    try:
        numbers = reader.read(path)
    except SpectronormError as error:
        raise FileFormatError(f"{path}: is not a sound file of the format {name}: {error}") from None
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        raise FileFormatError(
            f"{path}: cannot be read as statistics of the format {name} ({type(error).__name__}: {error}); "
            "write it again, or name another format"
        ) from None
    if numbers.shift.size not in (1, front_end.n_bands):
        raise ArgumentError(
            f"{path}: has {numbers.shift.size} numbers, but the front end has {front_end.n_bands} bands; "
            "use the front end that the numbers were measured with"
        )
    settings = Imported(name)
    return FittedNormalizer.with_map(settings, front_end, FittedOn(0, 0, ()), numbers.shift, numbers.scale)


def write_statistics(path: str | Path, normalizer: FittedNormalizer, format_name: str) -> None:
    """Write a fitted normalizer's shift and scale for another program; an existing file is replaced.

    Raises:
        ArgumentError: if there is no such format, or each clip has its own map.
    """
    if normalizer.affine is None or normalizer.normalizer.maps_clips:
        raise ArgumentError(f"{normalizer.normalizer} finds a map in each clip, so there are no numbers to write")
    numbers = ShiftAndScale(normalizer.affine.shift, normalizer.affine.scale)
    STATISTICS_FORMATS.find(format_name)().write(Path(path), numbers)


def _recognized(path: Path) -> str:
    names = [name for name, cls in STATISTICS_FORMATS.classes().items() if cls().recognizes(path)]
    if len(names) != 1:
        known = ", ".join(STATISTICS_FORMATS)
        found = f"several formats ({', '.join(names)}) recognize it" if names else "no format recognizes it"
        raise FileFormatError(f"{path}: {found}; name one of {known}")
    return names[0]
