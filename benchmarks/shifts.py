"""Simulated deployments: what a device, a room or a codec does to a wave, and what the diagnosis should say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from spectronorm.monitor import Kind

Wave = NDArray[np.float32]
Device = Callable[[Wave, int, np.random.Generator], NDArray[Any]]


@dataclass(frozen=True)
class Shift:
    """A device, and the kind that the diagnosis should name; `strong` ones must be found within 20 clips."""

    device: Device
    kind: Kind
    strong: bool


def gain(decibels: float) -> Device:
    """A fixed gain, with headroom."""
    return lambda wave, _, __: wave * 10.0 ** (decibels / 20.0)


def equalizer(frequencies: list[float], decibels: list[float]) -> Device:
    """A linear-phase filter of 129 taps with this response; frequencies as shares of half the sample rate."""
    taps = scipy.signal.firwin2(129, frequencies, 10.0 ** (np.array(decibels) / 20.0))
    return lambda wave, _, __: scipy.signal.oaconvolve(wave, taps, mode="same")


def band_limited(share: float) -> Device:
    """An elliptic low-pass of order 8 at this share of half the sample rate, 60 dB down."""
    sections = scipy.signal.ellip(8, 0.1, 60.0, share, output="sos")
    return lambda wave, _, __: scipy.signal.sosfilt(sections, wave)


def first_order(kind: str, hertz: float) -> Device:
    """A Butterworth filter of order 1: 6 dB an octave beyond this frequency."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> NDArray[Any]:
        return np.asarray(scipy.signal.sosfilt(scipy.signal.butter(1, hertz, kind, fs=rate, output="sos"), wave))

    return device


def telephone(wave: Wave, rate: int, _: np.random.Generator) -> NDArray[Any]:
    """Nothing below 300 Hz or above 3400 Hz: an elliptic band-pass of order 8, 60 dB down."""
    sections = scipy.signal.ellip(8, 0.1, 60.0, [300.0, 3400.0], "bandpass", fs=rate, output="sos")
    return np.asarray(scipy.signal.sosfilt(sections, wave))


def pink_noise(snr: float) -> Device:
    """Noise that falls by 3 dB an octave, at this signal-to-noise ratio in dB, clip by clip."""

    def device(wave: Wave, _: int, generator: np.random.Generator) -> NDArray[Any]:
        spectrum = np.fft.rfft(generator.standard_normal(len(wave)))
        noise = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1.0), len(wave))
        power = float(np.mean(np.square(wave, dtype=np.float64)))
        return np.asarray(wave + noise * np.sqrt(power / np.mean(noise**2)) * 10.0 ** (-snr / 20.0))

    return device


def noisy(snr: float) -> Device:
    """White noise at this signal-to-noise ratio in dB, clip by clip."""

    def device(wave: Wave, _: int, generator: np.random.Generator) -> NDArray[Any]:
        power = float(np.mean(np.square(wave, dtype=np.float64)))
        noise = generator.standard_normal(len(wave)) * np.sqrt(power) * 10.0 ** (-snr / 20.0)
        return np.asarray(wave + noise)

    return device


SHIFTS: Mapping[str, Shift] = {
    "none": Shift(gain(0.0), Kind.NOTHING, strong=False),
    "gain -20 dB": Shift(gain(-20.0), Kind.LEVEL, strong=True),
    "gain -6 dB": Shift(gain(-6.0), Kind.LEVEL, strong=False),
    "gain +6 dB": Shift(gain(6.0), Kind.LEVEL, strong=False),
    "gain +20 dB": Shift(gain(20.0), Kind.LEVEL, strong=True),
    "dull": Shift(equalizer([0, 0.05, 0.15, 0.3, 0.6, 1], [0, 0, -6, -14, -24, -30]), Kind.EQUALIZATION, strong=True),
    "bright": Shift(equalizer([0, 0.03, 0.1, 0.25, 0.5, 1], [-24, -24, -16, -8, 0, 0]), Kind.EQUALIZATION, strong=True),
    "band-limited": Shift(band_limited(0.4), Kind.BAND_LIMIT, strong=True),
    "noise 20 dB": Shift(noisy(20.0), Kind.NOISE, strong=False),
    "noise 5 dB": Shift(noisy(5.0), Kind.NOISE, strong=True),
    "8 bits": Shift(lambda wave, _, __: np.round(wave * 127.0) / 127.0, Kind.NOISE, strong=False),
    "clipped": Shift(lambda wave, _, __: np.clip(wave * 10.0, -1.0, 1.0), Kind.CLIPPING, strong=False),
    "dead channel": Shift(lambda wave, _, __: wave * 0.0, Kind.SILENCE, strong=True),
}
"""Every device by name; the other data set is added by the benchmark."""
FRESH: Mapping[str, Shift] = {
    "gain -12 dB": Shift(gain(-12.0), Kind.LEVEL, strong=False),
    "gain +12 dB": Shift(gain(12.0), Kind.LEVEL, strong=False),
    "falling 6 dB an octave": Shift(first_order("lowpass", 700.0), Kind.EQUALIZATION, strong=False),
    "rising 6 dB an octave": Shift(first_order("highpass", 2000.0), Kind.EQUALIZATION, strong=False),
    "telephone band": Shift(telephone, Kind.BAND_LIMIT, strong=True),
    "cut at a quarter": Shift(band_limited(0.25), Kind.BAND_LIMIT, strong=True),
    "pink noise 10 dB": Shift(pink_noise(10.0), Kind.NOISE, strong=False),
    "clipped by 26 dB": Shift(lambda wave, _, __: np.clip(wave * 20.0, -1.0, 1.0), Kind.CLIPPING, strong=False),
}
"""Devices that no rule was chosen on."""
OTHER = "other data set"
