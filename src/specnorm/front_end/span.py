"""How many samples frames span, and how many frames samples make: what an inverse must agree on with the front end."""

from __future__ import annotations

from specnorm.front_end.front_end import FrontEnd


def frames_of(front_end: FrontEnd, length: int) -> int:
    """How many frames a wave of `length` samples makes, ones shorter than a window included."""
    stft = front_end.stft
    return 1 + (length + 2 * stft.padding - stft.n_fft) // stft.hop


def shortest_length(front_end: FrontEnd, frames: int) -> int:
    """The shortest wave that makes so many frames, in samples; the longest is `hop_length - 1` samples longer."""
    stft = front_end.stft
    return max(1, (frames - 1) * stft.hop + stft.n_fft - 2 * stft.padding)
