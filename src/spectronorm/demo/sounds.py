"""Ten kinds of everyday sound, each synthesized by one function from a random generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import scipy  # scipy.signal is imported on first use

from spectronorm.arrays import Floats

__all__ = ["SOUNDS", "Sound"]

Sound = Callable[[int, float, np.random.Generator], Floats]

# Highest frequency of any partial, as a share of the sample rate: above one half, partials alias.
_HIGHEST_SHARE = 0.45


def _times(sample_rate: int, seconds: float) -> Floats:
    """Return the time of each sample in seconds."""
    return np.arange(round(sample_rate * seconds)) / sample_rate


def _draw_pitch(low: float, high: float, sample_rate: int, rng: np.random.Generator) -> float:
    """Draw a frequency in Hz between `low` and `high`, lowered if the sample rate is too low for it."""
    highest = _HIGHEST_SHARE * sample_rate
    return float(rng.uniform(min(low, 0.7 * highest), min(high, highest)))


def _band_noise(count: int, sample_rate: int, low: float, high: float, rng: np.random.Generator) -> Floats:
    """Return `count` samples of noise between `low` and `high` Hz, with unit standard deviation."""
    highest = min(high, _HIGHEST_SHARE * sample_rate)
    band = (min(low, 0.5 * highest), highest)
    sections = scipy.signal.butter(2, band, "bandpass", fs=sample_rate, output="sos")
    noise = np.asarray(scipy.signal.sosfilt(sections, rng.standard_normal(count)), dtype=np.float64)
    return noise / max(float(noise.std()), 1e-12)


def _arch(count: int, summit: float) -> Floats:
    """Return a smooth rise from zero to one at the share `summit` of `count` samples, followed by a fall."""
    height = np.interp(np.linspace(0.0, 1.0, count), (0.0, summit, 1.0), (0.0, 1.0, 0.0))
    return np.asarray(np.sin(0.5 * np.pi * height) ** 2, dtype=np.float64)


def _voice(pitch: Floats, formants: Sequence[tuple[float, float]], sample_rate: int) -> Floats:
    """Return the partials of a `pitch` in Hz, amplified near each formant (centre and half-width in Hz)."""
    highest = _HIGHEST_SHARE * sample_rate
    phase = 2.0 * np.pi * np.cumsum(pitch) / sample_rate
    twice_cosine = 2.0 * np.cos(phase)
    before, partial = np.zeros_like(phase), np.sin(phase)
    total = np.zeros_like(phase)
    for number in range(1, min(16, int(highest / pitch.min())) + 1):
        frequency = number * pitch
        weight = sum(1.0 / (1.0 + ((frequency - center) / width) ** 2) for center, width in formants)
        # A partial that glides past the limit fades out, because a sudden stop would click.
        total += weight * np.clip((highest - frequency) / (0.1 * highest), 0.0, 1.0) * partial
        # sin((n + 1) x) = 2 cos(x) sin(n x) - sin((n - 1) x) saves one sine for each partial and sample.
        before, partial = partial, twice_cosine * partial - before
    return total


def _ring(pitches: Sequence[float], decays: Sequence[float] | Floats, sample_rate: int) -> Floats:
    """Return a struck body: sines with the given pitches in Hz that decay with time constants in seconds."""
    times = _times(sample_rate, 7.0 * max(decays))
    waves = [
        np.sin(2.0 * np.pi * pitch * times) * np.exp(-times / decay)
        for pitch, decay in zip(pitches, decays, strict=True)
    ]
    return np.asarray(np.sum(waves, axis=0), dtype=np.float64)


def _strikes(count: int, per_sample: float, spread: float, body: Floats, rng: np.random.Generator) -> Floats:
    """Return `count` samples of a body struck at random moments with log-normal strengths."""
    places = rng.integers(0, count, max(1, int(rng.poisson(per_sample * count))))
    strengths = rng.lognormal(0.0, spread, places.size) * rng.choice((-1.0, 1.0), places.size)
    train = np.bincount(places, strengths, minlength=count)
    return np.asarray(scipy.signal.oaconvolve(train, body)[:count], dtype=np.float64)


def _add(samples: Floats, piece: Floats, start: float, sample_rate: int) -> None:
    """Add a piece to `samples` in place from `start` seconds on, cut at the end."""
    first = max(0, round(start * sample_rate))
    part = piece[: max(0, samples.size - first)]
    samples[first : first + part.size] += part


def _finish(samples: Floats, sample_rate: int, rng: np.random.Generator) -> Floats:
    """Add faint room noise and scale to a random peak, since no two recordists set equal levels."""
    room = _band_noise(samples.size, sample_rate, 60.0, 2000.0, rng)
    heard = samples / max(float(np.abs(samples).max()), 1e-12) + 10.0 ** rng.uniform(-3.5, -2.5) * room
    peak = np.exp(rng.uniform(np.log(0.05), np.log(0.9)))
    return np.asarray(heard * (peak / np.abs(heard).max()), dtype=np.float64)


def crickets(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return two or three crickets, each a pure high tone in chirps of a few short pulses."""
    times = _times(sample_rate, seconds)
    samples = 0.008 * _band_noise(times.size, sample_rate, 1500.0, 7000.0, rng)
    for distance in range(int(rng.integers(2, 4))):
        pulses, pulse_rate = int(rng.integers(3, 6)), rng.uniform(22.0, 34.0)
        period = pulses / pulse_rate + rng.uniform(0.08, 0.35)
        # No insect keeps exact time: chirps come alternately a little early and late.
        uneven = times + 0.06 * np.sin(2.0 * np.pi * rng.uniform(0.2, 0.5) * times + rng.uniform(0.0, 6.0))
        pulse = (uneven + rng.uniform(0.0, period)) % period * pulse_rate
        heard = np.flatnonzero(pulse < pulses)
        tone = np.sin(2.0 * np.pi * _draw_pitch(3900.0, 5300.0, sample_rate, rng) * times[heard])
        gate = np.sin(np.pi * pulse[heard]) ** 2 * (0.6 + 0.4 * pulse[heard] / pulses)
        samples[heard] += rng.uniform(0.3, 0.5) ** distance * gate * tone
    return _finish(samples, sample_rate, rng)


def rain(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return steady rain: a broad hiss, a dense patter and a few heavy drops nearby."""
    count = round(sample_rate * seconds)
    samples = _band_noise(count, sample_rate, rng.uniform(500.0, 1200.0), rng.uniform(9000.0, 16000.0), rng)
    dab = _times(sample_rate, 0.004)
    patter = rng.standard_normal(dab.size) * np.exp(-dab / rng.uniform(0.0004, 0.0009))
    samples += 1.5 * _strikes(count, rng.uniform(150.0, 500.0) / sample_rate, 0.5, patter, rng)
    pitches = [_draw_pitch(low, 2.0 * low, sample_rate, rng) for low in (700.0, 1000.0, 1500.0)]
    drop = _ring(pitches, rng.uniform(0.003, 0.008, 3), sample_rate)
    samples += 1.5 * _strikes(count, rng.uniform(5.0, 15.0) / sample_rate, 0.5, drop, rng)
    return _finish(samples, sample_rate, rng)


def clock_tick(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return a clock: evenly spaced dry clicks that alternate between two pitches."""
    samples = np.zeros(round(sample_rate * seconds))
    period = 1.0 / rng.choice((1.0, 2.0, 2.5, 4.0, 5.0))
    clicks = []
    for _ in range(2):
        pitches = [_draw_pitch(low, 1.5 * low, sample_rate, rng) for low in (450.0, 1600.0, 2700.0, 4300.0, 7000.0)]
        clicks.append(_ring(pitches, [0.018, *rng.uniform(0.003, 0.012, 4)], sample_rate))
    recoil = rng.uniform(0.012, 0.03)
    starts = np.arange(rng.uniform(0.02, 0.5 * min(period, seconds)), seconds, period)
    for number, start in enumerate(starts):
        moment = start + rng.normal(0.0, 0.001)
        _add(samples, clicks[number % 2], moment, sample_rate)
        # The escapement touches twice: the lever drops, then the wheel is caught.
        _add(samples, 0.4 * clicks[1 - number % 2], moment + recoil, sample_rate)
    return _finish(samples, sample_rate, rng)


def siren(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return a siren: a loud horn that wails slowly, yelps fast or alternates between two tones."""
    times = _times(sample_rate, seconds)
    style = int(rng.integers(3))
    rate = rng.uniform(*((0.2, 0.4), (2.0, 3.5), (0.5, 0.9))[style])
    turn = np.sin(2.0 * np.pi * rate * times + rng.uniform(0.0, 2.0 * np.pi))
    if style == 2:
        turn = np.tanh(40.0 * turn)
    octaves = 0.41 if style == 2 else rng.uniform(1.0, 1.4)
    pitch = rng.uniform(450.0, 650.0) * 2.0 ** (octaves * (0.5 + 0.5 * turn))
    horn = _voice(pitch, ((1100.0, 700.0),), sample_rate)
    street = _band_noise(times.size, sample_rate, 40.0, 500.0, rng)
    nearness = np.interp(times / seconds, (0.0, rng.uniform(0.3, 0.7), 1.0), (rng.uniform(0.3, 0.9), 1.0, 0.5))
    return _finish(nearness * horn + 0.04 * street, sample_rate, rng)


def dog_bark(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return a dog: short hoarse barks whose pitch jumps up and falls, singly and in pairs."""
    samples = np.zeros(round(sample_rate * seconds))
    size = rng.uniform(0.7, 1.6)
    start = rng.uniform(0.0, 0.1 * min(seconds, 3.0))
    while start < seconds:
        count = round(sample_rate * rng.uniform(0.13, 0.22) * size**0.3)
        share = np.linspace(0.0, 1.0, count)
        pitch = np.interp(share, (0.0, 0.25, 1.0), (280.0, 520.0 * rng.uniform(0.9, 1.1), 240.0)) / size
        bark = _voice(pitch, ((850.0 / size, 250.0), (1700.0 / size, 300.0), (3000.0, 900.0)), sample_rate)
        breath = _band_noise(count, sample_rate, 500.0, 4500.0, rng)
        _add(samples, rng.uniform(0.6, 1.0) * _arch(count, 0.2) * (bark + 0.35 * breath), start, sample_rate)
        start += count / sample_rate + rng.choice((rng.uniform(0.06, 0.15), rng.uniform(0.3, 0.9)))
    return _finish(samples, sample_rate, rng)


def sea_waves(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return surf: a low roar that swells slowly, with a hiss that follows as each wave breaks."""
    count = round(sample_rate * seconds)
    roar, foam = np.full(count, 0.15), np.full(count, 0.02)
    period = rng.uniform(2.8, 4.5)
    for crest in np.arange(rng.uniform(0.2, 0.8) * min(seconds, period), seconds + period, period):
        height = rng.uniform(0.6, 1.0)
        swell = height * _arch(round(1.3 * period * sample_rate), 0.4)
        # The part before the clip's start is cut away, so that a clip may start within a wave.
        early = max(0, round((0.52 * period - crest) * sample_rate))
        _add(roar, swell[early:], crest - 0.52 * period, sample_rate)
        _add(foam, swell[early:] ** 3, crest - 0.52 * period + 0.12 * period, sample_rate)
    samples = roar * _band_noise(count, sample_rate, 80.0, 700.0, rng)
    samples += 0.7 * foam * _band_noise(count, sample_rate, 900.0, 8000.0, rng)
    return _finish(samples, sample_rate, rng)


def rooster(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return a rooster: four crowed syllables, the last one long and falling, rich in partials."""
    samples = np.zeros(round(sample_rate * seconds))
    length = min(rng.uniform(1.6, 2.3), 0.95 * seconds)
    start = rng.uniform(0.0, min(0.5, seconds - length))
    height = rng.uniform(480.0, 680.0)
    while start + length <= seconds:
        share = np.linspace(0.0, 1.0, round(length * sample_rate))
        moments = (0.0, 0.06, 0.12, 0.16, 0.26, 0.30, 0.40, 0.50, 0.56, 0.66, 0.85, 1.0)
        heights = (0.7, 1.0, 0.8, 0.9, 1.1, 1.0, 1.35, 1.2, 1.25, 1.5, 1.2, 0.7)
        trill = 1.0 + 0.012 * np.sin(2.0 * np.pi * rng.uniform(20.0, 30.0) * length * share)
        pitch = height * rng.uniform(0.97, 1.03) * np.interp(share, moments, heights) * trill
        crow = _voice(pitch, ((1300.0, 500.0), (2600.0, 500.0), (4200.0, 1200.0)), sample_rate)
        loud = np.zeros_like(share)
        for first, last, strength in (
            (0.0, 0.13, 0.5),
            (0.15, 0.27, 0.6),
            (0.29, 0.53, 0.9),
            (0.55, 1.0, 1.0),
        ):
            _add(loud, strength * _arch(round((last - first) * share.size), 0.3) ** 0.5, first, share.size)
        _add(samples, loud * crow, start, sample_rate)
        start += length + rng.uniform(0.4, 1.5)
    return _finish(samples, sample_rate, rng)


def helicopter(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return a helicopter: low thumps at the rate of its blades, the wash of air and a thin whine."""
    times = _times(sample_rate, seconds)
    turn = 2.0 * np.pi * rng.uniform(9.0, 17.0) * times
    slap = np.exp(5.0 * (np.cos(turn) - 1.0))
    thump = np.sin(round(rng.uniform(5.0, 8.0)) * turn + 0.8)
    low = _band_noise(times.size, sample_rate, 60.0, 600.0, rng)
    wash = _band_noise(times.size, sample_rate, 500.0, 4000.0, rng)
    whine = np.sin(2.0 * np.pi * _draw_pitch(1800.0, 3400.0, sample_rate, rng) * times + 0.5 * np.sin(turn))
    samples = slap * (1.6 * thump + 0.7 * low) + (0.05 + 0.22 * slap) * wash + 0.02 * whine + 0.08 * low
    approach = 10.0 ** np.interp(times / seconds, (0.0, 1.0), rng.uniform(-0.35, 0.0, 2))
    return _finish(approach * samples, sample_rate, rng)


def crackling_fire(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return a fire: sparse dry cracks of very unequal strength over a low, unsteady rumble."""
    count = round(sample_rate * seconds)
    knots = np.linspace(0.0, 1.0, 2 + int(4.0 * seconds))
    flicker = np.interp(np.linspace(0.0, 1.0, count), knots, rng.uniform(0.3, 1.0, knots.size))
    samples = 0.35 * flicker * _band_noise(count, sample_rate, 30.0, 180.0, rng)
    samples += 0.02 * flicker * _band_noise(count, sample_rate, 200.0, 3000.0, rng)
    for per_second, low, decay in ((14.0, 2500.0, 0.0004), (6.0, 1200.0, 0.0015), (1.5, 500.0, 0.004)):
        pitches = [_draw_pitch(low, 3.0 * low, sample_rate, rng) for _ in range(4)]
        body = _ring(pitches, [decay] * 4, sample_rate)
        rate = per_second * rng.uniform(0.6, 1.6) / sample_rate
        samples += 0.6 * _strikes(count, rate, 0.9, body, rng)
    return _finish(samples, sample_rate, rng)


def sneeze(sample_rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """Return a sneeze: a voiced breath in, a short stop, then a sudden broad burst that dies away."""
    samples = np.zeros(round(sample_rate * seconds))
    pace = min(1.0, seconds / 1.5)
    start = rng.uniform(0.0, max(0.05, 0.4 * (seconds - 1.4)))
    voice = rng.uniform(130.0, 300.0)
    for _ in range(int(rng.integers(1, 3))):
        breath_count = round(pace * rng.uniform(0.35, 0.6) * sample_rate)
        rise = voice * np.linspace(0.9, 1.5, breath_count)
        breath = 0.5 * _voice(rise, ((750.0, 150.0), (1250.0, 200.0)), sample_rate)
        breath += 0.12 * _band_noise(breath_count, sample_rate, 900.0, 4000.0, rng)
        _add(samples, 0.25 * _arch(breath_count, 0.75) * breath, start, sample_rate)
        start += breath_count / sample_rate + pace * rng.uniform(0.04, 0.12)
        burst_count = round(pace * rng.uniform(0.4, 0.65) * sample_rate)
        air = _band_noise(burst_count, sample_rate, 1200.0, 9000.0, rng) * _arch(burst_count, 0.05) ** 2
        fall = voice * np.linspace(1.8, 0.8, burst_count)
        cry = _voice(fall, ((450.0, 150.0), (900.0, 200.0), (2500.0, 400.0)), sample_rate)
        _add(samples, 0.7 * air + 0.45 * _arch(burst_count, 0.25) * cry, start, sample_rate)
        start += burst_count / sample_rate + rng.uniform(0.3, 0.8)
    return _finish(samples, sample_rate, rng)


SOUNDS: Mapping[str, Sound] = MappingProxyType(
    {
        "crickets": crickets,
        "rain": rain,
        "clock_tick": clock_tick,
        "siren": siren,
        "dog_bark": dog_bark,
        "sea_waves": sea_waves,
        "rooster": rooster,
        "helicopter": helicopter,
        "crackling_fire": crackling_fire,
        "sneeze": sneeze,
    }
)
