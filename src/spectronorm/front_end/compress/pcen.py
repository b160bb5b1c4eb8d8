"""Per-channel energy normalization: a smoothed automatic gain, then a root."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Array, namespace, set_real_numbers, smooth
from spectronorm.errors import ArgumentError
from spectronorm.front_end.compress.compression import COMPRESSIONS, Compression
from spectronorm.front_end.compress.grid import Grid
from spectronorm.kernels.elementary import pcen_of

_NEWTON_STEPS = 30
_LARGEST = 1e12  # the largest value, before `scale`, that the grid has room for


@COMPRESSIONS.register("pcen")
@dataclass(frozen=True)
class PCEN(Compression):
    """`(E / (eps + M)^gain + bias)^exponent - bias^exponent`, equal to `librosa.pcen`; M is E smoothed over frames.

    E is the band's value times `scale`: PCEN is made for the range of 32-bit integers, hence 2^31. M starts at 1 and
    follows `M[t] = (1 - b) M[t-1] + b E[t]`. The defaults are those of Wang, Getreuer, Hughes, Lyon and Saurous
    (Trainable frontend for robust and far-field keyword spotting, 2017) for a smoothing of 40 frames; librosa derives
    `b` from a time constant (`PCEN.smoothing`). A level depends on the frames before it, not on those after.

    Raises:
        ArgumentError: if a parameter leaves its range: `b` in 1e-6 … 1, `exponent` in 0.001 … 1, `gain` at
            least 0 and below 1, `bias`, `eps` and `scale` in 1e-12 … 1e12.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40), compress=sn.PCEN())
    >>> level = front_end(0.1 * np.random.default_rng(0).standard_normal(16_000))
    >>> level.shape, bool(level.min() >= -(2**0.5)), front_end.unit
    ((40, 81), True, 'PCEN')
    """

    unit: ClassVar[str] = "PCEN"

    b: float = field(default=0.025, metadata={"help": "coefficient of the smoother"})
    gain: float = field(default=0.98, metadata={"help": "strength of the compression"})
    bias: float = field(default=2.0, metadata={"help": "added before the root"})
    exponent: float = field(default=0.5, metadata={"help": "exponent of the compression"})
    eps: float = field(default=1e-6, metadata={"help": "added to the smoothed energy"})
    scale: float = field(default=2.0**31, metadata={"help": "factor applied to every value"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("b",), 1e-6, 1)
        set_real_numbers(self, ("exponent",), 0.001, 1)
        set_real_numbers(self, ("gain",), 0, 1)
        if self.gain == 1:
            raise ArgumentError(f"gain={self.gain} must be at least 0 and below 1")
        set_real_numbers(self, ("bias", "eps", "scale"), 1e-12, 1e12)

    @staticmethod
    def smoothing(time_constant: float, sample_rate: int, hop_length: int) -> float:
        """Return the `b` of a time constant in seconds, as librosa derives it.

        Raises:
            ArgumentError: if the time constant is not positive.

        >>> round(PCEN.smoothing(0.4, 22050, 512), 4)
        0.0564
        """
        if not 0 < time_constant < math.inf:
            raise ArgumentError(f"time_constant={time_constant} must be a positive number of seconds, such as 0.4")
        frames = time_constant * sample_rate / hop_length
        return (math.sqrt(1.0 + 4.0 * frames**2) - 1.0) / (2.0 * frames**2)

    @property
    @override
    def framewise(self) -> bool:
        return False  # the smoother remembers

    @property
    @override
    def causal(self) -> bool:
        return True

    @override
    def __call__(self, values: Array, power: float) -> Array:
        return self.stream(values, power)[0]

    @override
    def stream(self, values: Array, power: float, state: Array | None = None) -> tuple[Array, Array]:
        """Return the level of one piece of a stream, and the smoother's state for the next piece.

        Args:
            values: Band values `(..., band, frame)`, at least one frame.
            power: Exponent of the magnitudes in the values; PCEN takes the values as they are.
            state: M of the previous frame, `(..., band, 1)`, as returned for the previous piece, or None at the start.
        """
        xp = namespace(values)
        energy = values * self.scale
        smoothed = smooth(energy, self.b, xp.ones_like(energy[..., :1]) if state is None else state)
        quotient = energy * xp.exp(-self.gain * (math.log(self.eps) + xp.log1p(smoothed / self.eps)))
        level = self.bias**self.exponent * xp.expm1(self.exponent * xp.log1p(quotient / self.bias))
        return level, smoothed[..., -1:]

    @override
    def of_next_block(
        self, values: NDArray[np.float64], power: float, state: Array | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        smoothed = np.ones(len(values)) if state is None else np.asarray(state, np.float64).reshape(-1).copy()
        shape = (float(self.scale), float(self.bias), float(self.exponent))
        pcen_of(values, smoothed, (float(self.b), float(self.eps)), float(self.gain), shape)
        return values, smoothed[:, None]

    @override
    def inverse(self, level: Array, power: float) -> Array:
        """Return the values, frame by frame from the first, since each needs the smoother's state before it.

        Each frame solves `ln E = ln q + gain ln(eps + (1 - b) M + b E)` for `ln E` by Newton's method from below; the
        difference of both sides is increasing and concave, so every step stays below the solution and approaches it.
        """
        xp = namespace(level)
        quotient = self.bias * xp.expm1(xp.log1p(level / self.bias**self.exponent) / self.exponent)
        state, frames = xp.ones_like(level[..., 0]), []
        for t in range(level.shape[-1]):
            some = quotient[..., t] > 0
            log_q = xp.log(xp.where(some, quotient[..., t], xp.ones_like(state)))
            rest = self.eps + (1.0 - self.b) * state
            log_energy = log_q + self.gain * xp.log(rest)
            for _ in range(_NEWTON_STEPS):
                part = self.b * xp.exp(log_energy)
                missing = log_energy - log_q - self.gain * xp.log(rest + part)
                log_energy = log_energy - missing / (1.0 - self.gain * part / (rest + part))
            energy = xp.where(some, xp.exp(log_energy), xp.zeros_like(state))
            state = (1.0 - self.b) * state + self.b * energy
            frames.append(energy / self.scale)
        return xp.stack(frames, axis=-1)

    @override
    def grid(self, power: float) -> Grid:
        """Return a grid from zero to the level of a full-scale burst after silence."""
        quotient = (_LARGEST * self.scale) ** (1.0 - self.gain) * self.b**-self.gain
        return Grid.up_to((quotient + self.bias) ** self.exponent - self.bias**self.exponent)
