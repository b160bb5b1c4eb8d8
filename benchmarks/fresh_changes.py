"""Changes of an outsider's choice, of other kinds than those of `changes`, `shifts` and `developed_on`; and pairs.

They were written when models, priors and the margin stood, and looked at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from benchmarks import devices
from benchmarks.changes import (
    Change,
    at_speed,
    band_noise,
    chain,
    change,
    compressor,
    hum,
    mixed,
    overdriven,
    reverberant,
    suppressor,
    through_rate,
)
from benchmarks.real_codecs import adpcm, mp3, opus
from benchmarks.shifts import Device, Wave, equalizer, gain, noisy, telephone

Floats = NDArray[np.float64]


def buzz(hertz: float, snr: float) -> Device:
    """A rectified mains voltage: all its harmonics, at this signal-to-noise ratio in dB."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        phase = np.arange(len(wave)) * hertz / rate + generator.random()
        return mixed(wave, scipy.signal.sawtooth(2.0 * np.pi * phase, 0.1), snr)

    return device


def corridor(milliseconds: float, feedback: float) -> Device:
    """Two parallel walls: an echo that returns again and again (a feedback comb)."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        late = int(milliseconds * rate / 1000.0)
        return np.asarray(scipy.signal.lfilter([1.0], [1.0, *np.zeros(late - 1), -feedback], wave))

    return device


def concealed(share: float, seconds: float) -> Device:
    """Lost packets in whose place the packet before is played again, 6 dB quieter each time."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        length = int(seconds * rate)
        packets = np.pad(wave.astype(np.float64), (0, -len(wave) % length)).reshape(-1, length)
        for number in range(1, len(packets)):
            if generator.random() < share:
                packets[number] = 0.5 * packets[number - 1]
        return np.asarray(packets.reshape(-1)[: len(wave)])

    return device


def thumps(rate_per_second: float, decibels: float) -> Device:
    """Hands on the microphone: decaying thumps of about 80 Hz, so many decibels above the clip's RMS."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        time = np.arange(int(0.15 * rate)) / rate
        thump = np.exp(-time / 0.03) * np.sin(2.0 * np.pi * 80.0 * time)
        struck = (generator.random(len(wave)) < rate_per_second / rate) * generator.normal(1.0, 0.3, len(wave))
        size = np.sqrt(np.mean(np.square(wave, dtype=np.float64))) * 10.0 ** (decibels / 20.0)
        return np.asarray(wave + size * scipy.signal.oaconvolve(struck, thump)[: len(wave)])

    return device


def held(times: int) -> Device:
    """Every so manieth sample, repeated: a lower rate without the filters that belong to it."""
    return lambda wave, _, __: np.repeat(wave[::times].astype(np.float64), times)[: len(wave)]


def second_microphone(milliseconds: float, decibels: float) -> Device:
    """Two microphones mixed: the second hears later, quieter and duller."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        late = int(milliseconds * rate / 1000.0)
        dull = scipy.signal.sosfilt(scipy.signal.butter(1, 1500.0, fs=rate, output="sos"), wave)
        return np.asarray(wave + 10.0 ** (-decibels / 20.0) * np.pad(dull, (late, 0))[: len(wave)])

    return device


def babble(snr: float) -> Device:
    """Many voices: noise of the spectrum of speech, modulated four times a second, at this ratio in dB."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        sections = scipy.signal.butter(1, [200.0, 700.0], "bandpass", fs=rate, output="sos")
        voices = np.zeros(len(wave))
        for _ in range(6):
            slow = scipy.ndimage.gaussian_filter1d(generator.standard_normal(len(wave) // 100 + 1), rate / 2000.0)
            loud = np.repeat(np.exp(1.5 * slow / (slow.std() + 1e-9)), 100)[: len(wave)]
            voices += loud * scipy.signal.sosfilt(sections, generator.standard_normal(len(wave)))
        return mixed(wave, voices, snr)

    return device


def broadcast(ratio: float) -> Device:
    """A station's sound: three bands, each compressed for itself."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        low, high = 300.0, 1500.0
        bands = [
            scipy.signal.butter(2, low, fs=rate, output="sos"),
            scipy.signal.butter(2, [low, high], "bandpass", fs=rate, output="sos"),
            scipy.signal.butter(2, high, "highpass", fs=rate, output="sos"),
        ]
        one = compressor(ratio, 0.05)
        parts = [np.asarray(scipy.signal.sosfilt(band, wave), dtype=np.float32) for band in bands]
        return np.asarray(np.sum([one(part + np.float32(1e-6), rate, generator) for part in parts], axis=0))

    return device


def breathing(snr: float) -> Device:
    """Hiss that is there only while there is sound, as behind a noise gate of a noisy preamplifier."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        square = scipy.ndimage.uniform_filter1d(np.square(wave, dtype=np.float64), int(0.1 * rate))
        loud = np.sqrt(np.maximum(square, 0.0)) + 1e-9
        return mixed(wave, generator.standard_normal(len(wave)) * (loud > 0.1 * loud.max()), snr)

    return device


def echo_canceller(share: float, decibels: float) -> Device:
    """A voice assistant that plays something itself: for stretches of a second the upper bands are attenuated."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        upper = scipy.signal.sosfilt(scipy.signal.butter(2, 800.0, "highpass", fs=rate, output="sos"), wave)
        on = np.repeat(generator.random(-(-len(wave) // (rate // 2))) < share, rate // 2)[: len(wave)]
        on = scipy.ndimage.uniform_filter1d(on.astype(np.float64), int(0.02 * rate))
        return np.asarray(wave - on * (1.0 - 10.0 ** (-decibels / 20.0)) * upper)

    return device


FRESH_CHANGES: Mapping[str, Change] = {
    "MP3 at 16 kb/s": change(mp3(16_000), "band-limit", "dynamics"),
    "Opus at 8.5 kb/s": change(opus(), "band-limit", "dynamics"),
    "IMA ADPCM, four bits": change(adpcm(), "added-noise"),
    "mains buzz, 0 dB": change(buzz(100.0, 0.0), "hum", "added-noise"),
    "corridor, 8 ms": change(corridor(8.0, 0.8), "reverberation", "equalization"),
    "one packet in five lost, concealed": change(concealed(0.2, 0.02), "dynamics"),
    "thumps on the microphone": change(thumps(3.0, 15.0), "added-noise"),
    "stretched by 5 %": change(at_speed(1 / 1.05), "speed"),
    "every second sample, held": change(held(2), "band-limit", "equalization"),
    "two microphones, 0.7 ms apart": change(second_microphone(0.7, 2.0), "equalization", "reverberation"),
    "babble, 5 dB": change(babble(5.0), "added-noise", "other-content"),
    "broadcast sound, 4 : 1": change(broadcast(4.0), "dynamics", "equalization"),
    "hiss that breathes, 10 dB": change(breathing(10.0), "added-noise", "dynamics"),
    "echo canceller": change(echo_canceller(0.4, 15.0), "dynamics", "equalization"),
}
"""Fourteen changes, with the names that a listener would accept."""

_BRIGHT = equalizer([0, 0.03, 0.1, 0.25, 0.5, 1], [-24, -24, -16, -8, 0, 0])
PAIRS: Mapping[str, Change] = {
    "bright, and pink noise of 10 dB": change(
        chain(_BRIGHT, devices.coloured(10.0, -1.0)), "equalization", "added-noise"
    ),
    "room of 1 s, and through 8 kHz": change(
        chain(reverberant(1.0, -6.0), through_rate(8000)), "reverberation", "band-limit"
    ),
    "12 dB louder, and treble": change(
        chain(gain(12.0), devices.shelf(1500.0, -12.0, high=True)), "level-change", "equalization"
    ),
    "fan, and noise suppressor": change(
        chain(band_noise(10.0, 200.0, 1500.0), suppressor(15.0, 6.0, 0.5)), "added-noise", "dynamics"
    ),
    "hum, and room of 0.8 s": change(chain(reverberant(0.8, -3.0), hum(50.0, 3.0, 5.0)), "hum", "reverberation"),
    "telephone, and automatic gain": change(chain(telephone, compressor(4.0, 0.1)), "band-limit", "dynamics"),
    "speed 1.5, and noise of 15 dB": change(chain(at_speed(1.5), noisy(15.0)), "speed", "added-noise"),
    "saturated, and dull": change(
        chain(overdriven(-3.0, one_sided=False), devices.tilt(-4.0)), "clipping", "dynamics", "equalization"
    ),
}
"""Two devices at once; of three names the first two are one cause."""
