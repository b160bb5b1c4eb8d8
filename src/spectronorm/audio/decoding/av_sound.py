"""Sound in containers that libsndfile does not know, decoded by FFmpeg's libraries through PyAV (extra `av`).

The first audio stream is read from its beginning to its end, as stored: no resampling, no mixing. FFmpeg is told which
reader to use and is given an open file: it guesses no format, and opens no other file or address.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decoding.containers.foreign import Foreign
from spectronorm.audio.decoding.containers.view import FileBytes, View
from spectronorm.errors import AudioError, BadAudioReason

UNKNOWN_FRAMES = 1 << 62
"""Number of samples of a sound whose length only decoding can tell."""
_TOLERANCE = 0.1
"""Seconds by which a container's length may exceed its sound: lengths are rounded, and encoders pad."""


def load_av() -> Any:
    """Return the module `av`, with nothing written to stderr by FFmpeg; None if it cannot be imported."""
    try:
        import av
    except (ImportError, OSError):
        return None
    av.logging.set_level(None)
    return av


class AvSound:
    """An open sound, read forward like a `soundfile.SoundFile`.

    Attributes:
        samplerate: In Hz.
        channels: Number of channels.
        format: Name of the container.
        subtype: FFmpeg's name of the encoding.
    """

    extra_info = ""

    def __init__(self, descriptor: int, container: Foreign) -> None:
        av = load_av()
        if av is None:
            raise AudioError(
                BadAudioReason.UNREADABLE,
                f"it is {container.name}, which libsndfile cannot read; FFmpeg's libraries can: in a checkout of "
                'spectronorm, pip install ".[av]"',
            )
        self._errors: tuple[type[Exception], ...] = (av.FFmpegError, ValueError, TypeError, LookupError)
        self._about, self._read = container, 0
        self.format = container.name
        self._container: Any = None
        self.subtype = ""
        try:
            file = View(((0, FileBytes(descriptor).size),)).open(descriptor)
            self._container = av.open(file, "r", format=container.demuxer, metadata_errors="ignore")
            self._stream = self._first_stream()
            self.subtype = str(self._stream.codec_context.name)
            self._claimed = self._claim()
            self._blocks = self._decoded(av)
            self._rest = next(self._blocks, None)
        except self._errors as error:
            self.close()
            raise self._unreadable(error) from None
        except BaseException:
            self.close()
            raise
        if self._rest is None:
            self.close()
            raise AudioError(BadAudioReason.EMPTY, f"it is {container.name} without one decoded sample")

    def _first_stream(self) -> Any:
        streams = self._container.streams.audio
        if not streams:
            raise AudioError(BadAudioReason.UNREADABLE, f"it is {self.format} without an audio stream")
        stream = streams[0]
        if stream.codec_context is None:
            raise AudioError(
                BadAudioReason.UNREADABLE, f"it is {self.format} with an encoding that FFmpeg does not know"
            )
        # Threads would need more processes than a confined decoder may start.
        stream.codec_context.thread_count = 1
        stream.codec_context.thread_type = "NONE"
        return stream

    def _claim(self) -> float | None:
        """The seconds that the container claims for the stream, if it is exact enough to be held to it."""
        if not self._about.exact:
            return None
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        alone = len(self._container.streams) == 1 and self._container.duration is not None
        return self._container.duration / 1e6 if alone else None

    def _decoded(self, av: Any) -> Iterator[NDArray[np.float32]]:
        """Blocks `(sample, channel)`; the first one sets rate and channels."""
        as_float = av.AudioResampler(format="flt")
        first: tuple[int, int] | None = None
        for packet in self._container.demux(self._stream):
            for frame in packet.decode():
                here = frame.sample_rate, frame.layout.nb_channels
                if first is None:
                    first = self.samplerate, self.channels = here
                elif here != first:
                    raise AudioError(
                        BadAudioReason.HEADER_LIES,
                        f"it changes from {first[0]} to {here[0]} Hz, {first[1]} to {here[1]} channels; split it",
                    )
                frame.pts = None  # gaps in a stream's times are not filled
                for converted in as_float.resample(frame):
                    yield converted.to_ndarray().reshape(-1, first[1])

    @property
    def frames(self) -> int:
        """The number of samples: unknown until the end, then the claimed or the read number."""
        if self._rest is not None:
            return UNKNOWN_FRAMES
        claimed = 0.0 if self._claimed is None else self._claimed
        missing = claimed - self._read / self.samplerate
        return round(claimed * self.samplerate) if missing > _TOLERANCE else self._read

    @property
    def estimated_frames(self) -> int:
        """The number of samples by the container, or by the file's size, before any is read."""
        seconds = self._claimed
        if seconds is None and self._container.duration is not None:
            seconds = self._container.duration / 1e6
        return UNKNOWN_FRAMES if seconds is None else max(1, round(seconds * self.samplerate))

    def read(self, out: NDArray[np.float32]) -> NDArray[np.float32]:
        """Fill `out` `(sample, channel)` with the next samples; returns the part of it that was filled."""
        filled = 0
        while filled < len(out) and self._rest is not None:
            taken = min(len(out) - filled, len(self._rest))
            out[filled : filled + taken] = self._rest[:taken]
            filled += taken
            self._rest = self._rest[taken:] if taken < len(self._rest) else self._next()
        self._read += filled
        return out[:filled]

    def _next(self) -> NDArray[np.float32] | None:
        try:
            return next((block for block in self._blocks if len(block)), None)
        except self._errors as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> AudioError:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return AudioError(BadAudioReason.UNREADABLE, f"it is {self.format}, and FFmpeg cannot decode it ({text})")

    def close(self) -> None:
        """Close the container; the descriptor stays open."""
        if self._container is not None:
            self._container.close()

    def __enter__(self) -> AvSound:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
