"""Contract tests of a band layout."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from spectronorm.front_end.bands import BANDS, Bands
from spectronorm.testing.contract import RATE, Contract, has_torch, require, require_saved

N_FFT = 512


class BandsContract(Contract):
    """Matrix, frequencies and sums are consistent, in NumPy and torch.

    >>> import spectronorm as sn
    >>> BandsContract.check(sn.Mel(40))
    """

    subject: ClassVar[Bands]

    def test_it_comes_back_from_json(self) -> None:
        """The layout is registered, and its settings survive JSON."""
        require_saved(BANDS, self.subject)

    def test_the_matrix_has_a_row_for_each_band(self) -> None:
        """Weights `(band, bin)` are finite and not negative, and each band has a frequency, in rising order."""
        matrix, hz = self.subject.runs(RATE, N_FFT).matrix, self.subject.hz(RATE, N_FFT)
        require(matrix.shape == (len(hz), N_FFT // 2 + 1), f"{self.subject}: {matrix.shape} is not (band, bin)")
        require(np.isfinite(matrix).all() and (matrix >= 0).all(), f"{self.subject}: a weight is negative or NaN")
        require((np.diff(hz) > 0).all() and hz[-1] <= RATE / 2, f"{self.subject}: the frequencies must rise")

    def test_the_bands_are_the_weighted_sums(self) -> None:
        """Calling the layout multiplies by the matrix, with any leading axes."""
        bins = np.random.default_rng(0).uniform(0.0, 1.0, (2, N_FFT // 2 + 1, 4))
        expected = self.subject.runs(RATE, N_FFT).matrix @ bins
        np.testing.assert_allclose(self.subject(bins, RATE, N_FFT), expected, rtol=1e-9, atol=1e-12)

    def test_torch_gives_the_same_bands(self) -> None:
        """Tensors give the bands that NumPy gives."""
        if not has_torch():
            return
        import torch  # noqa: PLC0415

        bins = np.random.default_rng(1).uniform(0.0, 1.0, (2, N_FFT // 2 + 1, 4))
        found = self.subject(torch.from_numpy(bins), RATE, N_FFT)
        np.testing.assert_allclose(found.numpy(), self.subject(bins, RATE, N_FFT), rtol=1e-9, atol=1e-12)
