"""Changes of a recording chain for the diagnosis to be reported on, and the devices that make them.

Nothing of the diagnosis may be chosen on these twelve: those to develop on are in `benchmarks.developed_on`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from benchmarks.shifts import Device, Wave

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A change, and the names of the diagnosis that are right for it; "unknown-change" is never wrong.

    Attributes:
        device: The change of one waveform; None if only the choice of clips changes.
        right: Names that are right.
        classes: Number of classes that the deployment holds; 0 for all.
    """

    device: Device | None
    right: frozenset[str]
    classes: int = 0


def change(device: Device | None, *right: str, classes: int = 0) -> Change:
    return Change(device, frozenset(right), classes)


def _power(wave: NDArray[np.floating]) -> float:
    return float(np.mean(np.square(wave, dtype=np.float64))) + 1e-20


def mixed(wave: Wave, other: Floats, snr: float) -> Floats:
    """Return a wave with another sound, at this signal-to-noise ratio in dB."""
    return np.asarray(wave + other * np.sqrt(_power(wave) / _power(other)) * 10.0 ** (-snr / 20.0))


def _envelope(wave: NDArray[np.floating], rate: int, seconds: float) -> Floats:
    """Root of the mean square over a centred stretch."""
    length = max(int(seconds * rate), 1)
    square = scipy.ndimage.uniform_filter1d(np.square(wave, dtype=np.float64), length, mode="nearest")
    return np.asarray(np.sqrt(np.maximum(square, 0.0)) + 1e-7)


def suppressor(attenuation: float, margin: float, quantile: float) -> Device:
    """Spectral gate: cells less than `margin` dB above their bin's quiet level are attenuated by so many dB."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        _, _, cells = scipy.signal.stft(wave, rate, nperseg=512)
        size = np.abs(cells)
        floor = np.quantile(size, quantile, axis=1, keepdims=True) * 10.0 ** (margin / 20.0)
        gain = np.where(size > floor, 1.0, 10.0 ** (-attenuation / 20.0))
        gain = scipy.ndimage.uniform_filter1d(gain, 3, axis=1)
        return np.asarray(scipy.signal.istft(cells * gain, rate, nperseg=512)[1][: len(wave)])

    return device


def gate(below_peak: float, attenuation: float) -> Device:
    """Noise gate: what lies so many dB below the clip's loudest moment is attenuated, with a release of 100 ms."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        loud = _envelope(wave, rate, 0.02)
        open_ = (loud > loud.max() * 10.0 ** (-below_peak / 20.0)).astype(np.float64)
        open_ = scipy.ndimage.maximum_filter1d(open_, int(0.1 * rate))
        open_ = scipy.ndimage.uniform_filter1d(open_, int(0.01 * rate))
        return np.asarray(wave * (10.0 ** (-attenuation / 20.0) + open_ * (1.0 - 10.0 ** (-attenuation / 20.0))))

    return device


def compressor(ratio: float, seconds: float) -> Device:
    """Automatic gain: levels above 40 dB below the clip's loudest moment are compressed by this ratio."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        loud = _envelope(wave, rate, seconds)
        over = np.maximum(20.0 * np.log10(loud / loud.max()), -40.0)
        return np.asarray(wave * 10.0 ** (-over * (1.0 - 1.0 / ratio) / 20.0))

    return device


def reverberant(rt60: float, ratio: float) -> Device:
    """Room: the direct sound and a tail of noise that decays by 60 dB in `rt60` s, at this ratio of powers in dB."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        n = int(rt60 * rate)
        tail = generator.standard_normal(n) * 10.0 ** (-3.0 * np.arange(n) / n)
        tail[: int(0.002 * rate)] = 0.0
        tail *= 10.0 ** (-ratio / 20.0) / np.sqrt(np.sum(tail**2))
        tail[0] = 1.0
        heard_there = scipy.signal.oaconvolve(wave, tail)[: len(wave)]
        # The level of the room's microphone is set as it was: a gain would be a change of its own.
        return np.asarray(heard_there * np.sqrt(_power(wave) / _power(heard_there)))

    return device


def hum(hertz: float, snr: float, fall: float) -> Device:
    """Mains hum: harmonics that fall by `fall` dB from one to the next, at this signal-to-noise ratio in dB."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        time = np.arange(len(wave)) / rate
        tones = [
            10.0 ** (-fall * k / 20.0) * np.sin(2 * np.pi * hertz * (k + 1) * time + generator.uniform(0, 6.28))
            for k in range(8)
        ]
        return mixed(wave, np.sum(tones, axis=0), snr)

    return device


def wind(snr: float, hertz: float) -> Device:
    """Gusts of noise below a frequency, at this signal-to-noise ratio in dB."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        low = scipy.signal.sosfilt(
            scipy.signal.butter(2, hertz, fs=rate, output="sos"), generator.standard_normal(len(wave))
        )
        slow = scipy.ndimage.gaussian_filter1d(generator.standard_normal(len(wave) // 100 + 1), rate // 400)
        gusts = np.repeat(np.exp(2.0 * (slow - slow.mean()) / (slow.std() + 1e-9)), 100)[: len(wave)]
        return mixed(wave, low * gusts, snr)

    return device


def band_noise(snr: float, low: float, high: float) -> Device:
    """Steady noise between two frequencies, as of a fan, at this signal-to-noise ratio in dB."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        sections = scipy.signal.butter(2, [low, high], "bandpass", fs=rate, output="sos")
        return mixed(wave, np.asarray(scipy.signal.sosfilt(sections, generator.standard_normal(len(wave)))), snr)

    return device


def peaking(centre: float, decibels: float, quality: float) -> Device:
    """One resonance (the peaking filter of the Audio EQ Cookbook)."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        a, w = 10.0 ** (decibels / 40.0), 2 * np.pi * centre / rate
        alpha = np.sin(w) / (2.0 * quality)
        b = np.array([1 + alpha * a, -2 * np.cos(w), 1 - alpha * a])
        return np.asarray(scipy.signal.lfilter(b, np.array([1 + alpha / a, -2 * np.cos(w), 1 - alpha / a]), wave))

    return device


def at_speed(factor: float) -> Device:
    """Played at a wrong rate: so many times as fast, repeated or cut to the same length."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        there = np.arange(0, len(wave) - 1, factor)
        return np.resize(np.interp(there, np.arange(len(wave)), wave), len(wave))

    return device


def through_rate(rate_between: int) -> Device:
    """Resampled to a lower rate and back."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        there = scipy.signal.resample_poly(wave.astype(np.float64), rate_between, rate)
        return np.asarray(np.resize(scipy.signal.resample_poly(there, rate, rate_between), len(wave)))

    return device


def mu_law(bits: int, rate_between: int) -> Device:
    """Telephone codec: resampled, and rounded on a mu-law scale."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        heard = through_rate(rate_between)(wave, rate, generator)
        half, peak = 2.0 ** (bits - 1), np.abs(heard).max() + 1e-9
        coded = np.round(np.sign(heard) * np.log1p(255 * np.abs(heard) / peak) / np.log(256) * half) / half
        return np.asarray(np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255 * peak)

    return device


def overdriven(decibels: float, *, one_sided: bool) -> Device:
    """An amplifier that saturates: a gain relative to the clip's RMS into a hard limit, of one half wave or of both."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        limit = np.sqrt(_power(wave)) * 10.0 ** (-decibels / 20.0)
        clipped = np.clip(wave, -np.inf if one_sided else -limit, limit)
        return np.asarray(clipped * 0.9 / (np.abs(clipped).max() + 1e-9))

    return device


def dropouts(share: float, seconds: float) -> Device:
    """Lost packets: stretches of zeros."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        length = int(seconds * rate)
        lost = generator.random(-(-len(wave) // length)) < share
        return np.asarray(np.where(np.repeat(lost, length)[: len(wave)], 0.0, wave))

    return device


def chain(*devices: Device) -> Device:
    """One device after the other."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        for one in devices:
            wave = np.asarray(one(wave, rate, generator), dtype=np.float32)
        return np.asarray(wave, dtype=np.float64)

    return device


REPORT: Mapping[str, Change] = {
    "noise suppressor, 12 dB": change(suppressor(12.0, 9.0, 0.3), "dynamics"),
    "gate, 35 dB below the peak": change(gate(35.0, 40.0), "dynamics", "silence"),
    "automatic gain, 8 : 1, slow": change(compressor(8.0, 0.3), "dynamics"),
    "room of 1.5 s": change(reverberant(1.5, -6.0), "reverberation"),
    "hum of 60 Hz, 0 dB": change(hum(60.0, 0.0, 3.0), "hum"),
    "fan, 5 dB": change(band_noise(5.0, 200.0, 1500.0), "added-noise"),
    "muddy, +12 dB at 250 Hz": change(peaking(250.0, 12.0, 0.7), "equalization"),
    "speed 1.5": change(at_speed(1.5), "speed"),
    "mu-law at 8 kHz": change(mu_law(8, 8000), "band-limit"),
    "saturated, one half": change(overdriven(-3.0, one_sided=True), "clipping", "dynamics"),
    "one packet in four lost": change(dropouts(0.25, 0.04), "dynamics", "silence"),
    "two classes of ten": change(None, "other-content", "nothing", classes=2),
}
"""The changes that are reported."""


def heard(
    change: Change, waves: Sequence[Wave], rate: int, seed: int = 0, numbers: Sequence[int] | None = None
) -> list[Wave]:
    """All waves as changed, or those of these numbers: the same for a seed."""
    chosen = range(len(waves)) if numbers is None else numbers
    if change.device is None:
        return [waves[number] for number in chosen]
    return [
        np.asarray(change.device(waves[number], rate, np.random.default_rng([seed, number])), dtype=np.float32)
        for number in chosen
    ]
