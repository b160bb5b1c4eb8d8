"""_Numbers that a published system, or another program, fixed once and for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from spectronorm.arrays import require_choice, set_real_numbers, to_host
from spectronorm.errors import ArgumentError
from spectronorm.front_end import AnyFrontEnd
from spectronorm.normalize.fitted_on import FittedOn
from spectronorm.normalize.normalizer import NORMALIZERS, PADDINGS, FittedNormalizer, Normalizer
from spectronorm.profile import Profile

_Numbers = float | tuple[float, ...] | tuple[tuple[float, ...], ...]
"""One number for all bands, for each band, or for each band of each channel."""


_LARGEST = 1e12


@NORMALIZERS.register("fixed")
@dataclass(frozen=True, repr=False)
class Fixed(Normalizer):
    """Map `(level - shift) / (scale · factor)` with given numbers: nothing is measured.

    A model trained with such numbers needs exactly these numbers, whatever the mean of your own data is.

    Args:
        shift: A number, one value for each band `(band,)`, or for each band of each channel `(channel, band)`; for one
            value per channel give `(channel, 1)`. Lists, NumPy arrays and torch tensors are kept as tuples.
        scale: The divisor, in an equal shape or as a number.
        factor: Factor of the scale, such as the 2 of AST's `(level - mean) / (2 · std)`.

    Raises:
        ArgumentError: if `shift` is not in ±1e12, or `scale` or `factor` not in 1e-12 … 1e12.

    >>> Fixed(shift=[-8.0, -6.0], scale=[4.0, 5.0])
    Fixed(shift=(-8.0, -6.0), scale=(4.0, 5.0))
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    needs_data: ClassVar[bool] = False

    shift: _Numbers = field(default=0.0, metadata={"help": "the level that becomes 0"})
    scale: _Numbers = field(default=1.0, metadata={"help": "the number of units of the level that become 1"})
    factor: float = field(default=1.0, metadata={"help": "a factor of the scale"})
    padding: str = field(  # type: ignore[misc]
        default="silence", repr=False, metadata={"help": "value of padding: zero, silence or zero-level"}
    )

    def __post_init__(self) -> None:
        require_choice(self.padding, "padding", PADDINGS)
        for name in ("shift", "scale", "factor"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        set_real_numbers(self, ("factor",), 1.0 / _LARGEST, _LARGEST)
        shift, scale = np.asarray(self.shift), np.asarray(self.scale)
        if not (np.abs(shift) <= _LARGEST).all():
            raise ArgumentError(f"shift={_short(self.shift)} must be in ±{_LARGEST:g}")
        if not ((scale >= 1.0 / _LARGEST) & (scale <= _LARGEST)).all():
            raise ArgumentError(f"scale={_short(self.scale)} must be in {1.0 / _LARGEST:g} … {_LARGEST:g}")

    @classmethod
    def of(
        cls,
        mean: ArrayLike,
        *,
        std: ArrayLike | None = None,
        variance: ArrayLike | None = None,
        inverse_std: ArrayLike | None = None,
        factor: float = 1.0,
    ) -> Fixed:
        """Build the normalizer from a mean and exactly one of std, variance and inverse std, given by keyword.

        Raises:
            ArgumentError: if none or several are given, or a number is invalid.

        >>> Fixed.of([1.0, 2.0], variance=[4.0, 9.0]).scale
        (2.0, 3.0)
        """
        given = {"std": std, "variance": variance, "inverse_std": inverse_std}
        chosen = [name for name, value in given.items() if value is not None]
        if len(chosen) != 1:
            raise ArgumentError(f"give one of std, variance and inverse_std, not {', '.join(chosen) or 'none of them'}")
        name = chosen[0]
        values = np.asarray(_numbers(name, given[name]))
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ArgumentError(f"{name}={_short(given[name])} must be finite and positive")
        scale = {"std": values, "variance": np.sqrt(values), "inverse_std": 1.0 / values}[name]
        return cls(_numbers("mean", mean), _numbers(name, scale), factor)

    @property
    @override
    def one_map(self) -> bool:
        return isinstance(self.shift, float) and isinstance(self.scale, float)

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Return the map for the profile's front end; the profile's numbers are not used."""
        return FittedNormalizer.of(self, profile, self._shift, self._divisor)

    def for_front_end(self, front_end: AnyFrontEnd) -> FittedNormalizer:
        """Return the map without a profile."""
        return FittedNormalizer.with_map(self, front_end, FittedOn(0, 0, ()), self._shift, self._divisor)

    @property
    def _shift(self) -> NDArray[np.float64]:
        return np.asarray(self.shift, dtype=np.float64)

    @property
    def _divisor(self) -> NDArray[np.float64]:
        return np.asarray(self.scale, dtype=np.float64) * self.factor

    def __repr__(self) -> str:
        factor = "" if self.factor == 1.0 else f", factor={self.factor}"
        return f"Fixed(shift={_short(self.shift)}, scale={_short(self.scale)}{factor})"


def _numbers(name: str, values: Any) -> Any:
    """A number as a float, arrays and lists as tuples; raises `ArgumentError` for anything else."""
    if type(values) is float or (isinstance(values, tuple) and values and all(type(one) is float for one in values)):
        return values  # scikit-learn clones only what keeps the very objects that it is given
    try:
        array = np.asarray(to_host(values), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name}={values!r:.200} must be numbers ({error})") from None
    if array.ndim > 2 or not array.size:
        raise ArgumentError(f"{name} of shape {array.shape} must be one number, (band,) or (channel, band)")
    if array.ndim == 2:
        return tuple(tuple(row) for row in array.tolist())
    return tuple(array.tolist()) if array.ndim else float(array)


def _short(values: Any) -> str:
    array = np.asarray(values, dtype=np.float64)
    if array.size <= 4:
        return repr(values)
    return f"<{' × '.join(map(str, array.shape))} values, {array.min():g} … {array.max():g}>"
