"""Mean and standard deviation over mini-batches, exactly as over all values at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spectronorm.arrays import require_floats
from spectronorm.errors import ArgumentError, ShapeError


class StatsRecorder:
    """Accumulates statistics: call `update(batch)` for each mini-batch `(batch, …)`, then read `mean` and `std`.

    The axes in `red_dims` are averaged over: `(0, 2, 3)` gives one number for each channel of `(batch, channel, band,
    frame)`, `(0, 1, 3)` one for each band. Batches may differ in size along these axes: each value counts once, and the
    standard deviation is the one of all values together (ddof = 0), not a mean over batches. Sums are float64 on the
    CPU, merged by the method of Chan, Golub and LeVeque (1979), so that neither the batch size nor the order matters
    (to 1e-12).

    Raises:
        ArgumentError: if `red_dims` has no axis, or lacks the batch axis (0).

    >>> recorder = StatsRecorder(red_dims=(0, 1, 3))
    >>> for part in torch.arange(24.0).reshape(4, 1, 2, 3).split([3, 1]):
    ...     recorder.update(part)
    >>> recorder.mean.shape, recorder.mean.flatten().tolist(), recorder.nobservations
    (torch.Size([1, 1, 2, 1]), [10.0, 13.0], 4)
    """

    def __init__(self, red_dims: Sequence[int] = (0, 2, 3)) -> None:
        self.red_dims = tuple(sorted(set(red_dims)))
        if not self.red_dims or self.red_dims[0] != 0:
            raise ArgumentError(f"red_dims={red_dims!r} must name the axes to average over, 0 (the batch's) among them")
        self.nobservations = 0
        self._count = 0
        self._mean: Tensor | None = None
        self._squares: Tensor | None = None
        self._dtype = torch.float32

    def update(self, data: Tensor) -> None:
        """Count a batch.

        Raises:
            ShapeError: if the batch is not floating point or finite, lacks an axis, or differs from the first batch
                along its other axes.
        """
        require_floats(data, "a batch")
        if data.ndim <= self.red_dims[-1] or data.numel() == 0:
            raise ShapeError(f"a batch of shape {tuple(data.shape)} has nothing to average over axes {self.red_dims}")
        values = data.detach().as_subclass(Tensor).to("cpu", torch.float64)
        if not torch.isfinite(values).all():
            raise ShapeError("a batch holds values that are not finite; find the clips that they come from")
        mean = values.mean(dim=self.red_dims, keepdim=True)
        squares = ((values - mean) ** 2).sum(dim=self.red_dims, keepdim=True)
        count = values.numel() // mean.numel()
        if self._mean is None or self._squares is None:
            self._mean, self._squares, self._dtype = mean, squares, data.dtype
        elif mean.shape != self._mean.shape:
            raise ShapeError(f"a batch with {tuple(mean.shape)} does not match the first, {tuple(self._mean.shape)}")
        else:
            total, delta = self._count + count, mean - self._mean
            self._squares = self._squares + squares + delta**2 * (self._count * count / total)
            self._mean = self._mean + delta * (count / total)
        self._count += count
        self.nobservations += data.shape[0]

    @property
    def mean(self) -> Tensor:
        """Mean, in the batches' shape and dtype with size 1 along `red_dims`.

        Raises:
            ArgumentError: before the first batch.
        """
        return self._recorded(self._mean).to(self._dtype)

    @property
    def std(self) -> Tensor:
        """Standard deviation, in the batches' shape and dtype with size 1 along `red_dims`.

        Raises:
            ArgumentError: before the first batch.
        """
        return (self._recorded(self._squares) / self._count).sqrt().to(self._dtype)

    @staticmethod
    def _recorded(value: Tensor | None) -> Tensor:
        if value is None:
            raise ArgumentError("nothing is recorded yet; call update(batch) for each batch of the training set first")
        return value
