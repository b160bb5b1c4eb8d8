"""Pre-emphasis of the whole waveform: a first difference that lifts high frequencies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Array, namespace, require_choice, set_real_numbers
from spectronorm.front_end.waveform.streams import WaveformStream
from spectronorm.front_end.waveform.waveform_level import WAVEFORM_LEVELS, WaveformLevel
from spectronorm.kernels.jit import kernel
from spectronorm.short_repr import with_bounded_repr

FIRST = ("extrapolate", "keep", "drop")


@WAVEFORM_LEVELS.register("pre_emphasis")
@with_bounded_repr
@dataclass(frozen=True)
class PreEmphasis(WaveformLevel):
    """Filters the waveform: `y[t] = x[t] - coefficient · x[t-1]`.

    `first` determines the first sample, which has no predecessor: `extrapolate` adds `2 x[0] - x[1]`, as
    librosa.effects.preemphasis does; `keep` leaves it unchanged, as torchaudio.functional.preemphasis does; and `drop`
    leaves it out, so that the waveform gets shorter by one (PaSST).

    Raises:
        ArgumentError: if `coefficient` is not in 0 … 1 or `first` is unknown.

    >>> import numpy as np
    >>> PreEmphasis(0.5)(np.array([1.0, 1.0, 1.0, 2.0]), 16_000)
    array([2. , 0.5, 0.5, 1.5])
    """

    coefficient: float = field(default=0.97, metadata={"help": "share of the previous sample that is subtracted"})
    first: str = field(default="extrapolate", metadata={"help": "first sample: extrapolate, keep or drop"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("coefficient",), 0, 1)
        require_choice(self.first, "first", FIRST)

    @override
    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        rest = wave[..., 1:] - self.coefficient * wave[..., :-1]
        if self.first == "drop":
            return rest
        head = wave[..., :1]
        if self.first == "extrapolate":
            head = 3.0 * head - wave[..., 1:2]
        return namespace(wave).concat([head, rest], axis=-1)

    @override
    def write(self, samples: NDArray[Any], sample_rate: int, out: NDArray[np.floating[Any]]) -> None:
        _difference(samples, float(self.coefficient), out)
        if self.first == "extrapolate":
            out[0] = 3.0 * float(samples[0]) - float(samples[1])
        elif self.first == "keep":
            out[0] = samples[0]

    @override
    def stream(self) -> WaveformStream:
        return _Differences(self)

    @override
    def min_samples(self, sample_rate: int) -> int:
        return 2  # the difference needs a neighbour

    @property
    @override
    def shortens(self) -> int:
        return int(self.first == "drop")


class _Differences:
    """Differences of a waveform in pieces, which remember one sample."""

    def __init__(self, level: PreEmphasis) -> None:
        self._level, self._last, self._begun = level, np.empty(0), False

    def add(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Return the differences; the first one waits for the second sample."""
        known = np.concatenate([self._last, samples.astype(np.float64)])
        if len(known) < 2:
            self._last = known
            return np.empty(0)
        self._last = known[-1:]
        level = self._level if not self._begun else PreEmphasis(self._level.coefficient, "drop")
        self._begun = True
        return np.asarray(level(known))

    def flush(self) -> NDArray[np.float64]:
        """Return nothing."""
        return np.empty(0)


def _difference_by_numpy(samples: NDArray[Any], coefficient: float, out: NDArray[np.floating[Any]]) -> None:
    exact = samples.astype(np.float64)
    out[len(out) - len(samples) + 1 :] = exact[1:] - coefficient * exact[:-1]


@kernel(_difference_by_numpy, cache=True, nogil=True)
def _difference(samples: NDArray[Any], coefficient: float, out: NDArray[np.floating[Any]]) -> None:
    """Write `x[t] - coefficient · x[t-1]`; without room for a first sample, the second is the first one written."""
    # Unsigned numbers are no places that count from the end; the check for those keeps a compiler from using lanes.
    first, one = np.uintp(out.size - samples.size + 1), np.uintp(1)
    for t in range(np.uintp(samples.size - 1)):
        out[first + t] = np.float64(samples[t + one]) - coefficient * np.float64(samples[t])
