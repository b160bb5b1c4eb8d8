"""Raw samples as a source of deployed audio: a stream, a file, or a FIFO, cut into clips."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import require_choice, set_real_numbers, set_whole_numbers
from spectronorm.audio.resample import resample
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason, SourceError
from spectronorm.front_end import require_front_end
from spectronorm.full_scale import MAX_PEAK
from spectronorm.monitor.feed.incoming import Incoming, Reading
from spectronorm.printable import printable
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_keywords, known_settings

PCM_FORMATS = {"s16le": "<i2", "s32le": "<i4", "f32le": "<f4", "u8": "u1"}

_MAX_PCM_SAMPLES = 1 << 28


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Pcm:
    """Format of raw samples (`s16le`, `s32le`, `f32le`, `u8`), sample rate in Hz, channels, and clip length in seconds.

    Raises:
        ArgumentError: if a setting is invalid.

    >>> Pcm("s16le", sample_rate=16_000, channels=1, seconds=5.0).sample_rate
    16000
    >>> Pcm("mp3")
    Traceback (most recent call last):
        ...
    spectronorm.errors.ArgumentError: pcm='mp3' must be one of s16le, s32le, f32le, u8
    """

    encoding: str = "s16le"
    sample_rate: int = 16_000
    channels: int = 1
    seconds: float = 5.0

    def __post_init__(self) -> None:
        require_choice(self.encoding, "pcm", PCM_FORMATS)
        set_whole_numbers(self, ("sample_rate",), 100, 1_000_000, of="Hz")
        set_whole_numbers(self, ("channels",), 1, 256)
        set_real_numbers(self, ("seconds",), 1e-3, 3600, of="s")
        samples = self.seconds * self.sample_rate * self.channels
        if samples > _MAX_PCM_SAMPLES:
            raise ArgumentError(
                f"clips of {self.seconds} s, {self.sample_rate} Hz and {self.channels} channels have {samples:.0f} "
                f"samples, more than {_MAX_PCM_SAMPLES}; cut shorter ones"
            )


@known_keywords
def pcm_file(path: Path, pcm: Pcm, reading: Reading, *, once: bool = False) -> Iterator[Incoming]:
    """Yield the raw samples of a file or a FIFO in clips of equal length, as `pcm_stream` does.

    A FIFO is opened again when its writer closes it, unless `once` is set; the next writer's samples begin a new clip.

    Raises:
        ArgumentError: if the path is a folder.
        SourceError: if it cannot be opened.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.raw"
    ...     _ = path.write_bytes(np.full(40_000, 3277, "<i2").tobytes())
    ...     clips = list(pcm_file(path, Pcm("s16le", 16_000, seconds=1.0), Reading(sn.FrontEnd(16_000)), once=True))
    >>> [clip.samples.shape for clip in clips if clip is not None]
    [(16000,), (16000,), (8000,)]
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ArgumentError(
                f"--pcm reads raw samples from stdin (-), a FIFO or a file, but {printable(path)} is a folder"
            )
        number = 0
        while True:
            with path.open("rb") as stream:
                for one in pcm_stream(stream, pcm, reading, after=number):
                    number += 1
                    yield one
            if once or not stat.S_ISFIFO(mode):
                return
    except OSError as error:
        raise SourceError(f"{printable(path)}: cannot be read: {error.strerror or type(error).__name__}") from error


@known_keywords
def pcm_stream(stream: BinaryIO, pcm: Pcm, reading: Reading, *, after: int = 0) -> Iterator[Incoming]:
    """Yield a raw stream in clips of equal length; the remainder counts if it is at least half a clip.

    The clips are numbered from `after` + 1 on. One clip is held at a time.

    Raises:
        SourceError: if the stream is a WAV file, whose header would be heard as samples.

    >>> import io, numpy as np, spectronorm as sn
    >>> stream = io.BytesIO(np.full(40_000, 3277, "<i2").tobytes())
    >>> clips = pcm_stream(stream, Pcm("s16le", 16_000, seconds=1.0), Reading(sn.FrontEnd(16_000)))
    >>> [clip.samples.shape for clip in clips]
    [(16000,), (16000,), (8000,)]
    """
    front_end = require_front_end(reading.front_end, "watching raw samples")
    if reading.windows is not None:
        raise ArgumentError(f"window={reading.windows.seconds} s: raw samples are cut into clips of pcm_seconds")
    width = np.dtype(PCM_FORMATS[pcm.encoding]).itemsize * pcm.channels
    wanted = max(1, round(pcm.seconds * pcm.sample_rate)) * width
    number = after
    while data := stream.read(wanted):
        if number == after and data[:4] == b"RIFF" and data[8:12] == b"WAVE":
            raise SourceError("the stream begins with the header of a WAV file; send raw samples (arecord -t raw)")
        if len(data) < wanted // 2:
            return
        wave = _decoded(data[: len(data) // width * width], pcm)
        if not np.abs(wave).max(initial=0.0) <= MAX_PEAK:
            problem = AudioError(BadAudioReason.OUT_OF_RANGE, f"its samples are not within ±{MAX_PEAK:g}")
            yield Incoming(f"clip {number + 1}", None, problem, time.time())
            number += 1
            continue
        samples = resample(wave, pcm.sample_rate, front_end.sample_rate, front_end.resampler)
        number += 1
        yield Incoming(f"clip {number}", samples, None, time.time())


def _decoded(data: bytes, pcm: Pcm) -> NDArray[np.float32]:
    """Decode to mono float32 in [-1, 1]."""
    values = np.frombuffer(data, dtype=PCM_FORMATS[pcm.encoding]).reshape(-1, pcm.channels)
    if pcm.encoding == "f32le":
        with np.errstate(invalid="ignore", over="ignore"):  # Samples that are not finite are refused.
            return np.asarray(values.mean(axis=1), dtype=np.float32)
    offset, scale = (128.0, 128.0) if pcm.encoding == "u8" else (0.0, -float(np.iinfo(values.dtype).min))
    return np.asarray((values.mean(axis=1, dtype=np.float64) - offset) / scale, dtype=np.float32)
