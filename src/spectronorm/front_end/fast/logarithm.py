"""Logarithms of compressions in one pass over a block; NumPy takes three to five passes.

`log x = e log 2 + log m` with `m` in [√½, √2), and `log m = 2 atanh(s)` with `s = (m - 1) / (m + 1)`, whose series in
`s²` is a polynomial of degree 6 here, found by interpolation at Chebyshev nodes (relative error 5e-18). Results are
within 3 units in the last place, as NumPy's are. No product and sum are fused, which would take a quarter less time: so
every machine, with numba and without, gives levels of equal bits, and thus a profile of equal integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.compress.compression import Compression, Logarithm
from spectronorm.kernels.elementary import SERIES
from spectronorm.kernels.jit import kernel

_COMMON = (0.30102999566383914, 1.42050232272661e-13, 0.4342944819032518)
"""log10 2 in two parts, the first short enough to be multiplied exactly, and log10 e."""
_NATURAL = (0.693147180559663, 2.8235290563031577e-13, 1.0)


_SMALLEST_SINGLE = 1e-30
"""Least argument of a logarithm in float32: below it, values would be too near to the smallest numbers."""


def compressed(values: NDArray[Any], compress: Compression, power: float) -> NDArray[Any]:
    """Compute `compress(values, power)` for a frame-by-frame compression; `values`, contiguous, may be overwritten.

    The result is float32 for float32 values with a kernel for them, and otherwise float64.
    """
    log = compress.logarithm(power)
    if log is None:
        return compress.of_block(values.astype(np.float64, copy=False), power)
    return logarithm_of(values, log)


def logarithm_of(values: NDArray[Any], log: Logarithm) -> NDArray[Any]:
    """Replace contiguous values by this logarithm of them, and return them; float32 only where it is exact enough."""
    if values.dtype == np.float32 and log.amin + log.offset >= _SMALLEST_SINGLE:
        numbers = log.amin, log.offset, log.factor * (_COMMON[2] if log.common else 1.0), log.shift, log.least
        singles: Any = [np.float32(number) for number in numbers]
        _logarithm_of_singles(values.reshape(-1), *singles)
        return values
    values = values.astype(np.float64, copy=False)
    _logarithm(values.reshape(-1), *logarithm_numbers(log))
    return values


_Numbers = tuple[float, float, float, float, float, float, float, float]


def logarithm_numbers(log: Logarithm) -> _Numbers:
    """Return the arguments of the kernel of float64 after the values."""
    base = _COMMON if log.common else _NATURAL
    # Floats, whatever numbers the settings are: a kernel has one compilation, and 2**64 is not an integer of 64 bits.
    amin, offset, factor, shift, least = map(float, (log.amin, log.offset, log.factor, log.shift, log.least))
    return amin, offset, *base, factor, shift, least


def _logarithm_by_numpy(
    values: NDArray[np.float64],
    amin: float,
    offset: float,
    high: float,
    low: float,
    unit: float,
    factor: float,
    shift: float,
    least: float,
) -> None:
    x = np.maximum(values, amin) + offset
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


@kernel(_logarithm_by_numpy, cache=True, nogil=True, error_model="numpy")
def _logarithm(
    values: NDArray[np.float64],
    amin: float,
    offset: float,
    high: float,
    low: float,
    unit: float,
    factor: float,
    shift: float,
    least: float,
) -> None:
    """Replace the values by `max(log(max(x, amin) + offset) · factor - shift, least)`."""
    a, b, c, d, e, f, g = SERIES
    for i in range(values.size):
        x: Any = (values[i] if values[i] > amin else amin) + offset  # max() takes longer to compile
        bits = np.float64(x).view(np.int64)
        exponent = np.int32((bits - 0x3FE6A09E667F3BCD) >> 52)  # the bits of √½
        m = np.int64(bits - (np.int64(exponent) << 52)).view(np.float64)
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        series = a + z * (b + z * (c + z * (d + z * (e + z * (f + z * g)))))
        level = exponent * high + (exponent * low + unit * (2.0 * s + s * (z * series)))
        level = level * factor - shift
        values[i] = level if level > least else least


LOGARITHM = _logarithm.helper
"""The kernel of float64, for other kernels to call."""


def _logarithm_of_singles_by_numpy(
    values: NDArray[np.float32], amin: float, offset: float, factor: float, shift: float, least: float
) -> None:
    values[:] = np.maximum(np.log(np.maximum(values, amin) + offset) * factor - shift, least)


@kernel(_logarithm_of_singles_by_numpy, cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def _logarithm_of_singles(
    values: NDArray[np.float32], amin: float, offset: float, factor: float, shift: float, least: float
) -> None:
    """Replace float32 values by `max(ln(max(x, amin) + offset) · factor - shift, least)`, in float32."""
    one, two, ln2 = np.float32(1.0), np.float32(2.0), np.float32(0.6931471805599453)
    a, b, c, d = np.float32(2.0 / 3.0), np.float32(0.4), np.float32(2.0 / 7.0), np.float32(2.0 / 9.0)
    for i in range(values.size):
        x: Any = max(values[i], amin) + offset
        bits = np.float32(x).view(np.int32)
        exponent = np.int32((bits - np.int32(0x3F3504F3)) >> np.int32(23))  # the bits of √½
        m = np.int32(bits - (exponent << np.int32(23))).view(np.float32)
        s = (m - one) / (m + one)
        z = s * s
        log = np.float32(exponent) * ln2 + (two * s + s * (z * (a + z * (b + z * (c + z * d)))))
        level: Any = max(log * factor - shift, least)
        values[i] = level
