"""Logarithms of compressions in one pass over a block; NumPy takes three to five passes.

`log x = e log 2 + log m` with `m` in [√½, √2), and `log m = 2 atanh(s)` with `s = (m - 1) / (m + 1)`, whose series in
`s²` is a polynomial of degree 6 here, found by interpolation at Chebyshev nodes (relative error 5e-18). Results are
within 3 units in the last place, as NumPy's are. No product and sum are fused, which would take a quarter less time: so
every machine, with numba and without, gives levels of equal bits, and thus a profile of equal integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spectronorm.front_end.compress.compression import Compression, Logarithm
from spectronorm.kernels.elementary import SERIES
from spectronorm.kernels.jit import kernel_of_module

_COMMON = (0.30102999566383914, 1.42050232272661e-13, 0.4342944819032518)
"""log10 2 in two parts, the first short enough to be multiplied exactly, and log10 e."""
_NATURAL = (0.693147180559663, 2.8235290563031577e-13, 1.0)

_Numbers = tuple[float, float, float, float, float, float, float, float]
_VECTOR_BYTES = 64
_SMALLEST_SINGLE = 1e-30
"""Least argument of a logarithm in float32: below it, values would be too near to the smallest numbers."""


def compressed(values: NDArray[Any], compress: Compression, power: float) -> NDArray[Any]:
    """Compute `compress(values, power)` for a frame-by-frame compression; `values`, contiguous, may be overwritten.

    The result is float32 for float32 values with a kernel for them, and otherwise float64.
    """
    log = compress.logarithm(power)
    if log is None:
        return compress.of_block(values.astype(np.float64, copy=False), power)
    return LogarithmInPlace(log)(values)


class LogarithmInPlace:
    """Replaces contiguous values by a logarithm of them, and returns them; float32 only where it is exact enough."""

    def __init__(self, log: Logarithm) -> None:
        self._doubles, self._singles = logarithm_numbers(log), _single_numbers(log)
        self._exact_enough = log.amin + log.offset >= _SMALLEST_SINGLE

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the logarithms: in `values`, unless these are float32 and those are not exact enough."""
        values, arguments = self._exact(values)
        flat, width = values.reshape(-1), _VECTOR_BYTES // values.itemsize
        rest = flat.size % width
        logarithm(flat[: flat.size - rest] if rest else flat, arguments)
        if rest:
            last = np.ones(width, values.dtype)
            last[:rest] = flat[-rest:]
            logarithm(last, arguments)
            flat[-rest:] = last[:rest]
        return values

    def write(self, values: NDArray[Any], count: int, into: NDArray[np.floating[Any]], start: int) -> None:
        """Write the logarithms of the first `count` columns into columns from `start` on.

        Both arrays are `(band, frame)` and contiguous; `values`, whose rows are whole vectors, may be overwritten.
        """
        values, arguments = self._exact(values)
        flat, columns = values.reshape(-1), values.shape[1]
        written_logarithm(flat, columns, count, arguments, into.reshape(-1), into.shape[1], start)

    def dtype_of(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the dtype in which logarithms of values of a dtype are computed."""
        return np.dtype(np.float32 if dtype == np.float32 and self._exact_enough else np.float64)

    def _exact(self, values: NDArray[Any]) -> tuple[NDArray[Any], _Numbers]:
        dtype = self.dtype_of(values.dtype)
        return values.astype(dtype, copy=False), self._singles if dtype == np.float32 else self._doubles


def logarithm_numbers(log: Logarithm) -> _Numbers:
    """Return the arguments of the kernel of float64 after the values."""
    base = _COMMON if log.common else _NATURAL
    # Floats, whatever numbers the settings are: a kernel has one compilation, and 2**64 is not an integer of 64 bits.
    amin, offset, factor, shift, least = map(float, (log.amin, log.offset, log.factor, log.shift, log.least))
    return amin, offset, *base, factor, shift, least


def _single_numbers(log: Logarithm) -> _Numbers:
    """Return the arguments of the kernel of float32 after the values: a logarithm's step from one exponent to the next.

    The parts of log 2 that float64 needs are not used.
    """
    factor = float(log.factor) * (_COMMON[2] if log.common else 1.0)
    numbers = log.amin, log.offset, 0.0, 0.0, factor * _NATURAL[0], factor, log.shift, log.least
    singles: Any = tuple(np.float32(number) for number in numbers)
    return singles  # type: ignore[no-any-return]


def _logarithm_by_numpy(values: NDArray[Any], arguments: _Numbers) -> None:
    amin, offset, high, low, unit, factor, shift, least = arguments
    x = np.maximum(values, amin) + offset
    if values.dtype == np.float32:
        np.maximum(np.log(x) * factor - shift, least, out=values)
        return
    bits = x.view(np.int64)
    exponent = (bits - 0x3FE6A09E667F3BCD) >> 52
    m = (bits - (exponent << 52)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = np.full_like(z, SERIES[-1])
    for term in SERIES[-2::-1]:
        series = term + z * series
    level = exponent * high + (exponent * low + unit * (2.0 * s + s * (z * series)))
    np.maximum(level * factor - shift, least, out=values)


logarithm = kernel_of_module("spectronorm.kernels.logarithm_in_lanes", "logarithm_in_lanes", _logarithm_by_numpy)
"""Replace values by `max(log(max(x, amin) + offset) · factor - shift, least)`: whole vectors of float64 or float32.
"""


def _write_by_numpy(
    values: NDArray[Any],
    columns: int,
    count: int,
    arguments: _Numbers,
    into: NDArray[np.floating[Any]],
    frames: int,
    start: int,
) -> None:
    _logarithm_by_numpy(values, arguments)
    into.reshape(-1, frames)[:, start : start + count] = values.reshape(-1, columns)[:, :count]


written_logarithm = kernel_of_module("spectronorm.kernels.logarithm_in_lanes", "write_logarithm", _write_by_numpy)
"""Write the logarithms of a block of rows to other rows, which saves a pass over memory."""
