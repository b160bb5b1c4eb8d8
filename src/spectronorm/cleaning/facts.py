"""Facts of one recording, measured on its samples as they are stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from spectronorm.audio.channels import MEAN, ChannelPowers
from spectronorm.cleaning.band_limit import band_limit
from spectronorm.cleaning.depth import ValueCounts
from spectronorm.cleaning.fingerprint import Fingerprint, FingerprintSums
from spectronorm.cleaning.flat_tops import FlatTops
from spectronorm.cleaning.spectrum import SpectrumSums
from spectronorm.errors import BadAudioReason
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

LOUDEST_SECONDS = 0.1
"""Length of the stretches of which the loudest is taken."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True, eq=False)
class SoundFacts:
    """Facts of one recording.

    Attributes:
        sample_rate: In Hz.
        channels: Number of channels.
        samples: Number of samples of each channel.
        low: The lowest sample.
        high: The highest sample.
        loudest: RMS of the loudest tenth of a second, of the mean of the channels.
        dc_offset: Mean of the samples of the channel in which it is farthest from zero.
        clipped: Number of samples in flat tops, over all channels; zero unless values pile up at the extremes.
        bits: Number of bits of the grid on which the samples lie, 16 at most.
        band_limit: Frequency in Hz above which there is nothing; None if the spectrum does not end abruptly.
        channel_faults: `channels-cancel` or `dead-channel`.
        level: Mean level of each band (dB of full scale) `(band,)`; NaN above half the sample rate.
        spread: Standard deviation of each band's level over frames `(band,)`; NaN likewise.
        digest: Digest of the sample rate, the number of channels and the samples.
        fingerprint: Acoustic fingerprint, if it was asked for.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(np.full(16_000, 0.25, np.float32), 16_000)]
    >>> (facts,) = sn.cleaning.inspect(waves).facts.values()
    >>> facts.seconds, facts.dc_offset, facts.bits
    (1.0, 0.25, 16)
    """

    sample_rate: int
    channels: int
    samples: int
    low: float
    high: float
    loudest: float
    dc_offset: float
    clipped: int
    bits: int
    band_limit: float | None
    channel_faults: tuple[BadAudioReason, ...]
    level: NDArray[np.float32]
    spread: NDArray[np.float32]
    digest: bytes
    fingerprint: Fingerprint | None = None

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate

    @property
    def flat(self) -> bool:
        """True if all samples are alike."""
        return self.low == self.high


def facts_of(sample_rate: int, blocks: Iterable[NDArray[np.float32]], *, with_fingerprint: bool = False) -> SoundFacts:
    """Measure a recording of at least one sample, given in blocks `(sample, channel)`; a block may be reused."""
    sums: _Sums | None = None
    for block in blocks:
        sums = _Sums(sample_rate, block.shape[1], with_fingerprint) if sums is None else sums
        sums.add(block)
    if sums is None:
        raise ValueError("a recording has at least one block")
    return sums.facts()


class _Sums:
    """Everything that is summed over blocks."""

    def __init__(self, sample_rate: int, channels: int, with_fingerprint: bool) -> None:
        self._rate = sample_rate
        self._stretch = max(1, round(LOUDEST_SECONDS * sample_rate))
        self._tops = [FlatTops() for _ in range(channels)]
        self._values, self._powers = ValueCounts(), ChannelPowers()
        self._spectrum = SpectrumSums(sample_rate)
        self._fingerprint = FingerprintSums(sample_rate) if with_fingerprint else None
        self._digest = xxhash.xxh3_128(f"{sample_rate} {channels}".encode())
        self._sum: NDArray[np.float64] = np.zeros(channels)
        self._samples, self._low, self._high, self._loudest = 0, np.inf, -np.inf, 0.0

    def add(self, block: NDArray[np.float32]) -> None:
        block = np.ascontiguousarray(block)
        self._samples += len(block)
        self._low, self._high = min(self._low, float(block.min())), max(self._high, float(block.max()))
        self._sum += block.sum(axis=0, dtype=np.float64)
        self._digest.update((block + np.float32(0.0)).tobytes())  # of which minus zero is zero
        self._values.add(block)
        self._powers.add(block)
        for channel, tops in enumerate(self._tops):
            tops.add(np.ascontiguousarray(block[:, channel]))
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
        self._loudest = max(self._loudest, _loudest(mono, self._stretch))
        self._spectrum.add(mono)
        if self._fingerprint is not None:
            self._fingerprint.add(mono)

    def facts(self) -> SoundFacts:
        spectrum = self._spectrum.spectrum()
        means = self._sum / self._samples
        flat = self._low == self._high
        clipped = sum(tops.count for tops in self._tops)
        return SoundFacts(
            self._rate,
            len(self._tops),
            self._samples,
            self._low,
            self._high,
            self._loudest,
            float(means[np.abs(means).argmax()]),
            clipped if clipped and not flat and self._values.piled_up else 0,
            self._values.bits,
            None if flat else band_limit(spectrum),
            tuple(remark.reason for remark in self._powers.remarks(MEAN)),
            spectrum.level,
            spectrum.spread,
            self._digest.digest(),
            None if self._fingerprint is None else self._fingerprint.fingerprint(),
        )


def _loudest(samples: NDArray[np.float32], stretch: int) -> float:
    """RMS of the loudest of the stretches of a block `(sample,)`; one that is not full counts alone, or at half."""
    whole = len(samples) // stretch * stretch
    powers = np.square(samples[:whole].reshape(-1, stretch)).mean(axis=1, dtype=np.float64)
    rest = samples[whole:]
    if len(rest) and (not whole or 2 * len(rest) >= stretch):
        powers = np.append(powers, np.square(rest).mean(dtype=np.float64))
    return float(np.sqrt(powers.max()))
