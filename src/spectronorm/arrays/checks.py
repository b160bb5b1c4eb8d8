"""Checks of what callers pass: floating point, finite, whole and real numbers, flags, names, and values of columns."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays.host import require_dense
from spectronorm.arrays.namespace import Array, is_torch_array, namespace
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.full_scale import MAX_PEAK
from spectronorm.kernels.limits import all_within
from spectronorm.suggestion import choice_of

_MOST_CHANNELS = 64
MAX_SEED = (1 << 63) - 1
"""The largest seed that NumPy and torch both take."""


def require_floats(x: Array, what: str) -> None:
    """Check that `x` holds real floating-point numbers.

    Raises:
        ShapeError: if it does not.
    """
    xp = namespace(x)
    if not xp.isdtype(x.dtype, "real floating"):
        rule, remedy = "floating point", "convert it to float32 or float64 first"
        if what.endswith("wave"):
            rule, remedy = f"{rule} in [-1, 1]", "divide 16-bit integers by 32768 first (spectronorm.read does this)"
        raise ShapeError(f"{what} has dtype {x.dtype}, but must be {rule}: {remedy}")


def require_wave(wave: Array) -> None:
    """Check that `wave` is an array of floating-point samples.

    Raises:
        ShapeError: if it is a path, a pair of samples and sample rate, or anything else, with the remedy.
    """
    if isinstance(wave, str | bytes | PathLike):
        shown = _shown(fspath(wave))
        raise ShapeError(
            f"a wave is an array of samples, not a path: read it first, spectronorm.read({shown}, sample_rate)"
        )
    if isinstance(wave, tuple) and len(wave) == 2:
        raise ShapeError(
            "a wave is an array of samples, but got a tuple of two: pass the samples, without the sample rate"
        )
    if hasattr(wave, "samples") and not hasattr(wave, "dtype"):
        raise ShapeError(f"a wave is an array of samples, not a {type(wave).__name__}: pass its samples")
    if hasattr(wave, "path") and not hasattr(wave, "dtype"):
        raise ShapeError(
            f"a wave is an array of samples, not a {type(wave).__name__}: read it first, "
            "spectronorm.audio.Reader().read(clip, sample_rate).samples"
        )
    require_floats(wave, "a wave")
    require_dense(wave)


def swapped_axes(shape: tuple[int, ...], least: int) -> str:
    """Return the remedy for a wave `(sample, channel)`, or an empty text if the shape does not look like one.

    >>> swapped_axes((16_000, 2), 400)
    'its axes look like (sample, channel), but must be (..., channel, sample): pass wave.T'
    """
    if len(shape) == 2 and shape[-1] <= _MOST_CHANNELS and shape[0] >= least:
        return "its axes look like (sample, channel), but must be (..., channel, sample): pass wave.T"
    return ""


def require_finite(x: Array, what: str) -> None:
    """Check that a NumPy array holds neither NaN nor infinity.

    Torch tensors are not checked: the check would wait for a GPU, and cannot be compiled (`spectronorm.nn` checks them
    where it can).

    Raises:
        ArgumentError: if a value is NaN or infinite.
    """
    if not is_torch_array(x) and not np.isfinite(x).all():
        raise ArgumentError(
            f"{int((~np.isfinite(x)).sum())} values of {what} are NaN or infinite, but every one must be finite; "
            "repair or leave out the clip"
        )


def require_plausible(wave: Array) -> None:
    """Raise `ArgumentError` if a NumPy wave holds integers as floats: peaks above `MAX_PEAK`, and whole or loud.

    A waveform of deviation 1 may peak far higher: a click in silence does.
    """
    if is_torch_array(wave) or not wave.size:
        return
    peak = max(-float(wave.min()), float(wave.max()))
    if peak <= MAX_PEAK:
        return
    with np.errstate(over="ignore"):
        rms = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
    if rms > MAX_PEAK or not (wave % 1).any():
        raise ArgumentError(
            f"the wave peaks at {peak:.6g}, but full scale is 1 (at most {MAX_PEAK:g}): divide samples of 16-bit "
            "integers by 32768 first (spectronorm.read does this)"
        )


def require_clean(wave: Array) -> None:
    """`require_finite` and `require_plausible`, in one pass over memory if both are met."""
    if is_torch_array(wave) or not wave.size:
        return
    if not seen_clean(wave):
        require_finite(wave, "a wave")
        require_plausible(wave)


def seen_clean(wave: NDArray[Any]) -> bool:
    """Return True if one pass over memory shows that samples are finite and plausible; False says nothing."""
    return wave.dtype in (np.float32, np.float64) and wave.flags.c_contiguous and all_within(wave, MAX_PEAK)


def whole_number(value: object, name: str, low: int, high: int | None = None, *, of: str = "") -> int:
    """`value` as a Python int, from a Python or NumPy integer in `low … high`; bools are refused.

    Args:
        value: The number.
        name: The setting's name, for the message.
        low: The least that is allowed.
        high: The most that is allowed; by default there is no limit.
        of: The things counted, such as `samples`, for the message.

    Raises:
        ArgumentError: if the value is something else or out of range.

    >>> whole_number(np.int32(3), "n_mels", 1)
    3
    """
    number = int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else low - 1
    if low <= number and (high is None or number <= high):
        return number
    counted = f"a whole number of {of}" if of else "a whole number"
    rule = f"{counted}, {low} or more" if high is None else f"{counted} in {low} … {high}"
    raise ArgumentError(f"{name}={_shown(value)} must be {rule}")


def set_whole_numbers(
    settings: object, names: Iterable[str], low: int, high: int | None = None, *, of: str = ""
) -> None:
    """Check these fields of a frozen dataclass in its `__post_init__`, and store them as Python ints.

    Raises:
        ArgumentError: see `whole_number`.
    """
    for name in names:
        object.__setattr__(settings, name, whole_number(getattr(settings, name), name, low, high, of=of))


_EXACT_IN_A_FLOAT = 1 << 53


def real_number(value: object, name: str, low: float, high: float, *, of: str = "") -> float:
    """`value` as a plain Python number, from a finite Python or NumPy number in `low … high`; bools are refused.

    A Python int up to 2^53 stays one, so that JSON of settings reads as it was written; arrays have no type for the
    larger ones, which become floats. It is compared before it is converted, since one beyond 1.8e308 has no float.

    Args:
        value: The number.
        name: The setting's name, for the message.
        low: The least that is allowed.
        high: The most that is allowed.
        of: The unit, such as `Hz`, or a remark, for the message.

    Raises:
        ArgumentError: if the value is something else, NaN, or out of range.

    >>> real_number(np.float32(0.5), "p", 0, 1)
    0.5
    """
    numeric = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if numeric and low <= value <= high and math.isfinite(value):  # type: ignore[operator, arg-type]
        if isinstance(value, int | np.integer) and abs(int(value)) <= _EXACT_IN_A_FLOAT:
            return int(value)
        return float(value)  # type: ignore[arg-type]
    raise ArgumentError(f"{name}={_shown(value)} must be a number in {low:g} … {high:g}{of and ' '}{of}")


def set_real_numbers(settings: object, names: Iterable[str], low: float, high: float, *, of: str = "") -> None:
    """Check these fields of a frozen dataclass in its `__post_init__`, and store them as plain Python numbers.

    Raises:
        ArgumentError: see `real_number`.
    """
    for name in names:
        object.__setattr__(settings, name, real_number(getattr(settings, name), name, low, high, of=of))


def set_flags(settings: object, names: Iterable[str]) -> None:
    """Check that these fields of a frozen dataclass are true or false, and store them as Python bools.

    Raises:
        ArgumentError: for anything else: the text "false" would count as true.
    """
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, bool | np.bool_):
            raise ArgumentError(f"{name}={_shown(value)} must be true or false")
        object.__setattr__(settings, name, bool(value))


def require_choice(value: object, name: str, known: Collection[str]) -> None:
    """Raise `ArgumentError` unless `value` is one of these names; a list or object is none, and never an accident."""
    if not isinstance(value, str) or value not in known:
        raise ArgumentError(f"{name}={_shown(value)} must be {choice_of(value, known)}")


def _shown(value: object) -> str:
    """A value for a message: short, whatever a file holds."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 128:
        return f"a whole number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def column_values(name: str, value: object) -> tuple[str, ...]:
    """Return values of the column `name` as text, as sources and groups write them; `value` is one, or a list or array.

    Raises:
        ArgumentError: if there is no value, or a value is neither text nor a number.
    """
    several = not isinstance(value, str | bytes) and isinstance(value, Iterable)
    values = list(value) if several else [value]  # type: ignore[call-overload]
    if not values:
        raise ArgumentError(f"{name}={value!r} names no value; give one, or several in a list")
    for one in values:
        if isinstance(one, bool | np.bool_) or not isinstance(one, str | int | float | np.number):
            raise ArgumentError(f"{name}={one!r} must be text or a number, as the column holds it")
    return tuple(dict.fromkeys(str(one) for one in values))
