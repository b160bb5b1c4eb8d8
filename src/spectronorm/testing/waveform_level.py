"""Contract tests of a waveform level."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from spectronorm.front_end import STFT, FrontEnd, Mel
from spectronorm.front_end.waveform import WAVEFORM_LEVELS, ClipStatistics, WaveformLevel
from spectronorm.testing.contract import RATE, Contract, has_torch, require, require_saved, waves


class WaveformLevelContract(Contract):
    """Batches, padding, long clips, the fast path and torch agree with `__call__`.

    >>> import spectronorm as sn
    >>> WaveformLevelContract.check(sn.waveform.PeakLevel(-3.0))
    """

    subject: ClassVar[WaveformLevel]
    front_end: ClassVar[FrontEnd] = FrontEnd(RATE, stft=STFT(400, hop_length=160), bands=Mel(20))

    def test_it_comes_back_from_json(self) -> None:
        """The level is registered, and its settings survive JSON."""
        require_saved(WAVEFORM_LEVELS, self.subject)

    def test_waves_keep_their_length(self) -> None:
        """A waveform loses `shortens` samples, and no sample becomes NaN or infinite, digital silence included."""
        wave = waves()
        found = self.subject(wave, RATE)
        length = wave.shape[-1] - self.subject.shortens
        require(found.shape == (len(wave), length), f"{self.subject}: {found.shape} has not {length} samples")
        require(np.isfinite(found).all(), f"{self.subject} gives NaN or infinity")

    def test_a_clip_does_not_depend_on_its_batch(self) -> None:
        """Each clip of a batch is computed as if it were alone."""
        for wave, found in zip(waves(), self.subject(waves(), RATE), strict=True):
            np.testing.assert_allclose(self.subject(wave, RATE), found, rtol=1e-9, atol=1e-12)

    def test_its_change_is_all_that_it_does(self) -> None:
        """If `is_change`, `(x - offset) · scale` from the clip's statistics gives the result of calling the level."""
        if self.subject.is_change:
            for wave in waves():
                rms = float(np.sqrt((wave**2).mean()))
                clip = ClipStatistics(float(wave.mean()), float(wave.std()), rms, float(np.abs(wave).max()))
                np.testing.assert_allclose(self.subject.change(clip)(wave), self.subject(wave, RATE), atol=1e-9)

    def test_padding_does_not_count(self) -> None:
        """If the level takes `valid`, a padded clip of a torch batch is computed as if it were alone."""
        level: Any = self.subject
        if has_torch() and "valid" in inspect.signature(level.__call__).parameters:
            import torch  # noqa: PLC0415

            wave, kept = waves(), RATE // 2
            valid = torch.arange(wave.shape[-1]).expand(wave.shape) < kept
            found = level(torch.from_numpy(wave).masked_fill(~valid, 0.0), RATE, valid=valid).numpy()
            whole = kept - level.shortens
            np.testing.assert_allclose(found[..., :whole], level(wave[..., :kept], RATE), rtol=1e-9, atol=1e-9)

    def test_the_fast_path_gives_the_same_levels(self) -> None:
        """One clip by the compiled kernels has the level that the plain path gives."""
        front_end = replace(self.front_end, level=self.subject)
        for wave in waves():
            np.testing.assert_allclose(front_end.clip_level(wave), front_end.working_level(wave), rtol=0, atol=1e-6)

    def test_torch_gives_the_same_waves(self) -> None:
        """Tensors give the waveforms that NumPy gives."""
        if not has_torch():
            return
        import torch  # noqa: PLC0415

        found = self.subject(torch.from_numpy(waves()), RATE)
        np.testing.assert_allclose(found.numpy(), self.subject(waves(), RATE), rtol=1e-9, atol=1e-9)
