"""Devices that change waveforms: filters, codecs, noises, dynamics and accidents."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from benchmarks.shifts import Device, Wave

Floats = NDArray[np.float64]


def shelf(hertz: float, decibels: float, *, high: bool) -> Device:
    """A shelf of first order: the part beyond a frequency is louder by so many decibels."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        sections = scipy.signal.butter(1, hertz, "highpass" if high else "lowpass", fs=rate, output="sos")
        part = scipy.signal.sosfilt(sections, wave)
        return np.asarray(wave + (10.0 ** (decibels / 20.0) - 1.0) * part)

    return device


def tilt(decibels: float) -> Device:
    """A spectrum that rises by so many decibels an octave."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        spectrum = np.fft.rfft(wave)
        hertz = np.maximum(np.fft.rfftfreq(len(wave), 1 / rate), 50.0)
        return np.asarray(np.fft.irfft(spectrum * 10.0 ** (decibels * np.log2(hertz / 1000.0) / 20.0), len(wave)))

    return device


def filtered(order: int, edges: float | tuple[float, float], kind: str) -> Device:
    """A Butterworth filter; edges as shares of half the rate."""
    sections = scipy.signal.butter(order, edges, kind, output="sos")
    return lambda wave, _, __: np.asarray(scipy.signal.sosfilt(sections, wave))


def coloured(snr: float, power: float) -> Device:
    """Noise whose power goes with this power of the frequency (-2 brown, 0 white, 1 blue), at this ratio in dB."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        spectrum = np.fft.rfft(generator.standard_normal(len(wave)))
        hertz = np.maximum(np.fft.rfftfreq(len(wave), 1 / rate), 40.0)
        noise = np.fft.irfft(spectrum * (hertz / 1000.0) ** (power / 2.0), len(wave))
        loud = np.mean(np.square(wave, dtype=np.float64)) + 1e-20
        return np.asarray(wave + noise * np.sqrt(loud / np.mean(noise**2)) * 10.0 ** (-snr / 20.0))

    return device


def constant_noise(dbfs: float) -> Device:
    """White noise of one level in every clip, as of a preamplifier."""
    return lambda wave, _, generator: wave + 10.0 ** (dbfs / 20.0) * generator.standard_normal(len(wave))


def crackle(rate_per_second: float, decibels: float) -> Device:
    """Single clicks, so many decibels above the clip's RMS."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        clicks = generator.random(len(wave)) < rate_per_second / rate
        size = np.sqrt(np.mean(np.square(wave, dtype=np.float64))) * 10.0 ** (decibels / 20.0)
        return np.asarray(wave + size * clicks * generator.choice([-1.0, 1.0], len(wave)))

    return device


def subtraction(decibels: float, over: float) -> Device:
    """Spectral subtraction: the quiet fifth of each bin is taken for noise, and subtracted from its power."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        _, _, cells = scipy.signal.stft(wave, rate, nperseg=400)
        power = np.abs(cells) ** 2
        noise = np.quantile(power, 0.2, axis=1, keepdims=True) * over
        gain = np.sqrt(np.maximum(1.0 - noise / np.maximum(power, 1e-20), 10.0 ** (-decibels / 10.0)))
        return np.asarray(scipy.signal.istft(cells * gain, rate, nperseg=400)[1][: len(wave)])

    return device


def expander(ratio: float, seconds: float) -> Device:
    """Levels below the clip's loudest moment are made so many times as low, by 40 dB at most."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        square = scipy.ndimage.uniform_filter1d(np.square(wave, dtype=np.float64), int(seconds * rate))
        loud = np.sqrt(np.maximum(square, 0.0)) + 1e-7
        below = 20.0 * np.log10(loud / loud.max())
        return np.asarray(wave * 10.0 ** (np.maximum(below * (ratio - 1.0), -40.0) / 20.0))

    return device


def limiter(decibels: float) -> Device:
    """A limiter with a release of 200 ms: what exceeds the RMS by less than nothing passes, the rest is held there."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        loud = scipy.ndimage.maximum_filter1d(np.abs(wave.astype(np.float64)), int(0.005 * rate) | 1)
        loud = scipy.signal.lfilter([1.0], [1.0, -np.exp(-1.0 / (0.2 * rate))], loud) / (0.2 * rate) + 1e-9
        limit = np.sqrt(np.mean(np.square(wave, dtype=np.float64))) * 10.0 ** (-decibels / 20.0)
        return np.asarray(wave * np.minimum(1.0, limit / loud))

    return device


def soft_clipped(decibels: float) -> Device:
    """A hyperbolic tangent after so many decibels of gain over the clip's RMS."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        scale = 10.0 ** (decibels / 20.0) / (np.sqrt(np.mean(np.square(wave, dtype=np.float64))) + 1e-9)
        return np.asarray(0.8 * np.tanh(wave * scale))

    return device


def offset(value: float) -> Device:
    """A constant that is added."""
    return lambda wave, _, __: wave + value


def bits(count: int) -> Device:
    """Rounded to so many bits of the clip's peak."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        step = np.abs(wave).max() / 2 ** (count - 1) + 1e-12
        return np.asarray(np.round(wave / step) * step)

    return device


def transform_codec(share: float, decibels: float) -> Device:
    """A transform codec: cells above a share of the band are dropped, and those so far below their frame's peak."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        _, _, cells = scipy.signal.stft(wave, rate, nperseg=1024)
        size = np.abs(cells)
        kept = size > size.max(axis=0, keepdims=True) * 10.0 ** (-decibels / 20.0)
        kept[int(share * len(kept)) :] = False
        return np.asarray(scipy.signal.istft(cells * kept, rate, nperseg=1024)[1][: len(wave)])

    return device


def pitched(semitones: float) -> Device:
    """Moved in pitch and not in time, by moving the bins of the STFT."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        _, _, cells = scipy.signal.stft(wave, rate, nperseg=1024)
        there = np.arange(len(cells)) / 2.0 ** (semitones / 12.0)
        size = np.stack([np.interp(there, np.arange(len(cells)), column, right=0.0) for column in np.abs(cells).T], 1)
        return np.asarray(scipy.signal.istft(size * np.exp(1j * np.angle(cells)), rate, nperseg=1024)[1][: len(wave)])

    return device


def padded(share: float) -> Device:
    """The end of each clip is silence."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        kept = wave.astype(np.float64)
        kept[int((1.0 - share) * len(wave)) :] = 0.0
        return kept

    return device


def reflected(milliseconds: float, decibels: float) -> Device:
    """One echo, so much later and quieter, as of a table."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        late = int(milliseconds * rate / 1000.0)
        return np.asarray(wave + 10.0 ** (-decibels / 20.0) * np.pad(wave, (late, 0))[: len(wave)])

    return device


def sometimes(device: Device, share: float) -> Device:
    """Behind a device in a share of the clips only."""
    return lambda wave, rate, generator: (
        device(wave, rate, generator) if generator.random() < share else wave.astype(np.float64)
    )
