"""Contract tests of a compression."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from spectronorm.front_end import STFT, FrontEnd, Mel
from spectronorm.front_end.compress import COMPRESSIONS, Compression
from spectronorm.testing.contract import RATE, Contract, has_torch, require, require_saved, waves

POWERS = (1.0, 2.0)


class CompressionContract(Contract):
    """Inverse, floor, grid, decibels and the fast path agree with `__call__`, in NumPy and torch.

    >>> import spectronorm as sn
    >>> CompressionContract.check(sn.Ln())
    """

    subject: ClassVar[Compression]
    front_end: ClassVar[FrontEnd] = FrontEnd(RATE, stft=STFT(400, hop_length=160), bands=Mel(20))

    def test_it_comes_back_from_json(self) -> None:
        """The compression is registered, and its settings survive JSON."""
        require_saved(COMPRESSIONS, self.subject)

    def test_the_inverse_gives_the_values(self) -> None:
        """Values whose level lies above the floor are recovered, and no value is negative."""
        for power in POWERS:
            values = np.random.default_rng(1).uniform(0.01, 4.0, (2, 5, 7))
            level = self.subject(values, power)
            again = self.subject.inverse(level, power)
            lowest = max(self.subject.clip_floor(float(clip.max()), power) for clip in level)
            above = level > lowest + 1e-9
            np.testing.assert_allclose(again[above], values[above], rtol=1e-5)
            require((again >= 0).all(), f"{self.subject}: the inverse must not be negative")

    def test_silence_is_the_floor(self) -> None:
        """Digital silence gives the floor, and nothing lies below it."""
        for power in POWERS:
            floor = self.subject.floor(power)
            np.testing.assert_allclose(self.subject(np.zeros((2, 3)), power), floor, rtol=0, atol=1e-9)
            level = self.subject(np.random.default_rng(2).uniform(0.0, 1.0, (4, 6)), power)
            require(level.min() >= floor - 1e-9, f"{self.subject}: a level lies below floor({power})={floor}")

    def test_levels_lie_on_the_grid(self) -> None:
        """Audio in [-1, 1] gives finite levels within the grid, and the grid begins at the floor or below."""
        front_end = replace(self.front_end, compress=self.subject)
        level, grid = front_end(waves()), front_end.grid
        require(np.isfinite(level).all(), f"{self.subject} gives NaN or infinity")
        require(level.min() >= grid.low and level.max() <= grid.high, f"{self.subject}: a level lies off its grid")

    def test_decibels_are_what_it_says(self) -> None:
        """If `db_per_unit` is a number, ten times a high power is a rise of ten decibels."""
        for power in POWERS:
            unit = self.subject.db_per_unit(power)
            if unit is not None:
                values = 1e9 * np.array([[[1.0]], [[10.0 ** (power / 2.0)]]])
                step = np.diff(np.ravel(self.subject(values, power)))[0]
                np.testing.assert_allclose(step * unit, 10.0, rtol=1e-6)

    def test_a_clip_does_not_depend_on_its_batch(self) -> None:
        """Each clip of a batch is computed as if it were alone, and each frame too if it is `framewise`."""
        values = np.random.default_rng(3).uniform(0.0, 1.0, (3, 5, 9))
        batch = self.subject(values, 2.0)
        for clip, level in zip(values, batch, strict=True):
            np.testing.assert_allclose(self.subject(clip, 2.0), level, rtol=1e-12, atol=1e-12)
        if self.subject.framewise:
            np.testing.assert_allclose(self.subject(values[..., 4:], 2.0), batch[..., 4:], rtol=1e-12, atol=1e-12)

    def test_the_fast_path_gives_the_same_levels(self) -> None:
        """One clip by the compiled kernels has the level that the plain path gives."""
        front_end = replace(self.front_end, compress=self.subject)
        for wave in waves():
            np.testing.assert_allclose(front_end.clip_level(wave), front_end.working_level(wave), rtol=0, atol=1e-6)

    def test_torch_gives_the_same_levels(self) -> None:
        """Tensors give the levels that NumPy gives, with a finite gradient."""
        if not has_torch():
            return
        import torch  # noqa: PLC0415

        values = np.random.default_rng(4).uniform(0.0, 1.0, (2, 5, 7))
        values[0, 0] = 0.0
        tensor = torch.from_numpy(values).requires_grad_()
        level = self.subject(tensor, 2.0)
        np.testing.assert_allclose(level.detach().numpy(), self.subject(values, 2.0), rtol=1e-9, atol=1e-9)
        level.sum().backward()
        require(tensor.grad is not None and torch.isfinite(tensor.grad).all(), f"{self.subject}: a gradient is NaN")
