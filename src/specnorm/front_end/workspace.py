"""Buffers that are used again, because fresh ones cost page faults."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Workspace:
    """Buffers that a thread uses again for each clip: fresh ones would cost up to 0.4 ms a clip in page faults."""

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
        """An array of this shape, not cleared; it is valid until the next call with this name."""
        size = math.prod(shape)
        key = f"{name} {np.dtype(dtype)}"
        if key not in self._buffers or self._buffers[key].size < size:
            self._buffers[key] = np.empty(size, dtype)
        return self._buffers[key][:size].reshape(shape)
