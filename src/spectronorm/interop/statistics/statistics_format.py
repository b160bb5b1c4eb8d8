"""Contract of a file format for the statistics of a training set, as kept by other programs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import LARGEST_IN_MAP
from spectronorm.errors import ArgumentError
from spectronorm.registry import Registry
from spectronorm.short_repr import with_bounded_repr

MOST_NUMBERS = 1 << 16
"""Most numbers of one kind in a file: no front end has more bands."""
_MOST_FRAMES = 1e30


@with_bounded_repr
@dataclass(frozen=True, eq=False)
class ShiftAndScale:
    """Map `(level - shift) / scale`: float64, one number `(1,)` or one number for each band `(band,)`.

    Args:
        shift: The level that becomes 0.
        scale: The divisor, as the origin applies it: with its factor and its floor.
        count: Number of frames that were measured; None if the file does not say.
        factor: Number of standard deviations in one scale, such as AST's 2.
        fingerprint: Fingerprint of the front end, if spectronorm wrote the file; otherwise empty.
        sample_rate: Rate of the sounds in Hz, if the file says.
        bands: Number of bands, if the file says and holds one number for all of them.
        padding: Values in the origin's padding, as in `Fixed`.
        notes: Remarks on these numbers, in one sentence each.

    Raises:
        ArgumentError: if a number is not finite or beyond all levels, a scale is not positive, the numbers of scales
            and shifts differ, or the count is negative or beyond all data.

    >>> import numpy as np
    >>> numbers = ShiftAndScale(np.array([-4.0]), np.array([2.0]))
    >>> (np.array([-4.0, 0.0]) - numbers.shift) / numbers.scale
    array([0., 2.])
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]
    count: float | None = None
    factor: float = 1.0
    fingerprint: str = ""
    sample_rate: int | None = None
    bands: int | None = None
    padding: str = "zero"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("shift", "scale"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64).reshape(-1))
        finite = np.isfinite(self.shift).all() and np.isfinite(self.scale).all()
        if self.shift.shape != self.scale.shape or not self.shift.size or not finite or not (self.scale > 0).all():
            raise ArgumentError(
                f"{self.shift.size} shifts and {self.scale.size} scales must be equally many finite numbers, "
                "with positive scales"
            )
        farthest, least, most = np.abs(self.shift).max(), self.scale.min(), self.scale.max()
        if max(farthest, most) > LARGEST_IN_MAP or least < 1.0 / LARGEST_IN_MAP:
            raise ArgumentError(
                f"shifts to {farthest:.3g} and scales of {least:.3g} to {most:.3g} are beyond all levels; shifts must "
                f"lie within {LARGEST_IN_MAP:g}, scales within {1.0 / LARGEST_IN_MAP:g} … {LARGEST_IN_MAP:g}"
            )
        if self.count is not None and not 0 <= self.count <= _MOST_FRAMES:
            raise ArgumentError(f"a count of {self.count!r:.40} frames is not within 0 … {_MOST_FRAMES:g}")
        if self.shift.size > MOST_NUMBERS:
            raise ArgumentError(f"{self.shift.size} numbers are more than {MOST_NUMBERS} bands")

    @property
    def std(self) -> NDArray[np.float64]:
        """The standard deviation: the scale without the factor."""
        return self.scale / self.factor


class StatisticsFormat(ABC):
    """One file format; `recognizes` checks a file's name and first bytes, `read` and `write` are inverses.

    >>> from spectronorm.interop.statistics import STATISTICS_FORMATS
    >>> sorted(STATISTICS_FORMATS)[:4]
    ['espnet', 'funasr', 'hf', 'json']
    """

    convention: ClassVar[str] = "(x - mean) / std"
    """Formula that the origin applies."""

    ddof: ClassVar[int] = 0
    """Degrees of freedom that the origin subtracts when it measures."""

    least_std: ClassVar[float] = 0.0
    """Lower bound of the standard deviation; 0 if the origin has none."""

    counts: ClassVar[bool] = False
    """True if the file holds the number of frames."""

    additive: ClassVar[bool] = False
    """True if the file holds sums, so that files of parts can be added; written from a profile."""

    per_band: ClassVar[bool] = True
    """True if one number for all bands is written once for each band."""

    marks: ClassVar[bool] = False
    """True if the file can name the front end, by its fingerprint, in a key that the origin ignores."""

    padding: ClassVar[str] = "zero"
    """Values in the origin's padding, as in `Fixed`."""

    suffix: ClassVar[str] = ""
    """Usual ending of a file's name."""

    lacks: ClassVar[tuple[str, ...]] = ()
    """Further remarks for users who write the format, in one sentence each."""

    preset: ClassVar[str] = ""
    """Preset that the origin's own features have, if there is one."""

    @abstractmethod
    def recognizes(self, path: Path) -> bool:
        """Return true if the file probably has this format."""

    @abstractmethod
    def read(self, path: Path) -> ShiftAndScale:
        """Read the numbers from a file.

        Raises:
            ValueError, KeyError, OSError: if the file has no such numbers.
        """

    def read_entry(self, path: Path, key: str) -> ShiftAndScale:
        """Read the numbers of one speaker, or of another part of the file.

        Raises:
            ArgumentError: if the format has no parts, or the file no such part.
        """
        raise ArgumentError(f"{path}: holds one set of numbers, so there is no key {key!r}; leave the key out")

    @abstractmethod
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        """Write the numbers to a new file."""


STATISTICS_FORMATS: Registry[StatisticsFormat] = Registry(
    "statistics", "statistics format", StatisticsFormat, settings=False
)
"""Every statistics format by name."""


def finite_numbers(values: Any, what: str) -> NDArray[np.float64]:
    """Numbers from a file, in any nesting, as float64 `(number,)`.

    Raises:
        ValueError: if they are no finite numbers, or too many.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{what} is no list of numbers: its lists have different lengths or depths") from None
    if array.dtype.kind not in "fiu" or not array.size:
        raise ValueError(f"{what} must be numbers")
    if array.size > MOST_NUMBERS:
        raise ValueError(f"{what} has {array.size} numbers, more than {MOST_NUMBERS} bands")
    if max(array.shape, default=1) != array.size:
        raise ValueError(f"{what} has the shape {array.shape}, but must be one number, or one for each band")
    array = array.astype(np.float64).reshape(-1)
    if not np.isfinite(array).all():
        raise ValueError(f"{what} holds NaN or infinity")
    return array
