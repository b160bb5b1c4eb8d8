"""Sounds in every container, with headers that lie: generators for the tests of `test_whole_files.py`."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import soundfile

from .bad_inputs import encoded, tone

RATE = 16_000
SECONDS = 1.0
SOUND = tone(SECONDS, RATE)
PLACEHOLDERS = (
    0, 0x7F000000, 0x7FFFF000, 0x7FFFFFDB, 0x7FFFFFFF, 0x80000000, 0x80000024, 0xFFFFF000, 0xFFFFFFDB, 0xFFFFFFFF,
)  # fmt: skip
"""Sizes that writers to a pipe leave behind: FFmpeg, SoX, arecord, GStreamer, mpg123, opusdec and others."""


@dataclass(frozen=True)
class Sized:
    """Where a container keeps the number of bytes (or samples) of its sound: position, format and value."""

    place: int
    form: str
    value: int
    unit: int = 2

    def claiming(self, data: bytes, value: int) -> bytes:
        """The file with another number there."""
        bits = 8 * struct.calcsize(self.form)
        text = struct.pack(self.form.upper(), value & ((1 << bits) - 1))
        return data[: self.place] + text + data[self.place + len(text) :]


def _wav(data: bytes) -> Sized:
    place = data.index(b"data") + 4
    return Sized(place, "<I", struct.unpack_from("<I", data, place)[0])


def _aiff(data: bytes) -> Sized:
    place = data.index(b"SSND") + 4
    return Sized(place, ">I", struct.unpack_from(">I", data, place)[0])


def _svx(data: bytes) -> Sized:
    place = data.index(b"BODY") + 4
    return Sized(place, ">I", struct.unpack_from(">I", data, place)[0])


def _w64(data: bytes) -> Sized:
    place = data.index(b"data\xf3\xac\xd3\x11") + 16
    return Sized(place, "<q", struct.unpack_from("<q", data, place)[0])


def _caf(data: bytes) -> Sized:
    place = data.index(b"data") + 4
    return Sized(place, ">q", struct.unpack_from(">q", data, place)[0])


def _fixed(place: int, form: str, unit: int = 2) -> Callable[[bytes], Sized]:
    return lambda data: Sized(place, form, struct.unpack_from(form, data, place)[0], unit)


def _rf64(data: bytes) -> Sized:
    return _fixed(data.index(b"ds64") + 16, "<q")(data)


SIZES: Mapping[str, Callable[[bytes], Sized]] = {
    "WAV": _wav,
    "WAVEX": _wav,
    "RF64": _rf64,
    "W64": _w64,
    "AIFF": _aiff,
    "AU": _fixed(8, ">I"),
    "CAF": _caf,
    "SVX": _svx,
    "AVR": _fixed(26, ">I", 1),
    "MPC2K": _fixed(30, "<I", 1),
}
"""Containers whose header says how much there is, in one place."""
STREAMED = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF")
"""Those that programs write to a pipe."""


def sound_in(container: str) -> bytes:
    """A second of sound in a container."""
    return encoded(container, "PCM_16", SOUND, RATE)


def claims(container: str) -> Iterator[tuple[str, bytes]]:
    """Files whose header claims too little or too much, by much and by little."""
    data = sound_in(container)
    size = SIZES[container](data)
    for share in (0.1, 0.5, 0.97, 1.03, 2.0, 10.0):
        value = round(size.value * share) // size.unit * size.unit
        yield f"{share:g} times", size.claiming(data, value)


def mpeg(seconds: float, rate: int, channels: int, mode: str, level: float) -> bytes:
    """MPEG layer III as LAME writes it: `mode` is `CONSTANT`, `AVERAGE` or `VARIABLE`, `level` 0 … 1 (small)."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(0).standard_normal((len(t), channels))
    sound = (0.3 * np.sin(2760 * t) * np.sin(4 * t))[:, None] + 0.05 * noise
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", rate, channels, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode=mode, compression_level=level
    ) as out:
        out.write(sound)
    return file.getvalue()


_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LOW_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def frame_lengths(data: bytes) -> list[int]:
    """The bytes of each frame of layer III, one by one, as ISO 11172-3 has it: the plain way that others must meet."""
    lengths, at = [], 0
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] & 0xE0 == 0xE0:
        one = data[at + 1] >> 3 & 3 == 3
        rates, samples = (_RATES, 144) if one else (_LOW_RATES, 72)
        rate = (44_100, 48_000, 32_000)[data[at + 2] >> 2 & 3] // (1 if one else 2 if data[at + 1] >> 3 & 3 == 2 else 4)
        lengths.append(samples * rates[data[at + 2] >> 4] * 1000 // rate + (data[at + 2] >> 1 & 1))
        at += lengths[-1]
    return lengths


def has_tag(data: bytes) -> bool:
    """Whether the first frame is a tag."""
    return any(word in data[:64] for word in (b"Xing", b"Info"))


def without_tag(data: bytes) -> bytes:
    """MPEG audio without the frame that says how many there are."""
    return data[frame_lengths(data)[0] :] if has_tag(data) else data


def page_starts(data: bytes) -> list[int]:
    """The beginnings of an Ogg file's pages."""
    starts, at = [], 0
    while at < len(data):
        starts.append(at)
        segments = data[at + 26]
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    return starts
