"""Devices of the third set that are wrong formats, codecs, rates, speeds and pitches."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from benchmarks.real_codecs import decoded_again
from benchmarks.shifts import Device, Wave
from benchmarks.third_levels import Floats


def bits_of_peak(bits: int) -> Device:
    """Samples rounded to so many bits of the clip's peak."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        peak, half = np.abs(wave).max() + 1e-9, 2.0 ** (bits - 1) - 1
        return np.asarray(np.round(wave / peak * half) / half * peak)

    return device


def mu_law_of_full_scale(bits: int) -> Device:
    """Samples rounded on a mu-law scale, at the same rate."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        half = 2.0 ** (bits - 1) - 1
        x = np.clip(wave, -1, 1)
        y = np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) * half) / half
        return np.asarray(np.sign(y) * np.expm1(np.abs(y) * np.log(256)) / 255)

    return device


def decimated(share: float, *, filtered: bool, linear: bool) -> Device:
    """To a share of the rate and back; with or without a low-pass, then by lines or by a filter."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        there = round(share * rate)
        if filtered:
            few = scipy.signal.resample_poly(wave.astype(np.float64), there, rate)
        else:
            few = np.interp(np.arange(0, len(wave) - 1, rate / there), np.arange(len(wave)), wave)
        if linear:
            return np.asarray(np.interp(np.arange(len(wave)) * there / rate, np.arange(len(few)), few))
        return _of_length(scipy.signal.resample_poly(few, rate, there), len(wave))

    return device


def coded(container: str, codec: str, rate_there: int | None = None, **options: Any) -> Device:
    """A codec of libsndfile, at another rate if it needs one."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        peak = float(np.abs(wave).max()) / 0.9 + 1e-9
        there = rate_there or rate
        sent = scipy.signal.resample_poly(wave.astype(np.float64) / peak, there, rate)
        heard = decoded_again(sent, there, container, codec, options)
        return _of_length(scipy.signal.resample_poly(heard, rate, there), len(wave)) * peak

    return device


def _of_length(wave: Floats, length: int) -> Floats:
    return np.pad(wave, (0, max(length - len(wave), 0)))[:length]


def swapped_bytes(wave: Wave, _: int, __: np.random.Generator) -> Floats:
    """Samples of 16 bits, read in the wrong order of bytes."""
    return np.round(np.clip(wave, -1, 1) * 32767).astype("<i2").byteswap().astype(np.float64) / 32768


def unsigned(wave: Wave, _: int, __: np.random.Generator) -> Floats:
    """Unsigned samples of 16 bits, read as signed."""
    samples = np.round(np.clip(wave, -1, 1) * 32767).astype(np.int64) + 32768
    return np.where(samples >= 32768, samples - 65536, samples) / 32768.0


def stereo_as_mono(wave: Wave, _: int, __: np.random.Generator) -> Floats:
    """Interleaved stereo of two like channels, read as one channel."""
    return np.repeat(wave.astype(np.float64), 2)[: len(wave)]


def speed(factor: float) -> Device:
    """Played at another rate, through a filter; repeated or cut to the same length."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        return np.resize(scipy.signal.resample_poly(wave.astype(np.float64), 100, round(100 * factor)), len(wave))

    return device


def pitch(semitones: float) -> Device:
    """The pitch is moved, the tempo kept."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        factor = 2.0 ** (semitones / 12)
        moved = scipy.signal.resample_poly(_stretched(wave, factor), 1000, round(1000 * factor))
        return np.resize(moved, len(wave))

    return device


def tempo(factor: float) -> Device:
    """The tempo is changed, the pitch kept; repeated or cut to the same length."""
    return lambda wave, _, __: np.resize(_stretched(wave, 1.0 / factor), len(wave))


def _stretched(wave: Wave, factor: float, n: int = 512) -> Floats:
    """A phase vocoder: so many times as long."""
    hop, window = n // 4, np.hanning(n)
    x = np.pad(wave.astype(np.float64), (n, 2 * n))
    places = np.arange(0, len(x) - n - hop, hop / factor).astype(int)
    phase, out = np.zeros(n // 2 + 1), np.zeros(len(places) * hop + n)
    for number, place in enumerate(places):
        one = np.fft.rfft(window * x[place : place + n])
        two = np.fft.rfft(window * x[place + hop : place + hop + n])
        phase = phase + np.angle(two) - np.angle(one) if number else np.angle(one)
        out[number * hop : number * hop + n] += window * np.fft.irfft(np.abs(two) * np.exp(1j * phase))
    start = int(n * factor)
    return out[start : start + int(len(wave) * factor)] / 1.5


def flutter(share: float, hertz: float) -> Device:
    """A worn tape drive: its speed varies by a share, so many times a second."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        place = np.arange(len(wave))
        late = share * rate / (2 * np.pi * hertz) * np.sin(2 * np.pi * (hertz * place / rate + generator.random()))
        return np.interp(place + late, place, wave)

    return device
