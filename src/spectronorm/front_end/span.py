"""Conversion between numbers of frames and samples, on which an inverse must agree with the front end."""

from __future__ import annotations

from spectronorm.front_end.front_end import FrontEnd


def frames_of(front_end: FrontEnd, length: int) -> int:
    """Return the number of frames of a waveform of `length` samples, even if it is shorter than a window."""
    stft, samples = front_end.stft, length - front_end.level.shortens
    if stft.frame_count == "ceil":
        return -(-samples // stft.hop)
    fit = 1 + (samples + stft.padding + stft.padding_behind - stft.frame_samples) // stft.hop
    return min(fit, samples // stft.hop) if stft.frame_count == "floor" else fit


def shortest_length(front_end: FrontEnd, frames: int) -> int:
    """Return the samples of the shortest waveform with `frames` frames; the longest has `hop_length - 1` more."""
    stft = front_end.stft
    if stft.frame_count == "ceil":
        samples = (frames - 1) * stft.hop + 1
    else:
        samples = (frames - 1) * stft.hop + stft.frame_samples - stft.padding - stft.padding_behind
        if stft.frame_count == "floor":
            samples = max(samples, frames * stft.hop)
    return max(1, samples) + front_end.level.shortens
