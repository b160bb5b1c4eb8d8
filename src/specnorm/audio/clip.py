"""One clip: mono samples at a known rate, and how many of them are real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Clip:
    """Mono float32 samples in [-1, 1] at `sample_rate` (Hz); those from `length` on are padding."""

    samples: NDArray[np.float32]
    sample_rate: int
    length: int

    @property
    def valid(self) -> NDArray[np.float32]:
        """The samples without the padding: what statistics may count."""
        return self.samples[: self.length]

    @property
    def seconds(self) -> float:
        """Length without padding, in seconds."""
        return self.length / self.sample_rate
