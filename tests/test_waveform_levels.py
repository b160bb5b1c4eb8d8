"""Waveform levels: peak, RMS, loudness and pre-emphasis are those that meters and peers measure."""

from __future__ import annotations

import librosa
import numpy as np
import pyloudnorm
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.front_end.front_end import SLOTS

RATE = 16_000
LEVELS = sorted(SLOTS["level"])


def speech_like(seed: int, seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    """Noise in bursts, with pauses that are silent."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * rate)
    bursts = np.repeat(rng.random(samples // (rate // 10) + 1) ** 3, rate // 10)[:samples]
    return 0.3 * bursts * (bursts > 0.05) * rng.standard_normal(samples)


@given(seed=st.integers(0, 2**32 - 1), dbfs=st.floats(-60, 0))
def test_peak_and_rms(seed: int, dbfs: float) -> None:
    """The peak or the RMS is what was asked for."""
    wave = speech_like(seed, 0.3) + 1e-3
    assert 20 * np.log10(np.abs(sn.waveform.PeakLevel(dbfs)(wave)).max()) == pytest.approx(dbfs)
    assert 10 * np.log10(np.mean(sn.waveform.RMSLevel(dbfs)(wave) ** 2)) == pytest.approx(dbfs)


@pytest.mark.parametrize("level", [sn.waveform.PeakLevel(), sn.waveform.RMSLevel()])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_amplitudes_without_a_finite_gain_are_silence(level: sn.waveform.WaveformLevel, dtype: type) -> None:
    """A clip of subnormal numbers stays as it is, on every path, since the gain to full scale would be infinite."""
    wave = (np.finfo(dtype).smallest_subnormal * np.arange(-500, 500)).astype(dtype)
    front_end = sn.FrontEnd(level=level)
    for samples in (wave, torch.from_numpy(wave), torch.from_numpy(wave).requires_grad_()):
        assert (level(samples) == samples).all()
        assert (front_end(samples) == front_end.floor).all()


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_loudness_is_pyloudnorms(rate: int) -> None:
    """Integrated loudness equals pyloudnorm's with BS.1770's own filters, and differs little from its default."""
    wave = speech_like(rate, 4.0, rate)
    expected = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(wave)
    assert float(sn.waveform.integrated_loudness(wave, rate)) == pytest.approx(expected, abs=1e-6)
    assert float(sn.waveform.integrated_loudness(wave, rate)) == pytest.approx(
        pyloudnorm.Meter(rate).integrated_loudness(wave), abs=0.3
    )


def test_loudness_of_the_standards_tone() -> None:
    """BS.1770: a full-scale 997 Hz sine in one channel measures -3.01 LUFS; EBU Tech 3341 allows 0.1."""
    tone = np.sin(2 * np.pi * 997 * np.arange(3 * 48_000) / 48_000)
    assert float(sn.waveform.integrated_loudness(tone, 48_000)) == pytest.approx(-3.01, abs=0.01)
    assert float(sn.waveform.integrated_loudness(0.1 * tone, 48_000)) == pytest.approx(-23.01, abs=0.01)


def test_loudness_gates_pauses() -> None:
    """EBU Tech 3341, case 4 in spirit: quiet passages 30 dB below do not count."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(10 * RATE) / RATE)
    quiet = 10.0 ** (-30 / 20) * tone
    alone, among = (sn.waveform.integrated_loudness(w, RATE) for w in (tone, np.concatenate([quiet, tone, quiet])))
    assert float(among) == pytest.approx(float(alone), abs=0.15)  # a few blocks hold both


@pytest.mark.parametrize("lufs", [-14.0, -23.0])
def test_loudness_level_reaches_its_target(lufs: float) -> None:
    """What comes out measures what was asked for, each clip of a batch on its own."""
    batch = np.stack([speech_like(0), 0.01 * speech_like(1), np.zeros(3 * RATE)])
    leveled = sn.waveform.LoudnessLevel(lufs)(batch, RATE)
    measured = sn.waveform.integrated_loudness(leveled, RATE)
    np.testing.assert_allclose(measured[:1], lufs, atol=1e-6)
    np.testing.assert_allclose(measured[1], lufs, atol=0.5)  # the absolute gate does not move along
    assert measured[2] == -np.inf
    np.testing.assert_array_equal(leveled[2], 0.0)
    tensor = sn.waveform.LoudnessLevel(lufs)(torch.from_numpy(batch), RATE)
    np.testing.assert_allclose(tensor.numpy(), leveled, atol=1e-9)


def test_pre_emphasis_follows_three_conventions() -> None:
    """The three conventions for the first sample: librosa's, torchaudio's and PaSST's."""
    wave = np.random.default_rng(0).standard_normal((2, 50))
    expected = librosa.effects.preemphasis(wave, coef=0.97)
    np.testing.assert_allclose(sn.waveform.PreEmphasis(0.97)(wave), expected, atol=1e-12)
    kept = sn.waveform.PreEmphasis(0.97, first="keep")(wave)
    np.testing.assert_array_equal(kept[:, 0], wave[:, 0])
    dropped = sn.waveform.PreEmphasis(0.97, first="drop")(wave)
    np.testing.assert_allclose(dropped, expected[:, 1:], atol=1e-12)
    np.testing.assert_allclose(kept[:, 1:], dropped, atol=1e-12)


@pytest.mark.parametrize("name", LEVELS)
class TestEveryLevel:
    """The contract of the slot."""

    def level(self, name: str) -> object:
        return SLOTS["level"].find(name)()

    @given(seed=st.integers(0, 2**32 - 1))
    def test_a_batch_is_its_clips(self, name: str, seed: int) -> None:
        """What lies beside a clip does not matter, and torch gives what NumPy gives."""
        batch = np.stack([speech_like(seed, 0.6), 1e-3 * speech_like(seed + 1, 0.6), np.zeros(9600)])
        level = self.level(name)
        together, tensors = level(batch, RATE), level(torch.from_numpy(batch), RATE)
        for wave, one, tensor in zip(batch, together, tensors, strict=True):
            np.testing.assert_array_equal(one, level(wave, RATE))
            np.testing.assert_allclose(tensor.numpy(), one, atol=1e-7)

    def test_silence_stays_silent_with_finite_gradients(self, name: str) -> None:
        """Silence gives zeros, and neither it nor a constant gives a NaN on the way back."""
        for value in (0.0, 0.25):
            wave = torch.full((9600,), value, dtype=torch.float64, requires_grad=True)
            leveled = self.level(name)(wave, RATE)
            leveled.sum().backward()
            assert torch.isfinite(leveled).all()
            assert wave.grad is not None
            assert torch.isfinite(wave.grad).all()
            if value == 0.0:
                assert (leveled == 0).all()

    def test_gradients(self, name: str) -> None:
        """Autograd agrees with finite differences."""
        rate, samples = 100, 60
        wave = torch.randn(samples, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        level = sn.waveform.SlidingStandardizeWaveform(9) if name == "sliding" else self.level(name)
        if name == "loudness":
            rate = 4000
            wave = torch.randn(1600, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
            picked = wave[:5].clone().requires_grad_()
            assert torch.autograd.gradcheck(lambda head: level(torch.cat([head, wave[5:]]), rate)[:20], (picked,))
            return
        assert torch.autograd.gradcheck(lambda w: level(w, rate), (wave.requires_grad_(),))

    def test_frames_and_shortest_wave(self, name: str) -> None:
        """A front end with this level says truly how many frames there are and how short a wave may be."""
        front_end = sn.FrontEnd(RATE, level=self.level(name), stft=sn.STFT(256, hop_length=100), bands=sn.Mel(8))
        shortest = front_end.min_samples
        for samples in (shortest, shortest + 99, shortest + 1001):
            wave = speech_like(3, 1.0)[:samples]
            level = front_end(wave)
            assert level.shape[-1] == front_end.frames(samples)
            np.testing.assert_allclose(front_end.clip_level(wave), level, atol=1e-7)
        with pytest.raises(sn.errors.ShapeError, match="too short"):
            front_end(np.zeros(shortest - 1))
        assert front_end.frames(shortest - 1) == 0
        with pytest.raises(sn.errors.AudioError, match="too-short"):
            front_end.clip_level(np.zeros(shortest - 1))


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (sn.waveform.PeakLevel, {"dbfs": 3}),
        (sn.waveform.RMSLevel, {"dbfs": float("nan")}),
        (sn.waveform.LoudnessLevel, {"lufs": -80}),
        (sn.waveform.PreEmphasis, {"coefficient": 1.5}),
        (sn.waveform.PreEmphasis, {"first": "zero"}),
        (sn.waveform.ScaleWaveform, {"factor": 0}),
        (sn.waveform.SlidingStandardizeWaveform, {"length": 0}),
    ],
)
def test_bad_settings_are_refused(make: type, settings: dict[str, object]) -> None:
    """A level that cannot be is refused when it is made."""
    with pytest.raises(sn.errors.ArgumentError):
        make(**settings)


def test_a_clip_without_a_loudness_block_is_refused() -> None:
    """Loudness needs 0.4 s; the error says so."""
    with pytest.raises(sn.errors.ShapeError, match=r"0\.4 s"):
        sn.waveform.integrated_loudness(np.zeros(1000), RATE)
