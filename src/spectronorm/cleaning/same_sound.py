"""Comparison of the waveforms of two clips that may hold one sound, at another volume, rate or time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Reader, Span
from spectronorm.errors import AudioError
from spectronorm.suggestion import known_settings

_RATE = 8000
_LOW_HZ, _HIGH_HZ = 200.0, 3000.0
_MOST_SECONDS = 10.0
_SEARCH_SECONDS = 0.03
_STEPS, _TAPS = 16, 32
"""Parts of a sample in which the best lag is searched."""
_Wave = NDArray[np.float64]


@known_settings
@dataclass(frozen=True)
class Likeness:
    """Similarity of two sounds where they overlap.

    Attributes:
        correlation: Magnitude of the correlation of their waveforms, 200 to 3000 Hz, 0 to 1.
        gain_db: Level of the second one over the first one.
        lag: Seconds by which the second one has the sound later.
        seconds: Length of the overlap.

    >>> Likeness(correlation=0.98, gain_db=-6.0, lag=0.1, seconds=4.0).gain_db
    -6.0
    """

    correlation: float
    gain_db: float
    lag: float
    seconds: float


def likeness(
    reader: Reader, first: tuple[ClipReference, float], second: tuple[ClipReference, float], lag: float
) -> Likeness | None:
    """Compare two clips, each given with its length in seconds, of which the second may have a sound `lag` s later.

    At most ten seconds in the middle of the overlap are compared, with a search of 30 ms around the lag.

    Returns:
        The likeness; None if a clip cannot be read, or there is no overlap.
    """
    begin, end = max(0.0, -lag), min(first[1], second[1] - lag)
    if end - begin <= 0:
        return None
    middle, half = (begin + end) / 2, min(_MOST_SECONDS, end - begin) / 2
    start = max(0.0, middle - half)
    try:
        one = _section(reader, first[0], start, 2 * half)
        other = _section(reader, second[0], max(0.0, start + lag), 2 * half)
    except AudioError:
        return None
    count = min(len(one), len(other))
    if count < 2:
        return None
    delay, correlation, gain = _aligned(_filtered(one[:count]), _filtered(other[:count]))
    return Likeness(correlation, 20 * math.log10(max(gain, 1e-10)), lag + delay / _RATE, end - begin)


def _section(reader: Reader, clip: ClipReference, start: float, seconds: float) -> _Wave:
    origin = 0.0 if clip.span is None else clip.span.start
    piece = clip.piece(Span(origin + start, origin + start + seconds))
    patient = Reader(reader.untrusted, tolerate_short=seconds)
    return patient.read(piece, _RATE).samples.astype(np.float64)


def _filtered(wave: _Wave) -> _Wave:
    """The wave between 200 and 3000 Hz, weighted by frequency, so that hum or rumble alone makes nothing alike."""
    spectrum = np.fft.rfft(wave)
    hz = np.fft.rfftfreq(len(wave), 1 / _RATE)
    return np.fft.irfft(spectrum * np.where((hz >= _LOW_HZ) & (hz <= _HIGH_HZ), hz / _HIGH_HZ, 0.0), len(wave))


def _aligned(one: _Wave, other: _Wave) -> tuple[float, float, float]:
    """Best delay of the other wave in samples, correlation there, and gain."""
    size = 1 << (2 * len(one) - 1).bit_length()
    cross = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    products = np.fft.irfft(cross, size)
    most = min(round(_SEARCH_SECONDS * _RATE), len(one) - 1)
    lags = np.arange(-most, most + 1)
    best = int(lags[np.abs(products[lags]).argmax()])
    near = best + np.arange(-_STEPS, _STEPS + 1) / _STEPS
    values = _between(products, best, near)
    delay = float(near[np.abs(values).argmax()])
    whole = round(delay)
    left = one[max(0, -whole) : len(one) - max(0, whole)]
    right = other[max(0, whole) : len(other) - max(0, -whole)]
    own, others = float(left @ left), float(right @ right)
    if own <= 0 or others <= 0:
        return delay, 0.0, 0.0
    product = float(np.abs(values).max())
    return delay, min(1.0, product / math.sqrt(own * others)), math.sqrt(others / own)


def _between(values: _Wave, centre: int, places: _Wave) -> _Wave:
    """Values of a circular sequence between its samples, within one of `centre`, by a windowed sinc."""
    taps = centre + np.arange(-_TAPS, _TAPS + 1)
    distance = places[:, None] - taps
    weights = np.sinc(distance) * np.cos(np.pi / 2 * np.clip(distance / (_TAPS + 1), -1, 1)) ** 2
    return np.asarray(weights @ values[taps % len(values)])
