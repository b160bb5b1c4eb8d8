"""Every file is read whole, or refused with a reason: what a container claims is compared with what is there."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.audio import Limits, Reader, open_source, release, stream
from spectronorm.audio import long_clip as long_clips
from spectronorm.audio.decoding import opened_sounds
from spectronorm.audio.decoding.decode import header_of
from spectronorm.errors import AudioError, BadAudioReason

from .bad_inputs import encoded, pcm, tone, wav
from .containers import (
    PLACEHOLDERS,
    RATE,
    SIZES,
    SOUND,
    STREAMED,
    claims,
    frame_lengths,
    has_tag,
    mpeg,
    page_starts,
    sound_in,
    without_tag,
)

WHOLE = len(SOUND)
REFUSED = {"truncated", "header-lies", "unreadable", "empty"}


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    release()


def length(path: Path, reader: Reader | None = None) -> int | str:
    """The samples of a file at its own rate, or the reason for which it is refused."""
    try:
        rate = 44_100 if path.name.startswith("44") else RATE
        return (reader or Reader()).read(path, rate).length
    except AudioError as error:
        return error.reason.value if error.detail else "no detail"


def streamed_length(path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader | None = None) -> int | str:
    """The same by the path of long clips, which decodes in blocks."""
    monkeypatch.setattr(long_clips, "LONG_SAMPLES", 0)
    monkeypatch.setattr(long_clips, "SMALL_BYTES", 0)
    (clip,) = open_source(path)
    found = stream(reader or Reader(), clip, RATE, lambda blocks: sum(len(block) for block in blocks))
    if found is None:
        return length(path, reader)
    return found.result.reason.value if isinstance(found.result, AudioError) else found.result


@pytest.mark.parametrize("container", SIZES)
def test_claimed_length_in_both_directions(container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header that claims too little or too much is found out, held, streamed and untrusted alike."""
    untrusted = Reader(Limits(seconds=20, megabytes=256))
    for name, data in claims(container):
        path = tmp_path / f"{name}.bin"
        path.write_bytes(data)
        found = length(path)
        assert found == WHOLE or found in REFUSED, name
        assert length(path, untrusted) == found, name
        assert streamed_length(path, monkeypatch) == found, name


@pytest.mark.parametrize("container", STREAMED)
@pytest.mark.parametrize("size", PLACEHOLDERS, ids=hex)
def test_placeholder_sizes_are_read_to_the_end(
    container: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that was written to a pipe, whose writer could not go back, is whole."""
    data = sound_in(container)
    wide = {0x7FFFFFFF: (1 << 63) - 1, 0xFFFFFFFF: -1}
    place = SIZES[container](data)
    value = wide.get(size, size) if place.form[1] == "q" else size
    path = tmp_path / "stream.bin"
    path.write_bytes(place.claiming(data, value))
    assert length(path) == WHOLE
    assert streamed_length(path, monkeypatch) == WHOLE


def test_a_data_size_of_zero_is_said_to_be_that(tmp_path: Path) -> None:
    """Sound behind a header that claims none is counted, and the profile lists the file and says so."""
    (tmp_path / "zero.wav").write_bytes(wav(pcm(), size=0))
    profile = sn.fit(tmp_path, sn.FrontEnd(RATE))
    (flag,) = profile.flagged
    assert profile.seconds == 0.5
    assert flag.reason is BadAudioReason.HEADER_LIES
    assert "0 bytes of sound" in flag.detail


@pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "CAF", "SVX"])
def test_trailing_chunks_are_no_sound(container: str, tmp_path: Path) -> None:
    """Chunks behind the sound, tags and zeros are legal: the file is whole, and they are not measured."""
    data = sound_in(container)
    chunk = {
        "W64": b"note\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a" + struct.pack("<q", 32) + b"a remark",
        "CAF": b"info" + struct.pack(">q", 8) + b"a remark",
        "AIFF": b"ANNO" + struct.pack(">I", 8) + b"a remark",
        "SVX": b"ANNO" + struct.pack(">I", 8) + b"a remark",
    }.get(container, b"guan" + struct.pack("<I", 8) + b"a remark")
    padding = bytes(-len(data) % 8) if container == "W64" else b""
    for more in (padding + chunk, padding + chunk + chunk, bytes(4000), b"TAG" + bytes(125)):
        path = tmp_path / "clip.bin"
        path.write_bytes(data + more)
        assert length(path) == WHOLE, more[:8]


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "FLAC", "W64", "AU", "CAF", "VOC", "NIST", "SVX", "AVR", "MPC2K"])
def test_several_files_in_one_are_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were joined by `cat` are not measured in part."""
    data = encoded(kind, "PCM_16", SOUND, RATE)
    path = tmp_path / "joined.bin"
    path.write_bytes(data + data)
    assert length(path) == "header-lies"
    assert streamed_length(path, monkeypatch) == "header-lies"
    assert length(path, Reader(Limits())) == "header-lies"


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_chained_ogg_is_read_to_its_end(subtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links of one rate and number of channels are one sound; others are refused."""
    links = [encoded("OGG", subtype, tone(seconds, RATE, seed=1), RATE) for seconds in (1.0, 0.5)]
    path = tmp_path / "chained.ogg"
    path.write_bytes(b"".join(links))
    assert length(path) == length(path, Reader(Limits())) == streamed_length(path, monkeypatch) == 24_000
    single = []
    for link in links:
        (tmp_path / "link.ogg").write_bytes(link)
        single.append(sn.read(tmp_path / "link.ogg", RATE))
    np.testing.assert_array_equal(sn.read(path, RATE), np.concatenate(single))
    path.write_bytes(links[0] + encoded("OGG", subtype, tone(1.0, RATE, channels=2), RATE))
    assert length(path) == "header-lies"


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_damaged_ogg_page_never_gives_sound_twice(
    subtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one bit flipped at any of 100 places, or any page missing, the samples are the same or the file is bad."""
    data = encoded("OGG", subtype, tone(5.0, RATE), RATE)
    path = tmp_path / "clip.ogg"
    path.write_bytes(data)
    whole = sn.read(path, RATE)
    starts = [*page_starts(data), len(data)]
    rng = np.random.default_rng(0)
    damaged = [data[:start] + data[stop:] for start, stop in pairwise(starts)]
    for place in rng.integers(len(data), size=100):
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    bad = 0
    for one in damaged:
        path.write_bytes(one)
        try:
            np.testing.assert_array_equal(sn.read(path, RATE), whole)
        except AudioError as error:
            assert error.reason.value in REFUSED  # noqa: PT017
            bad += 1
        assert streamed_length(path, monkeypatch) in (len(whole), *REFUSED)
    assert bad == len(damaged)


def test_a_short_read_is_damage_and_not_a_reason_to_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that gives fewer samples than promised ends the file: none comes twice."""
    path = tmp_path / "clip.flac"
    path.write_bytes(encoded("FLAC", "PCM_16", SOUND, RATE))
    real, calls = opened_sounds.Forward.read, []

    def short(self: object, out: np.ndarray) -> np.ndarray:
        calls.append(len(out))
        return real(self, out=out[:9000])[: 9000 if len(calls) == 1 else 0]

    monkeypatch.setattr(opened_sounds.Forward, "read", short)
    assert length(path) == "truncated"


def _mp3_cases() -> list[tuple[str, int, int, str, float]]:
    levels = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.85, 0.95)
    return [
        (f"{rate}-{mode}-{level}", rate, channels, mode, level)
        for rate, channels in ((44_100, 2), (16_000, 1))
        for mode in ("CONSTANT", "AVERAGE", "VARIABLE")
        for level in levels
    ]


@pytest.mark.parametrize(("name", "rate", "channels", "mode", "level"), _mp3_cases(), ids=str)
def test_mpeg_frames_are_counted_where_no_header_says_how_many(
    name: str, rate: int, channels: int, mode: str, level: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a tag all frames are decoded, at any bit rate: as many samples as they hold, and as ffmpeg finds."""
    data = without_tag(mpeg(3.0, rate, channels, mode, level))
    frames = frame_lengths(data)
    samples = len(frames) * (1152 if rate >= 32_000 else 576)
    path = tmp_path / f"{str(rate)[:2]}.mp3"
    path.write_bytes(data)
    assert sum(frames) == len(data)
    # mpg123 may leave out the 529 samples that any decoder lags behind.
    assert samples - Reader().read(path, rate).length in (0, 529)
    if (ffmpeg := shutil.which("ffmpeg")) is not None:
        command = [ffmpeg, "-v", "error", "-i", str(path), "-f", "s16le", "-"]
        decoded = subprocess.run(command, capture_output=True, check=True).stdout
        assert abs(len(decoded) // (2 * channels) - samples) <= 1152
    (tmp_path / "cut.mp3").write_bytes(data[: len(data) // 2 + 7])
    if sum(frame_lengths(data[: len(data) // 2 + 7])) != len(data) // 2 + 7:
        assert length(tmp_path / "cut.mp3") == "truncated"


def test_mpeg_tags_that_lie_are_found_out(tmp_path: Path) -> None:
    """A tag with too few frames, none or one too many does not matter; one with far too many means missing sound."""
    data = mpeg(3.0, RATE, 1, "VARIABLE", 0.5)
    assert has_tag(data)
    place = max(data.find(b"Xing"), data.find(b"Info")) + 8
    (true,) = struct.unpack_from(">I", data, place)
    assert true == len(frame_lengths(data)) - 1
    path = tmp_path / "clip.mp3"
    path.write_bytes(data)
    whole = length(path)
    for claimed in (0, 5, true // 2, true - 1, true + 1):
        path.write_bytes(data[:place] + struct.pack(">I", claimed) + data[place + 4 :])
        assert length(path) == whole, claimed
    path.write_bytes(data[:place] + struct.pack(">I", 2 * true) + data[place + 4 :])
    assert length(path) == "truncated"


def test_joined_mpeg_is_read_to_its_end(tmp_path: Path) -> None:
    """Files of one kind that were joined are one sound, with tags in between; others are refused."""
    one, two = (mpeg(seconds, RATE, 1, "VARIABLE", 0.5) for seconds in (3.0, 2.0))
    path = tmp_path / "joined.mp3"
    for between in (b"", b"ID3\x03\0\0\0\0\0\x14" + bytes(20)):
        path.write_bytes(one + between + two)
        assert abs(int(length(path)) - 5 * RATE) <= 4 * 576
    path.write_bytes(one + mpeg(2.0, 44_100, 2, "VARIABLE", 0.5))
    assert length(path) == "header-lies"
    hole = bytearray(one)
    hole[len(hole) // 2 : len(hole) // 2 + 3000] = bytes(3000)
    path.write_bytes(hole)
    assert length(path) in REFUSED


def test_flac_lengths_are_compared_with_the_last_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown number of samples, as in a stream, and one too low are no matter; one too high is a lie."""
    data = encoded("FLAC", "PCM_16", tone(3.0, RATE, channels=2), RATE)
    field = int.from_bytes(data[18:26], "big") >> 36 << 36
    path = tmp_path / "clip.flac"
    for claimed, wanted in (
        (0, 48_000),
        (2000, 48_000),
        (47_999, 48_000),
        (48_001, "truncated"),
        (1 << 35, "truncated"),
    ):
        path.write_bytes(data[:18] + (field | claimed).to_bytes(8, "big") + data[26:])
        found = length(path)
        assert found == wanted or (isinstance(wanted, str) and found in REFUSED), claimed
        assert streamed_length(path, monkeypatch) == found
        assert length(path, Reader(Limits())) == found
    path.write_bytes(data[:18] + field.to_bytes(8, "big") + data[26 : len(data) * 2 // 3])
    assert length(path) in REFUSED


def test_a_few_samples_short_is_bounded_noted_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorder that counts its own header: refused by default, read and listed where so much is tolerated."""
    data = pcm()
    path = tmp_path / "recorder.wav"
    path.write_bytes(wav(data, size=len(data) + 44))
    assert length(path) == "truncated"
    for reader in (Reader(tolerate_short=0.1), Reader(Limits(), tolerate_short=0.1)):
        assert length(path, reader) == 8000
        assert streamed_length(path, monkeypatch, reader) == 8000
        profile = sn.fit(open_source(tmp_path, reader), sn.FrontEnd(RATE))
        (flag,) = profile.flagged
        assert flag.reason is BadAudioReason.TRUNCATED
        assert "0.001375 s" in flag.detail
    assert length(path, Reader(tolerate_short=0.001)) == "truncated"
    path.write_bytes(wav(data, size=2 * len(data)))
    assert length(path, Reader(tolerate_short=0.1)) == "truncated"
    with pytest.raises(sn.errors.ArgumentError):
        Reader(tolerate_short=-1)


def test_a_stream_longer_than_32_bits_is_read_as_rf64(tmp_path: Path) -> None:
    """A placeholder in front of more than 4 GB: the header is read as one with sizes of 64 bits."""
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.write(wav(b"", size=0xFFFFFFFF))
        file.seek((5 << 30) - 2)
        file.write(b"\1\1")
    with path.open("rb") as file:
        assert header_of(file.fileno()) == (RATE, 1, ((5 << 30) - 44) // 2)


def test_antiphase_is_flagged_and_never_called_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels that cancel, exactly or but for dither, are listed as that; in blocks and held."""
    left = tone()
    dither = np.random.default_rng(0).integers(-1, 2, left.shape) / 32768
    for name, right in (("exact", -left), ("dithered", -left + dither)):
        soundfile.write(tmp_path / f"{name}.wav", np.hstack([left, right]), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "good.wav", np.hstack([left, 0.5 * left]), RATE)
    for _ in range(2):
        profile = sn.fit(tmp_path, sn.FrontEnd(RATE))
        assert [(flag.path, flag.reason.value) for flag in profile.flagged] == [
            ("dithered.wav", "channels-cancel"),
            ("exact.wav", "channels-cancel"),
        ]
        monkeypatch.setattr(long_clips, "LONG_SAMPLES", 0)
        monkeypatch.setattr(long_clips, "SMALL_BYTES", 0)
    assert length(tmp_path / "exact.wav", Reader(skip_flat=True)) == len(left)
