"""Formats that libsndfile does not know, decoded by FFmpeg's libraries (extra `av`)."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import spectronorm as sn
from spectronorm.audio import Limits, Reader
from spectronorm.audio.decoding import av_sound
from spectronorm.audio.decoding.av_sound import AvSound
from spectronorm.audio.decoding.containers.foreign import Foreign
from spectronorm.audio.decoding.decode import DecodedBlocks, decode_descriptor
from spectronorm.audio.decoding.memory_file import fill, unnamed_file
from spectronorm.errors import AudioError, BadAudioReason, TooManyBad

av = pytest.importorskip("av")
SAMPLES = Path(__file__).parent / "samples" / "audio"
RATE = 44100


@contextmanager
def descriptor_of(data: bytes) -> Iterator[int]:
    descriptor = unnamed_file()
    try:
        fill(descriptor, data)
        yield descriptor
    finally:
        os.close(descriptor)


def sound(seconds: float = 3.0, rate: int = RATE) -> NDArray[np.float32]:
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(1).standard_normal(len(t))
    return np.asarray(0.3 * np.sin(2 * np.pi * 300 * t * (1 + t)) * np.sin(5 * t) ** 2 + 0.05 * noise, np.float32)


def encoded(samples: NDArray[np.float32], suffix: str, codec: str, muxer: str, rate: int = RATE) -> bytes:
    """A file as FFmpeg's own muxers and encoders make it."""
    file = io.BytesIO()
    file.name = f"x.{suffix}"  # type: ignore[misc]
    with av.open(file, "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        converter = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate)
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        fifo = av.AudioFifo()
        for converted in (*converter.resample(frame), *converter.resample(None)):
            fifo.write(converted)
        size = stream.codec_context.frame_size or 4096
        while (piece := fifo.read(size) or fifo.read(0)) is not None and piece.samples:
            for packet in stream.encode(piece):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return file.getvalue()


def lag(reference: NDArray[np.float32], found: NDArray[np.float32]) -> int:
    """The number of samples by which a sound starts late."""
    n = 1 << 16
    spectrum = np.fft.rfft(reference[:n], 2 * n).conj() * np.fft.rfft(found[:n], 2 * n)
    at = int(np.fft.irfft(spectrum).argmax())
    return at if at < n else at - 2 * n


@pytest.mark.parametrize(
    ("suffix", "subtype", "demuxer"),
    [("mp3", "MPEG_LAYER_III", "mp3"), ("ogg", "VORBIS", "ogg"), ("flac", "PCM_24", "flac"), ("ogg", "OPUS", "ogg")],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_ffmpeg_and_libsndfile_agree(suffix: str, subtype: str, demuxer: str, channels: int, tmp_path: Path) -> None:
    """MP3, Ogg Vorbis, FLAC and Opus have one length, start and (to 4e-6) samples in both libraries."""
    samples = np.stack([sound(rate=48000)] * channels, axis=1)
    path = tmp_path / f"x.{suffix}"
    with soundfile.SoundFile(path, "w", 48000, channels, subtype) as file:
        for start in range(0, len(samples), 4800):  # libsndfile needs blocks
            file.write(samples[start : start + 4800])
    with descriptor_of(path.read_bytes()) as descriptor:
        ours = decode_descriptor(descriptor).samples
        with AvSound(descriptor, Foreign("", demuxer)) as other:
            theirs = np.empty((len(ours) + 5000, channels), np.float32)
            theirs = other.read(out=theirs)
    assert theirs.shape == ours.shape
    np.testing.assert_allclose(theirs, ours, atol=4e-6, rtol=0)


@pytest.mark.parametrize("name", ["edit_list.m4a", "opus.webm"])
def test_untrusted_files_are_decoded_alike(name: str) -> None:
    """The confined process gives the samples that this process gives, although it can open no file."""
    here = Reader().read(SAMPLES / name, 16000)
    there = Reader(untrusted=Limits()).read(SAMPLES / name, 16000)
    np.testing.assert_array_equal(here.samples, there.samples)
    assert 0.45 < here.seconds < 0.55


TABLE = [
    # suffix, codec, muxer, rate, samples by which the sound starts late, most samples of padding behind it
    ("m4a", "aac", "ipod", 44100, 0, 1024),
    ("mp4", "aac", "mp4", 44100, 0, 1024),
    ("3gp", "aac", "3gp", 44100, 0, 1024),
    ("m4a", "alac", "ipod", 44100, 0, 0),
    ("mov", "pcm_s16le", "mov", 44100, 0, 0),
    ("aac", "aac", "adts", 44100, 1024, 1024),
    ("ts", "aac", "mpegts", 44100, 1024, 1024),
    ("flv", "aac", "flv", 44100, 1024, 1024),
    ("ac3", "ac3", "ac3", 44100, 256, 1536),
    ("eac3", "eac3", "eac3", 44100, 256, 1536),
    ("wv", "wavpack", "wv", 44100, 0, 0),
    ("tta", "tta", "tta", 44100, 0, 0),
    ("mkv", "flac", "matroska", 44100, 0, 0),
    ("webm", "libopus", "webm", 48000, 0, 0),
    ("avi", "mp3", "avi", 44100, 1105, 1152),
    ("mpg", "mp2", "mpeg", 44100, 481, 1152),
]


@pytest.mark.parametrize(("suffix", "codec", "muxer", "rate", "late", "behind"), TABLE)
def test_the_ends_of_other_formats(suffix: str, codec: str, muxer: str, rate: int, late: int, behind: int) -> None:
    """Each format begins as late, and has as much padding behind it, as the table in docs/reliability.md says."""
    try:
        data = encoded(sound(rate=rate), suffix, codec, muxer, rate)
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this FFmpeg cannot write {codec}")
    with descriptor_of(data) as descriptor:
        found = decode_descriptor(descriptor)
    assert (found.sample_rate, found.missing) == (rate, 0.0)
    samples = found.samples[:, 0]
    original = sound(rate=rate)
    assert lag(original, samples) == late
    assert -481 * (suffix == "mpg") <= len(samples) - late - len(original) <= behind  # MP2 encoders hold back a frame


def test_blocks_are_the_whole() -> None:
    """Decoding block by block, as long recordings are, gives the samples of decoding at once."""
    with descriptor_of(encoded(sound(30.0), "m4a", "aac", "ipod")) as descriptor:
        whole = decode_descriptor(descriptor).samples
        blocks = [block.copy() for block in DecodedBlocks(descriptor)]
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_a_file_cut_off_is_truncated() -> None:
    """A file that lacks more than a tenth of a second of what its container claims is bad, with the seconds named."""
    data = encoded(sound(), "mkv", "flac", "matroska")
    with descriptor_of(data[: len(data) // 2]) as descriptor, pytest.raises(AudioError, match="truncated"):
        Reader().read(f"/proc/self/fd/{descriptor}", RATE)


def test_a_cut_avi_is_truncated() -> None:
    """AVI is held to the size in its first bytes, since FFmpeg reads a cut file without a word."""
    data = encoded(sound(), "avi", "mp3", "avi")
    with descriptor_of(data[: len(data) // 2]) as descriptor, pytest.raises(AudioError, match="truncated"):
        decode_descriptor(descriptor)


def test_without_the_extra_the_reason_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without PyAV, such a file counts as bad, with a reason that names the format and the extra."""
    monkeypatch.setattr(av_sound, "load_av", lambda: None)
    with pytest.raises(AudioError, match=r'it is MP4 \(M4A\).*pip install "\.\[av\]"') as caught:
        sn.read(SAMPLES / "edit_list.m4a", 16000)
    assert caught.value.reason is BadAudioReason.UNREADABLE
    shutil.copy(SAMPLES / "edit_list.m4a", tmp_path)
    soundfile.write(tmp_path / "a.wav", sound(), RATE)
    with pytest.raises(TooManyBad, match=r"(?s)1 of 2 files is bad .*edit_list\.m4a"):
        sn.fit(tmp_path, sn.FrontEnd(16000), max_bad=0)


def test_a_library_that_cannot_be_loaded_is_as_if_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV that is installed but broken (a missing system library) gives the reason too, not an OSError."""

    def broken(*_: object) -> object:
        raise OSError("libavcodec.so: cannot open shared object file")

    monkeypatch.setattr("builtins.__import__", broken)
    assert av_sound.load_av() is None


def test_a_video_without_sound_is_bad() -> None:
    """A container without an audio stream says so."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    with descriptor_of(file.getvalue()) as descriptor, pytest.raises(AudioError, match="without an audio stream"):
        decode_descriptor(descriptor)


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile '/etc/passwd'\n", "<MPD></MPD>"]
)
def test_a_playlist_opens_nothing(text: str) -> None:
    """Formats by which FFmpeg would open other files or addresses are not read: it is never left to guess a format."""
    with descriptor_of(text.encode()) as descriptor, pytest.raises(AudioError, match="libsndfile cannot read it"):
        decode_descriptor(descriptor)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["edit_list.m4a", "opus.webm"]),
    st.integers(0, 5500),
    st.lists(st.tuples(st.integers(0, 5388), st.integers(0, 255)), max_size=12),
)
def test_damage_is_an_audio_error(name: str, length: int, changes: list[tuple[int, int]]) -> None:
    """A damaged file gives finite samples or an `AudioError`, nothing else."""
    data = bytearray((SAMPLES / name).read_bytes())
    for place, byte in changes:
        data[place % len(data)] = byte
    with descriptor_of(bytes(data[: max(1, length)])) as descriptor:
        try:
            found = decode_descriptor(descriptor)
        except AudioError:
            return
    assert found.samples.dtype == np.float32
