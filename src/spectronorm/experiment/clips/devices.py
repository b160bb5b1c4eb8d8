"""Simulated deployments: the effect of another microphone, room or line on recorded clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.signal

from spectronorm.arrays import Samples
from spectronorm.errors import ArgumentError
from spectronorm.suggestion import choice_of

_TAPS = 401


@dataclass(frozen=True)
class Deployment:
    """Linear device followed by white noise.

    Attributes:
        summary: Description in words.
        gain_db: Gain in dB.
        response: Points (frequency in Hz, gain in dB), interpolated linearly; () is flat.
        snr_db: Ratio of the filtered clip's power to the noise power in dB; None for no noise.
    """

    summary: str
    gain_db: float = 0.0
    response: tuple[tuple[float, float], ...] = ()
    snr_db: float | None = None

    def __call__(self, wave: Samples, sample_rate: int, clip: int) -> Samples:
        """Return the waveform as the device records it; the noise depends only on the clip's number."""
        heard = wave.astype(np.float64)
        if self.response:
            heard = scipy.signal.oaconvolve(heard, self._filter(sample_rate), mode="same")
        if self.snr_db is not None:
            noise = np.random.default_rng([clip, 20]).standard_normal(heard.size)
            heard = heard + noise * np.sqrt(np.mean(heard**2) * 10 ** (-self.snr_db / 10))
        return np.asarray(heard * 10 ** (self.gain_db / 20), dtype=np.float32)

    def _filter(self, sample_rate: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Design a linear-phase FIR filter of this response; the last point's gain holds up to half the sample rate."""
        half = sample_rate / 2
        hz, gains = np.array(self.response).T
        points = np.unique(np.concatenate([np.linspace(0, half, 257), hz[hz < half]]))
        gain = 10 ** (np.interp(points, hz, gains) / 20)
        return np.asarray(scipy.signal.firwin2(_TAPS, points, gain, fs=sample_rate), dtype=np.float64)


SHIFTS: Mapping[str, Deployment] = {
    "gain-20": Deployment("20 dB quieter", gain_db=-20.0),
    "muffle": Deployment(
        "dull: level below 500 Hz, down by 24 dB at 4 kHz and above", response=((0, 0), (500, 0), (4000, -24))
    ),
    "thin": Deployment(
        "bright: down by 24 dB below 150 Hz, level above 2 kHz", response=((0, -24), (150, -24), (2000, 0))
    ),
    "noise20": Deployment("white noise at a signal-to-noise ratio of 20 dB", snr_db=20.0),
    "phone": Deployment(
        "300 to 3400 Hz, noise at 20 dB, 10 dB quieter",
        gain_db=-10.0,
        response=((0, -40), (200, -40), (300, 0), (3400, 0), (3800, -40)),
        snr_db=20.0,
    ),
    "band-limited": Deployment(
        "nothing above 2 kHz: down by 60 dB from 2.3 kHz", response=((0, 0), (2000, 0), (2300, -60))
    ),
    "as-recorded": Deployment("no device: for models that were trained on another"),
}
"""Every simulated device, by the name that `--shifts` and `--train-on` take."""
ALL = ("gain-20", "muffle", "thin", "noise20", "phone")
"""Names that `--shifts all` stands for."""


def find_shift(name: str) -> str:
    """Return the name if such a device exists.

    Raises:
        ArgumentError: if there is no device with this name.
    """
    if name not in SHIFTS:
        raise ArgumentError(f"shift {name!r} is unknown; use {choice_of(name, SHIFTS)}")
    return name


def parse_shifts(text: str) -> tuple[str, ...]:
    """Parse the names in `muffle,noise20`; `all` stands for every name in `ALL`.

    Raises:
        ArgumentError: if a name is unknown.
    """
    names = ALL if text == "all" else tuple(name.strip() for name in text.split(",") if name.strip())
    return tuple(dict.fromkeys(find_shift(name) for name in names))
