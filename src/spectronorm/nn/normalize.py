"""Level to tensor as a torch module, optionally with a mean and scale that train."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spectronorm.arrays import Affine, require_floats, to_host, working
from spectronorm.errors import ArgumentError
from spectronorm.front_end import any_from_json
from spectronorm.nn.batches import BandMap
from spectronorm.nn.checks import expand_lengths, readable
from spectronorm.nn.constants import Constants, settings_tensor, settings_text
from spectronorm.nn.padding import clip_by_clip, takes_valid, valid_mask
from spectronorm.normalize import FittedNormalizer
from spectronorm.normalize.normalizer import require_level


class Normalize(Constants):
    """`Normalize(normalizer)(level)` is the fitted normalizer on levels `(..., band, frame)`.

    The numbers of a normalizer over a data set are the buffers `shift` and `scale`, in the `state_dict`. With
    `trainable` they stay, and two parameters learn a correction that starts at zero: `offset`, in scales, and
    `log_scale`, so that `x = ((level - shift) / scale - offset) / exp(log_scale)`. A learning rate then means the same
    for every front end, and no scale can become zero or negative.

    Raises:
        ArgumentError: when `trainable` is asked of a normalizer that finds a map for each clip.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, normalizer: FittedNormalizer, *, trainable: bool = False) -> None:
        super().__init__()
        self.fitted = normalizer
        self._bands = normalizer.front_end.n_bands
        self._level_shape = normalizer.front_end.level_shape
        self._clipwise: Any = None
        self.offset: nn.Parameter | None = None
        self.log_scale: nn.Parameter | None = None
        if normalizer.normalizer.maps_clips:
            self._clipwise = normalizer.normalizer
            self._masks_level = takes_valid(self._clipwise.clip_affine)
        if normalizer.affine is None:
            if trainable:
                raise ArgumentError(
                    f"{normalizer.normalizer} has no mean and scale to train: it finds them in each clip; "
                    "use one that is fitted to the data set, such as Standardize"
                )
            return
        self.register_constant("shift", normalizer.affine.shift, persistent=True)
        self.register_constant("scale", normalizer.affine.scale, persistent=True)
        if trainable:
            self.offset = nn.Parameter(torch.zeros(self.shift.shape))
            self.log_scale = nn.Parameter(torch.zeros(self.scale.shape))

    def forward(self, level: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The normalized level `(..., band, frame)`, in the dtype of `level`.

        Args:
            level: `(..., band, frame)`.
            lengths: How many frames of each clip are real (`Spectrogram.frames` of the samples), in the shape of the
                leading axes. Frames beyond are never counted, and exactly zero in the result.

        Raises:
            ShapeError: when `level` has other bands than the front end, or lengths do not fit.
        """
        return self.normalized(level, lengths, overwrite=False)

    def normalized(self, level: Tensor, lengths: Tensor | None, *, overwrite: bool) -> Tensor:
        """`forward`, which may use the memory of `level` if nobody else needs it: a fresh batch costs a page fault."""
        require_floats(level, "a level")
        require_level(level, self.fitted.front_end)
        x: Tensor = working(level)
        if lengths is None:
            if overwrite and self._clipwise is None and self.offset is None and not x.requires_grad and readable(x):
                x.sub_(self.shift.to(x.dtype)).div_(self.scale.to(x.dtype))
                return x.to(level.dtype)
            return self._by_data_set(self._by_clip(x)).to(level.dtype)
        lengths = expand_lengths(lengths, level, len(self._level_shape) + 1, 0, "frames")
        valid = valid_mask(lengths, level.shape[-1])[(..., *[None] * len(self._level_shape), slice(None))]
        # Masked first as well, so that whatever stands in the padding cannot reach a gradient as NaN.
        x = x.masked_fill(~valid, 0.0)
        if self._clipwise is not None and not self._masks_level:
            x = clip_by_clip(self._by_clip, x, lengths, what=self._clipwise)
        elif self._clipwise is not None:
            x = self._clipwise.clip_affine(x, valid=valid)(x)
        return self._by_data_set(x).masked_fill(~valid, 0.0).to(level.dtype)

    def band_map(self, dtype: torch.dtype) -> BandMap | None:
        """What this does to a level, when that is one map of each band whose numbers can be read and do not train."""
        if self._clipwise is not None or self.fitted.affine is None or self.offset is not None:
            return None
        if len(self._level_shape) > 1:
            return None
        numbers = (self.shift, self.scale)
        if not all(one.device.type == "cpu" and not one.requires_grad and readable(one) for one in numbers):
            return None
        shift, scale = (one.to(dtype).numpy().ravel() for one in numbers)
        if not {shift.size, scale.size} <= {1, self._bands}:
            return None
        return BandMap(np.resize(shift, self._bands), np.resize(scale, self._bands), 0.0)

    def _by_clip(self, level: Tensor) -> Tensor:
        """By the map that each clip has of its own, if there is one."""
        if self._clipwise is None:
            return level
        x: Tensor = self._clipwise.clip_affine(level)(level)
        return x

    def _by_data_set(self, level: Tensor) -> Tensor:
        """By the map of the data set, if there is one, as fitted and as trained."""
        if self.fitted.affine is None:
            return level
        x = (level - self.shift.to(level.dtype)).div_(self.scale.to(level.dtype))
        if self.offset is None or self.log_scale is None:
            return x
        trained: Tensor = (x - self.offset.to(level.dtype)) * torch.exp(-self.log_scale.to(level.dtype))
        return trained

    def inverse(self, x: Tensor) -> Tensor:
        """The level again, as it was but for rounding.

        Raises:
            ArgumentError: when each clip has a map of its own; `FittedNormalizer.inverse` takes that map.
        """
        if self._clipwise is not None:
            raise ArgumentError(
                f"{self.fitted.normalizer} gives each clip a map of its own: use FittedNormalizer.inverse with what "
                "affine_of(level) gave"
            )
        y = working(x)
        if self.offset is not None and self.log_scale is not None:
            y = y * torch.exp(self.log_scale.to(y.dtype)) + self.offset.to(y.dtype)
        level: Tensor = y * self.scale.to(y.dtype) + self.shift.to(y.dtype)
        return level.to(x.dtype)

    def normalizer(self) -> FittedNormalizer:
        """The fitted normalizer with the numbers that this module has now: loaded, trained or as they came."""
        if self.fitted.affine is None:
            return self.fitted
        shift, scale = self.shift.double(), self.scale.double()
        if self.offset is not None and self.log_scale is not None:
            shift, scale = shift + scale * self.offset.double(), scale * torch.exp(self.log_scale.double())
        return replace(self.fitted, affine=Affine(to_host(shift), to_host(scale)))

    def get_extra_state(self) -> Tensor:
        """The front end that the numbers were measured with."""
        return settings_tensor(self.fitted.front_end.to_json())

    def set_extra_state(self, state: Tensor) -> None:
        """Raise `FrontEndMismatch` when a checkpoint's numbers were measured with another front end."""
        self.fitted.front_end.require_same(any_from_json(settings_text(state)), "the checkpoint")

    def extra_repr(self) -> str:
        """The normalizer, and whether it trains."""
        return f"{self.fitted.normalizer}, trainable={self.offset is not None}"
