"""Batches of waveforms on the CPU by the compiled kernels: the fast path behind `Spectrogram` and `Preprocess`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from spectronorm.front_end import FrontEnd
from spectronorm.front_end.fast.mapped import BandMap, mapped_levels


def unchanged(front_end: FrontEnd, dtype: torch.dtype) -> BandMap:
    """Return the map that leaves a level as it is, with silence in the padding."""
    number = torch.empty(0, dtype=dtype).numpy().dtype
    return BandMap.unchanged(front_end.level_shape[-1], number, front_end.floor)


def mapped_tensors(front_end: FrontEnd, waves: Tensor, lengths: Tensor | None, band_map: BandMap) -> Tensor:
    """Compute mapped levels `(..., band, frame)` of float32 or float64 waveforms `(..., sample)`, in their dtype.

    There is no gradient.
    """
    clips = waves.detach().resolve_neg().reshape(math.prod(waves.shape[:-1]), waves.shape[-1]).numpy()
    ends = None if lengths is None else lengths.reshape(-1).tolist()
    levels = mapped_levels(front_end.kernels, clips, ends, band_map, torch.get_num_threads())
    return torch.from_numpy(levels).reshape(*waves.shape[:-1], *levels.shape[1:])
