"""Padding: clips of different lengths in one batch, each computed as if it were alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import Tensor

from spectronorm.arrays import is_traced
from spectronorm.errors import ArgumentError
from spectronorm.front_end import STFT


def valid_mask(lengths: Tensor, longest: int) -> Tensor:
    """Boolean mask `(..., longest)`, true for the first `lengths` `(...)` entries."""
    return torch.arange(longest, device=lengths.device) < lengths.unsqueeze(-1)


def takes_valid(function: Callable[..., object]) -> bool:
    """True if a waveform level or clip normalizer can exclude padding by a mask."""
    return "valid" in inspect.signature(function).parameters


def clip_by_clip(function: Callable[[Tensor], Tensor], x: Tensor, lengths: Tensor, what: object) -> Tensor:
    """Apply `function` to each clip cut to its length (last axis), and pad with zeros again.

    Args:
        function: Function of one clip.
        x: The padded clips.
        lengths: Length of each clip.
        what: Object behind the function, for the message.

    Raises:
        ArgumentError: while compiling or exporting, since a graph cannot cut at lengths that it does not know.
    """
    if is_traced():
        raise ArgumentError(
            f"{what} goes through padded clips one by one, which cannot be compiled or exported; "
            "leave lengths out, or choose settings that work on whole batches"
        )
    clips = x.reshape(-1, *x.shape[lengths.ndim :])
    out = []
    for clip, length in zip(clips, lengths.reshape(-1).tolist(), strict=True):
        out.append(torch.nn.functional.pad(function(clip[..., :length]), (0, x.shape[-1] - length)))
    return torch.stack(out).reshape(*x.shape[:-1], -1)


def padded_at_ends(stft: STFT, wave: Tensor, lengths: Tensor) -> Tensor:
    """Apply `stft.padded` with the right padding placed at the end of each clip: `(..., sample)`.

    `wave` must be zero beyond `lengths` `(...)`, and each clip longer than the padding.
    """
    front, p = stft.padding, stft.padding_behind
    if p == 0:
        return torch.as_tensor(stft.padded(wave))
    # The right padding depends only on the last p + 1 samples: take those, pad them, and keep the added part.
    steps = torch.arange(p + 1, device=wave.device)
    last = torch.gather(wave, -1, (lengths.unsqueeze(-1) - (p + 1) + steps).clamp(min=0))
    right = stft.padded(last)[..., -p:]
    whole = torch.nn.functional.pad(stft.padded(wave)[..., : -p or None], (0, p))
    return whole.scatter(-1, lengths.unsqueeze(-1) + front + steps[:p], right)
