"""Sounds with a known truth for the tests of the monitor: bursts of coloured noise at random levels, in groups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import spectronorm as sn
from spectronorm.monitor import Baseline
from spectronorm.monitor.clips.features import clip_features
from spectronorm.profile import LevelCounter, Measurement

Wave = NDArray[np.float32]
FRONT_END = sn.FrontEnd(8_000, stft=sn.STFT(256, hop_length=128), bands=sn.Mel(24))
STANDARDIZED = sn.FrontEnd(8_000, sn.waveform.StandardizeWaveform(), sn.STFT(256, hop_length=128), sn.Mel(24))


def clip(generator: np.random.Generator) -> Wave:
    """Half a second: a few bursts of noise of a random colour above a faint background, at a random level."""
    n = 4_000
    spectrum = np.fft.rfft(generator.standard_normal(n))
    tilt = generator.normal(-3.0, 2.0) * np.log2(np.linspace(1.0, 20.0, len(spectrum)))
    sound = np.fft.irfft(spectrum * 10.0 ** (tilt / 20.0), n)
    envelope = 0.003 + np.zeros(n)
    for _ in range(generator.integers(1, 4)):
        start = generator.integers(0, n - 800)
        envelope[start : start + 800] += np.hanning(800) * generator.uniform(0.3, 1.0)
    sound *= envelope
    return (sound / np.abs(sound).max() * 10.0 ** (generator.normal(-20.0, 3.0) / 20.0)).astype(np.float32)


@lru_cache(maxsize=4)
def clips(count: int, seed: int) -> tuple[Wave, ...]:
    """So many clips, the same for a seed."""
    generator = np.random.default_rng(seed)
    return tuple(clip(generator) for _ in range(count))


def measure(front_end: sn.FrontEnd, waves: tuple[Wave, ...] | list[Wave]) -> Measurement:
    counter = LevelCounter(front_end)
    for wave in waves:
        counter.add(wave)
    counted = counter.measurement()
    assert counted is not None
    return counted


@lru_cache(maxsize=4)
def training(front_end: sn.FrontEnd = FRONT_END) -> tuple[sn.Profile, Baseline]:
    """A profile of five folds of forty clips, and its clips one by one."""
    waves = clips(200, 1)
    groups = {(("fold", str(k + 1)),): measure(front_end, waves[k::5]) for k in range(5)}
    rows = np.stack([clip_features(front_end.clip_level(wave), wave) for wave in waves])
    return sn.Profile(front_end, groups), Baseline.of_rows(front_end, rows, [i % 5 for i in range(200)])


def equalize(wave: Wave, frequencies: list[float], decibels: list[float]) -> Wave:
    """A filter with this response, frequencies as shares of half the rate."""
    spectrum = np.fft.rfft(wave)
    gain = np.interp(np.linspace(0, 1, len(spectrum)), frequencies, decibels)
    return np.fft.irfft(spectrum * 10.0 ** (gain / 20.0), len(wave)).astype(np.float32)


def devices() -> Mapping[str, tuple[str, object]]:
    """Each device with the kind that should be named."""
    generator = np.random.default_rng(5)

    def noise(wave: Wave) -> Wave:
        power = np.sqrt(np.mean(wave.astype(np.float64) ** 2)) * 10.0 ** (-5.0 / 20.0)
        return (wave + power * generator.standard_normal(len(wave))).astype(np.float32)

    def tone(wave: Wave) -> Wave:
        level = 10.0 ** (generator.normal(-20.0, 3.0) / 20.0)
        pitch = generator.uniform(0.2, 2.5)
        return (level * np.sin(np.arange(len(wave)) * pitch) * np.hanning(len(wave)) + 1e-4 * wave).astype(np.float32)

    return {
        "louder": ("level-change", lambda wave: wave * 8.0),
        "quieter": ("level-change", lambda wave: wave * 0.1),
        "dull": ("equalization", lambda wave: equalize(wave, [0, 0.1, 0.4, 1], [0, 0, -14, -28])),
        "bright": ("equalization", lambda wave: equalize(wave, [0, 0.2, 0.6, 1], [-25, -12, 0, 0])),
        "telephone": ("band-limit", lambda wave: equalize(wave, [0, 0.45, 0.47, 1], [0, 0, -80, -80])),
        "noise": ("added-noise", noise),
        "dead": ("silence", lambda wave: wave * 0.0),
        "clipped": ("clipping", lambda wave: np.clip(wave * 40.0, -1.0, 1.0)),
        "tones": ("unknown-change", tone),
    }
