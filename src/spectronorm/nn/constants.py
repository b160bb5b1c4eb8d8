"""Buffers that keep their precision, for the constants of front ends and normalizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Constants(nn.Module):
    """Module whose constants move with `.to(device)` but stay float64 through `.half()` and `.float()`.

    The constants are cast to the dtype of the arithmetic where they are used. A window in float16 would be wrong by
    1e-3, and statistics in float32 would not restore the original pipeline. On devices without float64 (Apple's MPS)
    they are float32.
    """

    def __init__(self) -> None:
        super().__init__()
        self._constants: set[str] = set()

    def register_constant(self, name: str, values: NDArray[Any], *, persistent: bool) -> None:
        """Register NumPy `values` as a float64 buffer; a persistent one is in the `state_dict`."""
        self.register_buffer(name, torch.from_numpy(np.array(values, dtype=np.float64)), persistent=persistent)
        self._constants.add(name)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # Every .to, .half, .cuda … passes through here; its device is applied, its dtype is not.
        exact = {name: self.get_buffer(name) for name in self._constants}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, values in exact.items():
            device = self.get_buffer(name).device
            dtype = torch.float32 if device.type == "mps" else values.dtype
            setattr(self, name, values.to(device, dtype))
        return self


def settings_tensor(text: str) -> Tensor:
    """Encode text as bytes in a tensor, which every checkpoint format can hold."""
    return torch.tensor(list(text.encode()), dtype=torch.uint8)


def settings_text(state: Tensor) -> str:
    """Decode the text of `settings_tensor`."""
    return bytes(state.tolist()).decode()
