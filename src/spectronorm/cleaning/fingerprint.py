"""Acoustic fingerprint: the signs of band-energy differences, after Haitsma and Kalker (ISMIR 2002).

A gain leaves the signs as they are; lossy encoders, resampling and noise change some of them. A frame gives one word
of 32 bits, five milliseconds after the one before, so that a copy that is shifted or padded has many words of the
original, at another time. Of long recordings a part of the words is kept, which the words themselves decide, so that
copies keep equal ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.resample import resample

FRAME_SECONDS = 0.005
"""Time from one frame to the next."""
_RATE = 8000
MOST_WORDS = 256
"""Number of words beyond which only a half of them is kept, or a quarter."""
_SIZE, _HOP = 1024, round(FRAME_SECONDS * _RATE)
_EDGES_HZ = np.geomspace(300.0, 3400.0, 34)
_FRAMES_BACK = 4
_ACTIVE_DB = 50.0
_LEAST_POWER = 1e-11
"""Power of all bands, a full-scale sine having a quarter: there is nothing to compare in what is quieter."""
_FRAMES_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Some words of a recording, with their times.

    Attributes:
        words: The words `(word,)`.
        frames: Number of the frame of each word `(word,)`, from 0.
    """

    words: NDArray[np.uint32]
    frames: NDArray[np.int32]


class FingerprintSums:
    """The fingerprint of a recording, as blocks of it come."""

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._samples = sample_rate, 0
        self._words: list[NDArray[np.uint32]] = []
        self._powers: list[NDArray[np.float32]] = []

    def add(self, samples: NDArray[np.float32]) -> None:
        """More samples of one channel `(sample,)`."""
        before = sum(map(len, self._words))
        self._samples += len(samples)
        count = max(1, round(self._samples / self._rate / FRAME_SECONDS)) - before
        if count <= 0:
            return
        if self._rate != _RATE:
            samples = resample(np.ascontiguousarray(samples), self._rate, _RATE, "soxr_hq")
        energies = _band_energies(samples, count)
        power = energies.sum(axis=1)
        self._powers.append(power)
        self._words.append(_words(np.log(energies + np.float32(1e-3) * power[:, None] / 33 + np.float32(1e-14))))

    def fingerprint(self) -> Fingerprint:
        """The fingerprint of all samples so far."""
        if not self._words:
            return Fingerprint(np.zeros(0, np.uint32), np.zeros(0, np.int32))
        words, power = np.concatenate(self._words), np.concatenate(self._powers)
        active = power > max(_LEAST_POWER, float(power.max()) * 10 ** (-_ACTIVE_DB / 10))
        kept = _selected(words, active)
        return Fingerprint(words[kept], kept.astype(np.int32))


def _selected(words: NDArray[np.uint32], active: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The frames whose words are kept: all active ones, or those whose words hash to a part small enough."""
    frames = np.flatnonzero(active)
    hashes = (words[frames] * np.uint32(2654435761)) >> np.uint32(30)
    for part in (0, 1, 3):
        kept = np.asarray(frames[hashes & np.uint32(part) == 0])
        if len(kept) <= MOST_WORDS:
            break
    return kept


def _band_energies(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Energy of 33 bands in `count` frames, centred on multiples of the hop `(frame, band)`."""
    needed = (count - 1) * _HOP + _SIZE
    padded = np.zeros(max(needed, _SIZE // 2 + len(samples)), np.float32)
    padded[_SIZE // 2 : _SIZE // 2 + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[: count * _HOP : _HOP]
    window = np.hanning(_SIZE).astype(np.float32)
    window /= window.sum()
    bins = np.rint(_EDGES_HZ * _SIZE / _RATE).astype(int)
    found = np.empty((len(frames), len(bins) - 1), np.float32)
    for begin in range(0, len(frames), _FRAMES_AT_ONCE):
        spectrum = np.fft.rfft(frames[begin : begin + _FRAMES_AT_ONCE] * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        found[begin : begin + len(power)] = np.add.reduceat(power[:, : bins[-1]], bins[:-1], axis=1)
    return found


def _words(levels: NDArray[np.float32]) -> NDArray[np.uint32]:
    """The sign of the change in time of the difference of neighbouring bands, 32 bits for each frame."""
    differences = levels[:, :-1] - levels[:, 1:]
    earlier = differences[np.maximum(np.arange(len(levels)) - _FRAMES_BACK, 0)]
    bits = (differences > earlier).astype(np.uint8)
    return np.packbits(bits, axis=1).view(">u4").astype(np.uint32).ravel()
