"""Devices of the third set that change levels, channels or silence: sliders, gain control, microphones, rooms."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from benchmarks.shifts import Device, Wave

Floats = NDArray[np.float64]


def rms(wave: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)) + 1e-20))


def butterworth(order: int, hertz: float, kind: str, rate: int, wave: NDArray[np.floating]) -> Floats:
    """A wave behind a Butterworth filter."""
    return np.asarray(scipy.signal.sosfilt(scipy.signal.butter(order, hertz, kind, fs=rate, output="sos"), wave))


def level_steps(decibels: float, seconds: float = 0.4) -> Device:
    """Somebody moves the slider: each stretch is louder, as recorded or quieter."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        length = int(seconds * rate)
        steps = generator.integers(-1, 2, -(-len(wave) // length)) * decibels
        return np.asarray(wave * 10.0 ** (np.repeat(steps, length)[: len(wave)] / 20.0))

    return device


def clip_levels(decibels: float) -> Device:
    """Recordists at different distances: each clip has a gain of its own, normally distributed."""
    return lambda wave, _, generator: wave * 10.0 ** (generator.normal(0, decibels) / 20.0)


def faded(decibels: float) -> Device:
    """A fade-out over the clip."""
    return lambda wave, _, __: wave * 10.0 ** (-decibels * np.linspace(0, 1, len(wave)) / 20.0)


def fading(hertz: float, decibels: float) -> Device:
    """Fading of a radio link."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        time = np.arange(len(wave)) / rate
        return np.asarray(
            wave * 10.0 ** (decibels * (np.sin(2 * np.pi * (hertz * time + generator.random())) - 1) / 40)
        )

    return device


def pumping(target: float, most: float, attack: float, release: float) -> Device:
    """Feedback gain control of a camera, towards a level in dBFS: quick down, slow up."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        length = int(0.005 * rate)
        squares = np.square(np.pad(wave.astype(np.float64), (0, -len(wave) % length))).reshape(-1, length)
        now, gains = 0.0, []
        for level in 10 * np.log10(squares.mean(axis=1) + 1e-12):
            wanted = float(np.clip(target - level, -most, most))
            now += (wanted - now) * (1 - np.exp(-0.005 / (attack if wanted < now else release)))
            gains.append(now)
        smooth = np.interp(np.arange(len(wave)), (np.arange(len(gains)) + 0.5) * length, gains)
        return np.asarray(wave * 10.0 ** (smooth / 20.0))

    return device


def to_peak(peak: float) -> Device:
    """Each clip brought to a peak."""
    return lambda wave, _, __: wave * (peak / (np.abs(wave).max() + 1e-9))


def response(*points: tuple[float, float]) -> Device:
    """A linear-phase filter through points: a share of half the rate, and decibels."""
    frequencies, decibels = zip(*points, strict=True)
    taps = scipy.signal.firwin2(257, frequencies, 10.0 ** (np.array(decibels) / 20.0))
    return lambda wave, _, __: scipy.signal.oaconvolve(wave, taps, mode="same")


PHONE = response((0, -40), (0.02, -25), (0.05, -8), (0.1, -1), (0.3, 0), (0.45, 7), (0.6, 3), (0.8, -4), (1, -12))
LAPEL = response((0, -6), (0.05, 4), (0.12, 5), (0.25, 0), (0.5, -7), (0.8, -10), (1, -14))
LAPTOP = response((0, -60), (0.04, -40), (0.08, -18), (0.15, -2), (0.25, 6), (0.35, -3), (0.5, 5), (0.7, 0), (1, -6))
CHEAP = response((0, -10), (0.1, -4), (0.2, 8), (0.3, -6), (0.4, 4), (0.55, -8), (0.75, -16), (1, -25))


def any_of(*several: Device) -> Device:
    """Each clip by one of several devices."""
    return lambda wave, rate, generator: several[int(generator.integers(len(several)))](wave, rate, generator)


def behind_door(hertz: float) -> Device:
    """Two filters of first order, an octave apart."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        return butterworth(1, hertz, "lowpass", rate, butterworth(1, 2 * hertz, "lowpass", rate, wave))

    return device


def tube(drive: float) -> Device:
    """The upper half wave saturates softly, so many decibels below the clip's RMS; the lower one does not."""

    def device(wave: Wave, _: int, __: np.random.Generator) -> Floats:
        size = rms(wave) * 10.0 ** (-drive / 20.0)
        return np.where(wave > 0, size * np.tanh(wave / size), wave)

    return device


def lower_half_clipped(share: float) -> Device:
    """The lower half wave is clipped at a share of the clip's peak."""
    return lambda wave, _, __: np.maximum(wave, -share * np.abs(wave).max())


def room(rt60: float, ratio: float, early: float) -> Device:
    """Six early reflections within so many milliseconds, then a tail whose treble decays faster."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        n = int(rt60 * rate)
        time = np.arange(n) / rate
        tail = generator.standard_normal(n) * 10.0 ** (-3 * time / rt60)
        tail = tail * np.exp(-2 * time / rt60) + 1.5 * butterworth(1, 1500.0, "lowpass", rate, tail)
        tail[: int(early / 1000 * rate)] = 0
        for _ in range(6):
            place = int(generator.uniform(0.003, early / 1000 + 0.004) * rate)
            tail[place] += generator.choice([-1, 1]) * 0.5 * np.abs(tail).max()
        tail *= 10.0 ** (-ratio / 20.0) / np.sqrt(np.sum(tail**2))
        tail[0] = 1.0
        wet = scipy.signal.oaconvolve(wave, tail)[: len(wave)]
        return np.asarray(wet * rms(wave) / rms(wet))

    return device


def dead_side(hiss: float) -> Device:
    """Stereo with one dead side, mixed down: half as loud, and the dead side's hiss in dBFS."""
    return lambda wave, _, generator: 0.5 * wave + 0.5 * 10.0 ** (hiss / 20.0) * generator.standard_normal(len(wave))


def only_hiss(hiss: float) -> Device:
    """The dead side alone."""
    return lambda wave, _, generator: 10.0 ** (hiss / 20.0) * generator.standard_normal(len(wave))


def out_of_phase(milliseconds: float) -> Device:
    """The other side is inverted and a little late: the bass cancels in the mix."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        late = max(int(milliseconds * rate / 1000), 1)
        return np.asarray(0.5 * (wave - np.pad(wave, (late, 0))[: len(wave)]))

    return device


def trimmed(below_peak: float) -> Device:
    """Stretches of 20 ms that lie so far below the loudest are cut out, as by a detector of voice activity."""

    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        length = int(0.02 * rate)
        rows = np.pad(wave, (0, -len(wave) % length)).reshape(-1, length)
        loud = np.sqrt(np.square(rows, dtype=np.float64).mean(axis=1)) + 1e-9
        kept = rows[loud > loud.max() * 10.0 ** (-below_peak / 20.0)].reshape(-1)
        return np.resize(kept, max(len(kept), min(len(wave), 2048)))

    return device


def padded(share: float, noise: float | None = None) -> Device:
    """Each clip is padded at its end by a share of its length, with zeros or noise in dBFS."""

    def device(wave: Wave, _: int, generator: np.random.Generator) -> Floats:
        n = int(share * len(wave))
        end = np.zeros(n) if noise is None else generator.standard_normal(n) * 10.0 ** (noise / 20.0)
        return np.concatenate([wave, end])

    return device


def broken_off(share: float) -> Device:
    """A transfer that ended early: in a share of the clips, zeros from a random place on."""

    def device(wave: Wave, _: int, generator: np.random.Generator) -> Floats:
        if generator.random() > share:
            return np.asarray(wave, dtype=np.float64)
        return np.where(np.arange(len(wave)) < generator.uniform(0.2, 0.8) * len(wave), wave, 0.0)

    return device


def lost(share: float, seconds: float) -> Device:
    """Dropouts of random length with short ramps."""

    def device(wave: Wave, rate: int, generator: np.random.Generator) -> Floats:
        gains, at = np.ones(len(wave)), 0
        while at < len(wave):
            length = int(generator.exponential(seconds) * rate) + 1
            if generator.random() < share:
                gains[at : at + length] = 0.0
            at += length
        return np.asarray(wave * scipy.ndimage.uniform_filter1d(gains, int(0.004 * rate)))

    return device
