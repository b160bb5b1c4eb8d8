"""Checks of a waveform, its sample rate and its lengths, with one clear error for each fault.

The axes of tensors are always checked. Their values (finite, lengths in range) are checked if a module runs eagerly; a
compiled or exported graph cannot raise.
"""

from __future__ import annotations

from os import PathLike

import torch
from torch import Tensor

from spectronorm.arrays import (
    has_values,
    require_dense,
    require_floats,
    require_plausible,
    require_wave,
    seen_clean,
    swapped_axes,
)
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end import FrontEnd


def check_wave(wave: Tensor, front_end: FrontEnd, sample_rate: int | None) -> None:
    """Check that the front end can take this waveform.

    Raises:
        ShapeError: if the waveform has a wrong type or shape, or is too short.
        ArgumentError: if the sample rate is not the front end's.
    """
    if isinstance(wave, str | PathLike):
        require_wave(wave)
    if not isinstance(wave, Tensor):
        raise ShapeError(f"got {type(wave).__name__}; the module takes a torch tensor: use torch.from_numpy first")
    require_floats(wave, "a wave")
    require_dense(wave)
    if wave.ndim < 1:
        raise ShapeError("a wave is (..., sample), but got a tensor without axes; pass a tensor of samples")
    if wave.shape[-1] < front_end.min_samples:
        axes = swapped_axes(tuple(wave.shape), front_end.min_samples)
        raise ShapeError(
            f"a wave of shape {tuple(wave.shape)} has {wave.shape[-1]} samples on its last axis, but one window takes "
            f"{front_end.min_samples}; "
            f"{axes or 'pad it, and check that its axes are (..., sample)'}"
        )
    front_end.require_sample_rate(sample_rate)


def check_finite(wave: Tensor) -> None:
    """Check that a waveform (with its padding set to zero) is finite.

    Raises:
        ArgumentError: if a sample is NaN or infinite.
    """
    on_host = wave.device.type == "cpu" and wave.dtype in (torch.float32, torch.float64)
    if on_host and has_values(wave) and seen_clean(wave.detach().resolve_neg().numpy()):
        return
    # The sum is not finite if any sample is not, and takes one pass without memory.
    if has_values(wave) and wave.numel() and not torch.isfinite(wave.detach().sum()):
        bad = int((~torch.isfinite(wave)).sum())
        if bad:
            raise ArgumentError(
                f"{counted(bad, 'sample of the wave is', 'samples of the wave are')} NaN or infinite, "
                f"but every sample must be finite; "
                "repair or leave out the clip"
            )
    if has_values(wave) and wave.numel() and wave.device.type == "cpu":
        require_plausible(wave.detach().to(torch.promote_types(wave.dtype, torch.float32)).resolve_neg().numpy())


def expand_lengths(lengths: Tensor, like: Tensor, axes: int, shortest: int, unit: str) -> Tensor:
    """Return lengths as int64 on the device of `like`, one for each clip.

    Args:
        lengths: Whole numbers, in the shape of the input's leading axes: `(batch,)` for `(batch, channel, sample)`.
        like: The padded clips; lengths count along their last axis.
        axes: Number of axes of a clip: 1 for waveforms, 2 for levels.
        shortest: Smallest length of a clip.
        unit: Name of the counted unit, for the message.

    Raises:
        ShapeError: if the lengths are not whole numbers, have the wrong shape, or are out of range.
    """
    if not isinstance(lengths, Tensor) or lengths.is_floating_point() or lengths.is_complex():
        kind = lengths.dtype if isinstance(lengths, Tensor) else type(lengths).__name__
        raise ShapeError(
            f"lengths are {kind}, but must be a tensor of whole numbers: one count of {unit} for each clip"
        )
    clips, longest = like.shape[:-axes], like.shape[-1]
    if lengths.shape != clips[: lengths.ndim]:
        raise ShapeError(
            f"lengths of shape {tuple(lengths.shape)} do not fit clips of shape {tuple(clips)}: "
            f"give one count of {unit} for each entry of the leading axes"
        )
    if has_values(lengths) and lengths.numel():
        low, high = int(lengths.min()), int(lengths.max())
        if high > longest:
            raise ShapeError(f"lengths reach {high} {unit}, but the batch holds {longest}; pad it to the longest clip")
        if low < shortest:
            raise ShapeError(
                f"lengths go down to {low} {unit}, but a clip needs at least {shortest}; leave such clips out"
            )
    full = lengths.to(like.device, torch.int64).reshape(*lengths.shape, *[1] * (len(clips) - lengths.ndim))
    return full.expand(clips)
