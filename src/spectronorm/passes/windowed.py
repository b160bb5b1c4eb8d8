"""Recordings cut into windows before a pass, if a call asks for it."""

from __future__ import annotations

from typing import TypeVar

from spectronorm.audio import Openable, Source, Windows, open_source, windows_of
from spectronorm.errors import ArgumentError
from spectronorm.front_end import AnyFrontEnd, Levels

_Target = TypeVar("_Target", bound=Openable)


def windowed(
    source: _Target, front_end: AnyFrontEnd, window: float | Windows | None, overlap: float, duration: float | None
) -> tuple[_Target | Source, float | None]:
    """The source, cut into windows if there is a `window`, and the duration in seconds that its clips are read with.

    Raises:
        ArgumentError: if the settings contradict each other, or the source holds levels.
    """
    windows = windows_of(window, overlap)
    if windows is None:
        return source, duration
    if isinstance(front_end, Levels):
        raise ArgumentError(f"window={windows.seconds} s: windows are cut from audio, not from levels")
    seconds = windows.duration(duration)
    return windows.cut(open_source(source), shortest=front_end.min_samples / front_end.sample_rate), seconds
