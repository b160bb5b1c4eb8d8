"""Normalization of levels as a torch module, optionally with a trainable mean and scale."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spectronorm.arrays import Affine, has_values, require_floats, to_host, working
from spectronorm.errors import ArgumentError
from spectronorm.front_end import Levels, any_from_json
from spectronorm.front_end.fast.mapped import BandMap
from spectronorm.nn.checks import expand_lengths
from spectronorm.nn.constants import Constants, settings_tensor, settings_text
from spectronorm.nn.padding import clip_by_clip, takes_valid, valid_mask
from spectronorm.normalize import FittedNormalizer
from spectronorm.normalize.normalizer import PADDINGS, require_level
from spectronorm.pipeline import require_fitted
from spectronorm.suggestion import known_settings


def _padding(normalizer: FittedNormalizer, padding: str | float | None) -> str | float:
    """Return the value of padded frames: a number, `silence` or `zero-level`."""
    known = normalizer.normalizer.padding if padding is None else padding
    if known == "zero":
        return 0.0
    if known not in PADDINGS and (isinstance(known, str) or not np.isfinite(known)):
        raise ArgumentError(f"padding={padding!r} must be a number or one of {', '.join(PADDINGS)}")
    if isinstance(known, str) and normalizer.normalizer.maps_clips:
        raise ArgumentError(
            f"padding={padding!r} needs one map for all clips; give a number for {normalizer.normalizer}"
        )
    return known


@known_settings
class Normalize(Constants):
    """Module form of a fitted normalizer: `Normalize(normalizer)(level)` maps levels `(..., band, frame)`.

    The statistics of a data set are the buffers `shift` and `scale`, in the `state_dict`. With `trainable` they stay
    fixed, and two parameters learn a correction that starts at zero: `offset`, in units of the scale, and `log_scale`,
    so that `x = ((level - shift) / scale - offset) / exp(log_scale)`. A learning rate then has one meaning for every
    front end, and no scale can become zero or negative.

    Raises:
        ArgumentError: if `trainable` is set for a normalizer that finds a map for each clip.

    >>> import spectronorm as sn, torch
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> module = Normalize(sn.Fixed(-40.0, 20.0).for_front_end(front_end))
    >>> module(torch.full((2, 40, 3), -20.0)).unique()
    tensor([1.])
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self, normalizer: FittedNormalizer, *, trainable: bool = False, padding: str | float | None = None
    ) -> None:
        super().__init__()
        normalizer = require_fitted(normalizer, "Normalize")
        self.padding = _padding(normalizer, padding)
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
        """Return the normalized level `(..., band, frame)`, in the dtype of `level`.

        Args:
            level: Levels `(..., band, frame)`.
            lengths: Number of valid frames in each clip (`Spectrogram.frames` of the samples), in the shape of the
                leading axes. Frames beyond are never counted, and exactly zero in the result.

        Raises:
            ShapeError: if the number of bands is not the front end's, or if lengths do not fit.
        """
        return self.normalized(level, lengths, overwrite=False)

    def normalized(self, level: Tensor, lengths: Tensor | None, *, overwrite: bool) -> Tensor:
        """`forward`, which with `overwrite` may reuse the memory of `level`: a new batch costs page faults."""
        require_floats(level, "a level")
        require_level(level, self.fitted.front_end)
        x: Tensor = working(level)
        if lengths is None:
            if overwrite and self._clipwise is None and self.offset is None and not x.requires_grad and has_values(x):
                x.sub_(self.shift.to(x.dtype)).div_(self.scale.to(x.dtype))
                return x.to(level.dtype)
            return self._by_data_set(self._by_clip(x)).to(level.dtype)
        lengths = expand_lengths(lengths, level, len(self._level_shape) + 1, 0, "frames")
        valid = valid_mask(lengths, level.shape[-1])[(..., *[None] * len(self._level_shape), slice(None))]
        # Masked first as well, so that whatever stands in the padding cannot reach a gradient as NaN.
        x = self._silenced(x, valid) if self.padding == "silence" else x.masked_fill(~valid, 0.0)
        if self._clipwise is not None and not self._masks_level:
            x = clip_by_clip(self._by_clip, x, lengths, what=self._clipwise)
        elif self._clipwise is not None:
            x = self._clipwise.clip_affine(x, valid=valid)(x)
        mapped = self._by_data_set(x)
        if not isinstance(self.padding, str):
            mapped = mapped.masked_fill(~valid, self.padding)
        return mapped.to(level.dtype)

    def _silenced(self, level: Tensor, valid: Tensor) -> Tensor:
        """The level with silence as the front end has it in the padding: each clip's own floor, if there is one."""
        front_end = self.fitted.front_end
        top_db = None if isinstance(front_end, Levels) else getattr(front_end.compress, "top_db", None)
        if top_db is None:
            return level.masked_fill(~valid, front_end.floor)
        highest = level.masked_fill(~valid, -torch.inf).amax((-2, -1), keepdim=True)
        return torch.where(valid, level, (highest - top_db).clamp(min=front_end.floor))

    def band_map(self, dtype: torch.dtype) -> BandMap | None:
        """Return the map of levels if it is one map for each band, readable and not trained; otherwise None."""
        one_map = self._clipwise is None and self.fitted.affine is not None and self.offset is None
        follows = self.padding == "silence" and self.fitted.front_end.floor_follows_highest
        if not one_map or follows or len(self._level_shape) > 1:
            return None
        numbers = (self.shift, self.scale)
        if not all(one.device.type == "cpu" and not one.requires_grad and has_values(one) for one in numbers):
            return None
        shift, scale = (one.to(dtype).numpy().ravel() for one in numbers)
        if not {shift.size, scale.size} <= {1, self._bands}:
            return None
        shift, scale = (np.resize(values, (1, self._bands)) for values in (shift, scale))
        if not isinstance(self.padding, str):
            return BandMap(shift, scale, self.padding)
        silence = self.fitted.front_end.floor if self.padding == "silence" else 0.0
        return BandMap(shift, scale, ((shift.dtype.type(silence) - shift) / scale).T)

    def _by_clip(self, level: Tensor) -> Tensor:
        """Apply each clip's own map, if there is one."""
        if self._clipwise is None:
            return level
        x: Tensor = self._clipwise.clip_affine(level)(level)
        return x

    def _by_data_set(self, level: Tensor) -> Tensor:
        """Apply the data set's map, if there is one, as fitted and as trained."""
        if self.fitted.affine is None:
            return level
        x = (level - self.shift.to(level.dtype)).div_(self.scale.to(level.dtype))
        if self.offset is None or self.log_scale is None:
            return x
        trained: Tensor = (x - self.offset.to(level.dtype)) * torch.exp(-self.log_scale.to(level.dtype))
        return trained

    def inverse(self, x: Tensor) -> Tensor:
        """Return the level, exact except for rounding.

        Raises:
            ArgumentError: if each clip has its own map; `FittedNormalizer.inverse` takes that map.
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
        """Return the fitted normalizer with this module's current numbers."""
        if self.fitted.affine is None:
            return self.fitted
        shift, scale = self.shift.double(), self.scale.double()
        if self.offset is not None and self.log_scale is not None:
            shift, scale = shift + scale * self.offset.double(), scale * torch.exp(self.log_scale.double())
        return replace(self.fitted, affine=Affine(to_host(shift), to_host(scale)))

    def get_extra_state(self) -> Tensor:
        """Return the front end that the statistics were measured with."""
        return settings_tensor(self.fitted.front_end.to_json())

    def set_extra_state(self, state: Tensor) -> None:
        """Check that a checkpoint's statistics were measured with this front end.

        Raises:
            FrontEndMismatch: if they were measured with another front end.
        """
        self.fitted.front_end.require_same(any_from_json(settings_text(state)), "the checkpoint")

    def extra_repr(self) -> str:
        """Return the normalizer, and if it trains, for `repr`."""
        return f"{self.fitted.normalizer}, trainable={self.offset is not None}"
