"""Contract tests of a normalizer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

import numpy as np

from spectronorm.errors import PluginError
from spectronorm.front_end import STFT, FrontEnd, Mel
from spectronorm.normalize import NORMALIZERS, FittedNormalizer, Normalizer
from spectronorm.pipeline import Pipeline
from spectronorm.profile import Profile
from spectronorm.profile.counting.counter import LevelCounter
from spectronorm.testing.contract import RATE, Contract, has_torch, require, require_saved, waves


class NormalizerContract(Contract):
    """Inverse, batches, torch, saved pipelines and the torch module agree with the NumPy result of one clip.

    >>> import spectronorm as sn
    >>> NormalizerContract.check(sn.MinMax())
    """

    subject: ClassVar[Normalizer]
    front_end: ClassVar[FrontEnd] = FrontEnd(RATE, stft=STFT(400, hop_length=160), bands=Mel(20))

    def fitted(self) -> FittedNormalizer:
        """Fit the subject to three clips."""
        counter = LevelCounter(self.front_end)
        for wave in waves():
            counter.add(wave.astype(np.float32))
        measurement = counter.measurement()
        if measurement is None:
            raise AssertionError("nothing was counted")
        return self.subject.fit(Profile(self.front_end, {(): measurement}))

    def test_it_comes_back_from_json(self) -> None:
        """The normalizer is registered, and its settings survive JSON."""
        require_saved(NORMALIZERS, self.subject)

    def test_fit_is_a_pure_function(self) -> None:
        """Fitting twice gives equal results."""
        require(self.fitted() == self.fitted(), f"{self.subject} gives two results for one profile")

    def test_the_inverse_is_exact(self) -> None:
        """`inverse(normalize(level))` is the level, up to rounding."""
        fitted, level = self.fitted(), self.front_end(waves())
        again = fitted.inverse(fitted(level), fitted.affine_of(level))
        np.testing.assert_allclose(again, level, rtol=0, atol=1e-9 * max(1.0, float(np.ptp(level))))

    def test_values_are_finite(self) -> None:
        """No value is NaN or infinite, digital silence included."""
        require(np.isfinite(self.fitted()(self.front_end(waves()))).all(), f"{self.subject} gives NaN or infinity")

    def test_a_clip_does_not_depend_on_its_batch(self) -> None:
        """Each clip of a batch is computed as if it were alone."""
        fitted, level = self.fitted(), self.front_end(waves())
        for clip, x in zip(level, fitted(level), strict=True):
            np.testing.assert_allclose(fitted(clip), x, rtol=0, atol=1e-9)

    def test_it_is_saved_and_loaded(self) -> None:
        """A saved pipeline reproduces the numbers."""
        pipeline = Pipeline(self.front_end, self.fitted())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pipeline.safetensors"
            pipeline.save(path)
            try:
                again = Pipeline.load(path)
            except PluginError as error:
                raise AssertionError(f"{self.subject} is saved but not found again: {error}") from None
        require(again == pipeline, f"{self.subject} comes back as {again.normalizer.normalizer}")
        np.testing.assert_array_equal(again(waves()), pipeline(waves()))

    def test_torch_gives_the_same_numbers(self) -> None:
        """Tensors and the torch module, with and without padding, give the numbers that NumPy gives."""
        if not has_torch():
            return
        import torch  # noqa: PLC0415

        from spectronorm.nn import Normalize  # noqa: PLC0415

        fitted, level = self.fitted(), self.front_end(waves())
        expected, tensor = fitted(level), torch.from_numpy(level)
        np.testing.assert_allclose(fitted(tensor).numpy(), expected, rtol=0, atol=1e-9)
        module = Normalize(fitted)
        np.testing.assert_allclose(module(tensor).detach().numpy(), expected, rtol=0, atol=1e-9)
        short = level.shape[-1] // 2
        padded = module(tensor, lengths=torch.tensor([short] * len(level))).detach().numpy()
        np.testing.assert_allclose(padded[..., :short], fitted(level[..., :short]), rtol=0, atol=1e-9)
        if self.subject.padding == "zero":
            require((padded[..., short:] == 0).all(), f"{self.subject}: padding must be zero after normalization")
            return
        for clip, got in zip(level[..., :short], padded[..., short:], strict=True):
            np.testing.assert_allclose(got, np.broadcast_to(fitted.padding_of(clip), got.shape), rtol=0, atol=1e-9)
