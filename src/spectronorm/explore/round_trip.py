"""A clip to an image of 8 bits and back to sound, as the page plays it beside the original."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.display import Player
from spectronorm.errors import ArgumentError
from spectronorm.explore.clip_view import ClipView
from spectronorm.front_end import AnyFrontEnd, WaveformGain, require_front_end
from spectronorm.image_files import ImageCodec, LevelRange, encode_image
from spectronorm.inversion import invert

_MOST_SECONDS = 30.0


@dataclass(frozen=True, eq=False)
class TurnedBack:
    """The image, and the sound that was made from nothing else.

    Attributes:
        png: The image, which `spectronorm invert` turns into this sound too.
        wav: The sound as a WAV file.
        level: Level `(row, frame)` of the sound.
        clipped: Share of the level's cells outside the image's range.
    """

    png: bytes
    wav: bytes
    level: NDArray[np.float32]
    clipped: float


def turn_back(view: ClipView, front_end: AnyFrontEnd, low: float, high: float, name: str) -> TurnedBack:
    """Write the clip's level into an image whose grey scale spans `low` to `high`, and invert the image.

    Raises:
        ArgumentError: if the range is empty, the clip is longer than 30 s, or nothing can be inverted.
    """
    front_end = require_front_end(front_end, "turning an image into sound")
    if view.samples is None or (view.seconds or 0.0) > _MOST_SECONDS:
        raise ArgumentError(
            f"{view.seconds:.0f} s are longer than {_MOST_SECONDS:.0f} s, the most that this page inverts; "
            "spectronorm roundtrip takes any length"
        )
    wave = view.samples
    level = view.level.astype(np.float64).reshape(*front_end.level_shape, -1)
    codec = ImageCodec(front_end, LevelRange(np.array([low]), np.array([high]), "as chosen"))
    gain = WaveformGain.of(wave, front_end)
    pixels, header = codec.pixels(level, length=wave.shape[-1], gain=gain, source=name)
    decoded = codec.decode(pixels)
    back = np.asarray(invert(decoded, front_end, length=wave.shape[-1], level_error=codec.max_error))
    again = np.asarray(front_end.clip_level(back), dtype=np.float32)
    sound = header.gain.undo(back)
    quieter = max(1.0, float(np.abs(sound).max()))
    player = Player(np.atleast_2d(np.asarray(sound / quieter, dtype=np.float32)), front_end.sample_rate)
    clipped = codec.clipped(level) / level.size
    return TurnedBack(encode_image(pixels, header), player.wav(), np.ascontiguousarray(again), clipped)
