"""The channels of a recording: averaged, chosen, or kept beside each other."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.clip import Remark
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason
from spectronorm.kernels.jit import kernel

MEAN, FIRST, EACH, STACK = "mean", "first", "each", "stack"
MAX_CHANNELS = 1024
CANCEL_DB = 20.0
"""By how much the mean of channels may be quieter than they are: uncorrelated ones lose 3 dB for each doubling."""


def check_channels(channels: object) -> str:
    """The text that says which channels are read.

    Args:
        channels: `mean`; `first` or a number from 0; `each` (every channel is a clip); `stack` or `stack:N` (kept
            beside each other).

    Raises:
        ArgumentError: for anything else.

    >>> check_channels(1), check_channels("stack:2")
    ('1', 'stack:2')
    """
    text = str(channels) if type(channels) is int else channels
    if isinstance(text, str):
        kind, _, count = text.partition(":")
        if text in (MEAN, FIRST, EACH, STACK) or (_number(text) is not None):
            return text
        if kind == STACK and (number := _number(count)) is not None and number >= 1:
            return text
    raise ArgumentError(
        f"channels={channels!r} must be mean, first, a number from 0 to {MAX_CHANNELS - 1}, each, stack or stack:N"
    )


def stacked(channels: str) -> int | None:
    """Number of channels kept as a stack; None if there is only one.

    Raises:
        ArgumentError: if the number is unknown: `stack` alone.
    """
    kind, _, count = channels.partition(":")
    if kind != STACK:
        return None
    if not count:
        raise ArgumentError("channels='stack' must say how many, such as stack:2; fit finds out by itself")
    return int(count)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) < MAX_CHANNELS else None


def chosen(samples: NDArray[np.float32], channels: str, channel: int | None = None) -> NDArray[np.float32]:
    """Return the channels of decoded samples `(sample, channel)`: `(sample,)`, or `(channel, sample)` of a stack.

    Args:
        samples: Decoded samples.
        channels: Result of `check_channels`.
        channel: Index of the channel that the clip is, which `channels` then has no say in; None for a clip of all.

    Raises:
        AudioError: if the recording has no such channel, or fewer channels than a stack needs.
    """
    there = samples.shape[1]
    wanted = stacked(channels)
    if wanted is not None:
        if channel is not None:
            raise AudioError(
                BadAudioReason.CHANNELS, f"it is one channel of a recording, not the {wanted} of this stack"
            )
        if there != wanted:
            raise AudioError(BadAudioReason.CHANNELS, f"it has {_plural(there)}, not the {wanted} of this stack")
        return np.ascontiguousarray(samples.T)
    if channel is None and channels in (MEAN, EACH):
        return samples[:, 0] if there == 1 else samples.mean(axis=1, dtype=np.float32)
    number = channel if channel is not None else 0 if channels == FIRST else int(channels)
    if not 0 <= number < there:
        raise AudioError(BadAudioReason.CHANNELS, f"it has {_plural(there)}, so there is no channel {number} (from 0)")
    return np.ascontiguousarray(samples[:, number])


def own_channel(samples: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """The channels `(sample, channel)` that a clip is: one column, or all of them without a `channel`.

    Raises:
        AudioError: if the recording has no such channel.
    """
    return samples if channel is None else chosen(samples, MEAN, channel)[:, None]


def _plural(count: int) -> str:
    return f"{count} channel{'s' if count != 1 else ''}"


def _add_powers_by_numpy(samples: NDArray[np.float32], each: NDArray[np.float64]) -> float:
    wide = samples.astype(np.float64)
    each += (wide * wide).sum(axis=0)
    return float((wide.sum(axis=1) ** 2).sum() / samples.shape[1] ** 2)


@kernel(_add_powers_by_numpy, cache=True, nogil=True)
def _add_powers(samples: NDArray[np.float32], each: NDArray[np.float64]) -> float:
    """Add the squares of samples `(sample, channel)` to `each` `(channel,)`; returns that of their mean."""
    of_mean = 0.0
    for t in range(samples.shape[0]):
        total = 0.0
        for c in range(samples.shape[1]):
            x = np.float64(samples[t, c])
            total += x
            each[c] += x * x
        of_mean += total * total
    return float(of_mean / (samples.shape[1] * samples.shape[1]))


class ChannelPowers:
    """The power of each channel and of their mean, as samples come."""

    def __init__(self) -> None:
        self._each: NDArray[np.float64] | float = 0.0
        self._mean = 0.0

    def add(self, samples: NDArray[np.float32]) -> None:
        """More samples `(sample, channel)`."""
        if samples.shape[1] > 1:
            each = np.zeros(samples.shape[1])
            self._mean += _add_powers(np.ascontiguousarray(samples), each)
            self._each = self._each + each

    def remarks(self, channels: str) -> tuple[Remark, ...]:
        """Faults of the channels, given what is made of them: they cancel, or one is dead and others are not."""
        powers = np.atleast_1d(np.asarray(self._each))
        if len(powers) < 2 or not powers.any():
            return ()
        found = []
        rms = float(np.sqrt(powers).mean())
        if channels == MEAN and math.sqrt(self._mean) < rms * 10 ** (-CANCEL_DB / 20):
            found.append(BadAudioReason.CHANNELS_CANCEL)
        if (channels == MEAN or channels.startswith(STACK)) and not powers.all():
            found.append(BadAudioReason.DEAD_CHANNEL)
        return tuple(Remark(reason, _DETAILS[reason]) for reason in found)


_DETAILS = {
    BadAudioReason.CHANNELS_CANCEL: "its channels cancel: their mean is more than 20 dB quieter than they are; it was "
    "counted; choose another way with channels",
    BadAudioReason.DEAD_CHANNEL: "a channel of it is silent beside others; it was counted",
}
"""Explanations of flagged clips in a profile."""


def cancel(remarks: tuple[Remark, ...]) -> bool:
    """True if channels cancel: their mean may be silent although the recording is not."""
    return any(remark.reason is BadAudioReason.CHANNELS_CANCEL for remark in remarks)
