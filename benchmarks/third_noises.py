"""Sounds that the third set adds: wind, rain, a blower, a mobile phone beside the cable, beeps, and real sounds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import scipy.signal

import spectronorm as sn
from benchmarks.changes import mixed
from benchmarks.shifts import Device, Wave
from benchmarks.third_levels import Floats, butterworth, rms

_LOUD = ("rain", "sea_waves", "crackling_fire", "helicopter", "chainsaw", "dog", "rooster")


def gusts(snr: float, clipped_at: float) -> Device:
    """Wind on an open microphone: a random walk, in gusts, clipped at a share of the peak."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        walk = butterworth(1, 20.0, "highpass", rate, np.cumsum(generator.standard_normal(len(wave))))
        length = rate // 20
        slow = np.cumsum(generator.standard_normal(len(wave) // length + 2)) * 0.6
        times = np.arange(len(wave)) / length
        force = np.interp(times, np.arange(len(slow)), np.exp(np.clip(slow - slow.max(), -4, 0)))
        there = mixed(wave, walk * force, snr)
        limit = clipped_at * np.abs(there).max()
        return np.clip(there, -limit, limit)

    return device


def rain(snr: float, drops_per_second: float) -> Device:
    """Drops on a roof: short bursts, and a steady hiss below them."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        hits = (generator.random(len(wave)) < drops_per_second / rate) * generator.gamma(1.0, 1.0, len(wave))
        n = int(0.008 * rate)
        drop = generator.standard_normal(n) * np.exp(-np.arange(n) / (0.0015 * rate))
        falling = scipy.signal.oaconvolve(hits, drop)[: len(wave)]
        hiss = butterworth(1, 0.12 * rate, "highpass", rate, generator.standard_normal(len(wave)))
        return mixed(wave, falling + 0.3 * rms(falling) / rms(hiss) * hiss, snr)

    return device


def air_conditioner(snr: float, tonal: float) -> Device:
    """A blower: noise that falls with frequency, and lines of motor and blades that beat slowly."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        time = np.arange(len(wave)) / rate
        air = butterworth(1, 250.0, "lowpass", rate, generator.standard_normal(len(wave)))
        beat = 1 + 0.3 * np.sin(2 * np.pi * 0.7 * time)
        lines = np.zeros(len(wave))
        for k in range(1, 7):
            lines += np.sin(2 * np.pi * 118.0 * k * time + generator.uniform(0, 6.28)) * beat / k
        return mixed(wave, air / rms(air) + tonal * lines / rms(lines), snr)

    return device


def mobile_phone(snr: float) -> Device:
    """A mobile phone beside the cable: bursts 217 times a second, with a pause every 26th time."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        bursts = np.arange(len(wave)) / rate * 217.0
        pulses = (bursts % 1.0 < 0.125).astype(np.float64)
        return mixed(wave, (pulses - 0.125) * ((bursts / 26) % 1.0 < 24 / 26), snr)

    return device


def beeps(snr: float, hertz: float) -> Device:
    """An appliance that beeps twice a second."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        time = np.arange(len(wave)) / rate + generator.random()
        return mixed(wave, np.sin(2 * np.pi * hertz * time) * ((time * 2.0) % 1.0 < 0.3) + 1e-9, snr)

    return device


def real_sounds(snr: float) -> Device:
    """Recordings of the other data set behind: speech behind ESC-10, at 16 kHz, and its sounds behind the digits."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        speech = rate == 16_000
        pool = _speech() if speech else _sounds()
        other = np.concatenate([pool[int(generator.integers(len(pool)))] for _ in range(12 if speech else 1)])
        start = int(generator.integers(max(len(other) - len(wave), 1)))
        return mixed(wave, np.resize(other[start:], len(wave)).astype(np.float64) + 1e-9, snr)

    return device


@cache
def _speech() -> Sequence[Wave]:
    recordings = sorted((Path(os.environ["SPECTRONORM_DATA"]) / "fsdd" / "recordings").glob("*.wav"))
    return [sn.read(path, 16_000) for path in recordings[2::60]]


@cache
def _sounds() -> Sequence[Wave]:
    clips = sn.open_source(Path(os.environ["SPECTRONORM_DATA"]) / "esc10")
    loud = [clip for clip in clips if str(clip.columns["label"]).replace(" ", "_") in _LOUD]
    return [sn.read(clip.path, 8_000) for clip in loud[::4]]
