"""The resampler `overlap_save` is its documented filter, whichever way it is computed; soxr is soxr."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.audio.overlap_save import ATTENUATION_DB, PASS, overlap_save, plain, resampling
from spectronorm.audio.resample import resample

RATES = [(44_100, 16_000), (8_000, 16_000), (48_000, 16_000), (16_000, 44_100), (22_050, 16_000), (11_025, 16_000)]
LARGE_PRIMES = (11_027, 16_000)


def sine(hz: float, rate: int, samples: int) -> np.ndarray:
    """A sine of amplitude one, from phase 0.3 on."""
    return np.sin(2 * np.pi * hz / rate * np.arange(samples) + 0.3)


@pytest.mark.parametrize("rates", [*RATES, LARGE_PRIMES])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.91])
def test_a_sine_in_the_passband_is_the_same_sine(rates: tuple[int, int], share: float) -> None:
    """Neither its amplitude nor its phase changes: there is no delay."""
    source, target = rates
    hz = share * min(rates) / 2
    found = resample(sine(hz, source, source).astype(np.float32), source, target, "overlap_save")
    away_from_the_ends = slice(target // 10, -target // 10)
    np.testing.assert_allclose(found[away_from_the_ends], sine(hz, target, target)[away_from_the_ends], atol=1e-6)


@pytest.mark.parametrize("hz", [8_000, 8_050, 9_000, 12_000, 15_900, 21_000])
def test_nothing_folds_back(hz: float) -> None:
    """What the lower rate cannot hold is gone, to float32's own noise."""
    found = overlap_save(sine(hz, 44_100, 44_100), 44_100, 16_000)
    assert 20 * np.log10(np.abs(found[1600:-1600]).max()) < -130


@pytest.mark.parametrize("rates", RATES)
def test_the_filter_is_the_one_that_is_documented(rates: tuple[int, int]) -> None:
    """Flat up to PASS of the lower Nyquist frequency, and ATTENUATION_DB down at it."""
    plan = resampling(*rates)
    gain = plan.response * plan.blocks.n_in
    hz = np.arange(len(gain)) * rates[0] / plan.blocks.n_in
    passed = hz <= PASS * min(rates) / 2
    assert np.abs(gain[passed] - 1).max() < 10 ** (-(ATTENUATION_DB - 10) / 20)
    edge = gain[-1] if hz[-1] < min(rates) / 2 else 0.0
    assert abs(edge) < 10 ** (-(ATTENUATION_DB - 60) / 20)


@given(
    rates=st.sampled_from(RATES),
    samples=st.integers(0, 30_000),
    seed=st.integers(0, 9),
)
def test_lanes_give_what_the_plain_way_gives(rates: tuple[int, int], samples: int, seed: int) -> None:
    """Sixteen blocks at once in float32, and one after the other in float64: any length, to float32's noise."""
    wave = np.random.default_rng(seed).uniform(-1, 1, samples).astype(np.float32)
    found = overlap_save(wave, *rates)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, plain(wave, resampling(*rates), len(found)), rtol=0, atol=2e-6)


@pytest.mark.parametrize("rates", [*RATES, LARGE_PRIMES])
@pytest.mark.parametrize("samples", [1, 2, 60, 441, 12_345])
def test_there_are_as_many_samples_as_soxr_gives(rates: tuple[int, int], samples: int) -> None:
    """So that frames lie where they lay."""
    wave = np.ones(samples, np.float32)
    assert len(overlap_save(wave, *rates)) == len(soxr.resample(wave, *rates, quality="HQ"))


def test_blocks_leave_no_trace() -> None:
    """A sound that comes later comes out the same, as much later: where blocks begin does not matter."""
    wave = np.random.default_rng(0).uniform(-1, 1, 20_000)
    found = overlap_save(wave, 44_100, 16_000)
    for blocks in (1, 5, 23):
        later = overlap_save(np.concatenate([np.zeros(441 * blocks), wave]), 44_100, 16_000)
        np.testing.assert_allclose(later[160 * blocks :][: len(found)], found, rtol=0, atol=5e-7)


@pytest.mark.parametrize(("share", "atol"), [(0.5, 1e-6), (0.9, 1e-4)])
def test_below_the_transition_it_is_what_soxr_gives(share: float, atol: float) -> None:
    """Two good resamplers differ in the top of the band alone, and soxr has a ripple of 0.01 dB from half of it on."""
    noise = np.random.default_rng(1).standard_normal(80_000)
    low = np.fft.irfft(np.where(np.fft.rfftfreq(80_000) < share * 8_000 / 44_100, np.fft.rfft(noise), 0)) * 0.1
    ours, theirs = overlap_save(low, 44_100, 16_000), soxr.resample(low, 44_100, 16_000, quality="VHQ")
    np.testing.assert_allclose(ours[500:-500], theirs[500:-500], rtol=0, atol=atol)


def test_it_is_part_of_a_front_end(tmp_path: Path) -> None:
    """Statistics say which resampler they came from, and another's do not fit."""
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(2).standard_normal(44_100) * 0.1, 44_100)
    one, other = (sn.FrontEnd(16_000, bands=sn.Mel(20), resampler=name) for name in ("soxr_hq", "overlap_save"))
    profile = sn.fit(tmp_path, other)
    assert profile.front_end.resampler == "overlap_save"
    assert one.fingerprint != other.fingerprint
    assert np.abs(profile.band.mean - sn.fit(tmp_path, one).band.mean)[:18].max() < 0.01


@pytest.mark.parametrize("resampler", ["soxr_hq", "soxr_vhq"])
def test_a_stream_of_soxr_that_is_used_again_remembers_nothing(resampler: str) -> None:
    """Clips of many lengths and rates one after the other: each as soxr alone resamples it, to the last bit."""
    random = np.random.default_rng(4)
    for length in (1, 7, 400, 33_000, 2, 220_500, 12_345):
        for rates in ((44_100, 16_000), (44_100, 16_000), (8_000, 22_050)):
            clip = random.standard_normal(length).astype(np.float32)
            alone = soxr.resample(clip, *rates, quality=resampler.removeprefix("soxr_").upper())
            np.testing.assert_array_equal(resample(clip, *rates, resampler), alone)
